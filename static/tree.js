// The rows of the answer's tree are one stop of the keyboard: up and down go from row to row, right opens a branch and then
// goes to the buttons of the row, left goes back, Enter edits the name, Space ticks, Escape comes back to the row.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (selector, type, act) => document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(found, event);
  });

  on("[data-tree-filter]", "input", (input) => {
    const text = input.value.trim().toLowerCase();
    const tree = $(".tree", $("#test-result"));
    for (const item of $$("li", tree)) item.classList.toggle("filtered", text !== "");
    if (!text) return;
    for (const item of $$("li[data-node]", tree)) {
      if (!item.dataset.text.toLowerCase().includes(text)) continue;
      for (const below of $$("li", item)) below.classList.remove("filtered");
      for (let at = item; at && at !== tree; at = at.parentElement) {
        if (at.matches("li")) at.classList.remove("filtered");
        if (at.matches("details")) at.open = true;
      }
    }
  });

  const isShown = (one) => one.checkVisibility();  // what is inside a closed branch has a box, and takes no focus
  const rows = () => $$(".tree .tree-row");
  const buttons = (row) => $$(":scope > :is(.tree-row, .tree-beside) :is(.tick, .name-input, .tree-chip[href], .tree-map)", row.closest("li"));
  const rowOf = (one) => one.closest(".tree-row") || $(":scope > details > .tree-row", one.closest(".tree-beside")?.parentElement || body);
  const insideOf = (target) => (target.closest?.(".tree :is(.tree-row, .tree-beside)") ? rowOf(target) : null);

  function open(row, inside) {
    for (const button of buttons(row)) button.tabIndex = inside ? 0 : -1;
  }
  function stopAt(row) {
    for (const other of rows()) {
      other.tabIndex = other === row ? 0 : -1;
      if (other === row) other.dataset.stop = ""; else delete other.dataset.stop;
    }
  }
  // Rows that have come are closed, and one of all that are seen is the stop.
  function gather() {
    const all = rows();
    const at = document.activeElement;
    const here = at && insideOf(at);
    for (const row of all) open(row, row === here && row !== at);
    stopAt(here || all.find((row) => "stop" in row.dataset && isShown(row)) || all.find(isShown) || all[0]);
  }
  document.addEventListener("focusin", ({ target }) => {
    const row = insideOf(target);
    if (!row) return;
    stopAt(row);
    if (target !== row) open(row, true);
  });
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    const row = insideOf(target);
    if (row && (relatedTarget === row || !relatedTarget || insideOf(relatedTarget) !== row)) open(row, false);
  });

  function outOf(row, branch) {
    if (branch?.open) branch.open = false;
    else $(":scope > summary", row.closest("ul").closest("details") || body)?.focus();
  }
  function onRow(row, event) {
    const branch = row.matches("summary") ? row.parentElement : null;
    const seen = rows().filter(isShown);
    const to = { ArrowDown: seen[seen.indexOf(row) + 1], ArrowUp: seen[seen.indexOf(row) - 1], Home: seen[0], End: seen.at(-1) }[event.key];
    const name = $(".name-input", row);
    if (to) to.focus();
    else if (event.key === "ArrowRight" && branch && !branch.open) branch.open = true;
    else if (event.key === "ArrowRight") buttons(row).find(isShown)?.focus();
    else if (event.key === "ArrowLeft") outOf(row, branch);
    else if (["Enter", "F2"].includes(event.key) && !branch) { if (name) name.focus(); else $("[data-map]", row)?.click(); }
    else if (event.key === " " && !branch) $("[data-tick]", row)?.click();
    else if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
  }
  document.addEventListener("keydown", (event) => {
    const row = insideOf(event.target);
    if (!row || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target === row) { onRow(row, event); return; }
    if (event.target.matches("input") || !["Escape", "ArrowLeft"].includes(event.key)) return;
    event.preventDefault();
    row.focus();
  });

  body.addEventListener("htmx:afterSettle", gather);
  body.addEventListener("htmx:oobAfterSwap", gather);
  body.addEventListener("form:looked", gather);
  gather();
})();
