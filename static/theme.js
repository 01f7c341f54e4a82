// The chosen appearance, before the first paint. "system" is no choice at all.
(() => {
  "use strict";
  let choice = null;
  try { choice = localStorage.getItem("httpstep-theme"); } catch { /* storage is off: the system decides */ }
  if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
  document.documentElement.classList.add("js");
})();
