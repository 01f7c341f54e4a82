// The list of steps: "/" searches, "n" makes a new step. No key works while somebody types.
(() => {
  "use strict";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "/") {
      const search = document.querySelector("#step-search");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    } else if (event.key === "n") {
      const link = document.querySelector("[data-new-step]");
      if (link) { event.preventDefault(); link.click(); }
    }
  });
})();

// Ticked steps: the bar with what can be done with them shows while there are some.
(() => {
  "use strict";
  const boxes = () => [...document.querySelectorAll("[data-choose]")];
  function show() {
    const bar = document.querySelector("[data-chosen-bar]");
    if (!bar) return;
    const ticked = boxes().filter((box) => box.checked).length;
    bar.hidden = ticked === 0;
    bar.querySelector("[data-chosen-count]").textContent = `${ticked} ticked:`;
    const all = document.querySelector("[data-choose-all]");
    all.checked = ticked > 0 && ticked === boxes().length;
    all.indeterminate = ticked > 0 && ticked < boxes().length;
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose-all]")) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.matches("[data-choose], [data-choose-all]")) show();
  });
  document.addEventListener("htmx:afterSwap", show);
  document.addEventListener("DOMContentLoaded", show);
})();
