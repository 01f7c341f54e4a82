// The list of steps: "/" searches, "n" makes a new step. No key works while somebody types.
(() => {
  "use strict";
  const search = document.querySelector("#step-search");
  if (search && innerWidth > 480) search.placeholder += "   ( / )";  // a phone has no such key
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (event.key === "/") {
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

// The dots of the last calls: the one under the pointer says when it was and how it ended, and is where a press leads.
(() => {
  "use strict";
  const PLACES = 20;
  const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const callsOf = (link) => link.dataset.each.split("\n").map((line) => line.match(/(\d+) (\d+) (.*)/).slice(1));  // [id, epoch, outcome]
  function point({ target, clientX }) {
    const link = target.closest?.(".dots-link");
    if (!link) return;
    const each = callsOf(link), box = link.querySelector("svg").getBoundingClientRect();
    const place = Math.floor((clientX - box.left) / (box.width / PLACES)) - (PLACES - each.length);
    const [id, at, outcome] = each[Math.min(Math.max(place, 0), each.length - 1)];
    link.href = link.href.replace(/\d+$/, id);
    link.title = `${when.format(new Date(at * 1000))}: ${outcome}`;
  }
  document.addEventListener("pointermove", point);
  document.addEventListener("pointerdown", point);
  document.addEventListener("pointerout", ({ target, relatedTarget }) => {
    const link = target.closest?.(".dots-link");
    if (!link || link.contains(relatedTarget)) return;  // by the keyboard it leads to the newest again
    link.href = link.href.replace(/\d+$/, callsOf(link).at(-1)[0]);
    link.title = link.querySelector("svg").getAttribute("aria-label");
  });
})();
