// The chosen appearance, and where there is room how wide the answer is, before the first paint. "system" is no choice at all.
(() => {
  "use strict";
  let choice = null;
  try { choice = localStorage.getItem("httpstep-theme"); } catch { /* storage is off: the system decides */ }
  if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
  try { if (localStorage.getItem("httpstep-wide") === "1" && matchMedia("(min-width: 1100px)").matches) document.documentElement.dataset.answer = "wide"; } catch { /* as wide as it is */ }
  document.documentElement.classList.add("js");
})();
