// "Wide answer": the answer takes the whole width and the request folds to its line; the choice is kept in this browser.
(() => {
  "use strict";
  const root = document.documentElement;
  const room = matchMedia("(min-width: 1100px)");
  let wide = root.dataset.answer === "wide";
  try { wide ||= localStorage.getItem("httpstep-wide") === "1"; } catch { /* it lasts as long as this page */ }
  function show() {
    if (wide && room.matches) root.dataset.answer = "wide"; else delete root.dataset.answer;
    document.querySelector("[data-wide]")?.setAttribute("aria-pressed", String(wide));
  }
  function fold(closed) {
    const request = document.querySelector("#part-request");
    if (request && !request.querySelector('[aria-invalid="true"]')) request.open = !closed;
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-wide]");
    if (!button) return;
    wide = !wide;
    try { localStorage.setItem("httpstep-wide", wide ? "1" : ""); } catch { /* it lasts as long as this page */ }
    show();
    fold(wide);
    button.scrollIntoView({ block: "nearest" });
  });
  room.addEventListener("change", show);
  show();
  if (wide && room.matches && document.querySelector("[data-editor]").dataset.ref !== "new") fold(true);
})();
