// "Wide answer": the answer takes the whole width and the request folds to its line; the choice is kept in this browser.
(() => {
  "use strict";
  const root = document.documentElement;
  const isWide = () => root.dataset.answer === "wide" && matchMedia("(min-width: 1100px)").matches;
  function show() {
    document.querySelector("[data-wide]")?.setAttribute("aria-pressed", String(root.dataset.answer === "wide"));
  }
  function fold(closed) {
    const request = document.querySelector("#part-request");
    if (request && !request.querySelector('[aria-invalid="true"]')) request.open = !closed;
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-wide]");
    if (!button) return;
    const wide = root.dataset.answer !== "wide";
    if (wide) root.dataset.answer = "wide"; else delete root.dataset.answer;
    try { localStorage.setItem("httpstep-wide", wide ? "1" : ""); } catch { /* it lasts as long as this page */ }
    fold(wide);
    show();
    button.scrollIntoView({ block: "nearest" });
  });
  if (isWide() && document.querySelector("[data-editor]").dataset.ref !== "new") fold(true);
  show();
})();
