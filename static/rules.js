// The rows of the mapping are one stop of the keyboard: arrows go from row to row, Enter edits the name, Space switches the
// row, Delete removes it, Escape comes back. Whoever is inside a row tabs through all that is in it.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const rows = () => $$("#mapping .rule");
  const controls = (row) => $$("input:not([type=hidden]), select, summary, button", row);

  function open(row, inside) {
    for (const control of controls(row)) if (inside) control.removeAttribute("tabindex"); else control.tabIndex = -1;
  }
  function stopAt(row) {
    for (const other of rows()) other.tabIndex = other === row ? 0 : -1;
  }
  // Rows that have come are closed, and one of all is the stop.
  function gather() {
    const all = rows();
    const here = document.activeElement?.closest("#mapping .rule");
    for (const row of all) {
      row.setAttribute("aria-describedby", "rules-keys");
      open(row, row === here && row !== document.activeElement);
    }
    stopAt(here || all.find((row) => row.tabIndex === 0) || all[0]);
  }
  document.addEventListener("focusin", ({ target }) => {
    const row = target.closest("#mapping .rule");
    if (!row) return;
    stopAt(row);
    if (target !== row) open(row, true);
  });
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    const row = target.closest("#mapping .rule");
    if (row && (relatedTarget === row || !row.contains(relatedTarget))) open(row, false);
  });

  function onRow(row, event) {
    const all = rows();
    const to = { ArrowDown: all[all.indexOf(row) + 1], ArrowUp: all[all.indexOf(row) - 1], Home: all[0], End: all.at(-1) }[event.key];
    if (to) to.focus();
    else if (["Enter", "F2"].includes(event.key)) $(".rule-name", row).focus();
    else if (event.key === "ArrowRight") $(".rule-on", row).focus();
    else if (event.key === " ") $(".rule-on", row).click();
    else if (event.key === "Delete") $("[data-remove-rule]", row).click();
    else if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
  }
  document.addEventListener("keydown", (event) => {
    const row = event.target.closest?.("#mapping .rule");
    if (!row || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target === row) { onRow(row, event); return; }
    if (event.key !== "Escape" && !(event.key === "Enter" && event.target.matches(".rule-name"))) return;
    event.preventDefault();
    row.focus();
  });

  // "Show me": what the bot gets where a value is missing, of the ticked row whose value is empty here, else of the first.
  const isEmpty = (row) => row.matches(".rule-missing") || ["null", '""'].includes($(".rule-sample", row).textContent.trim());
  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.("[data-show-default]")) return;
    const ticked = rows().filter((one) => $(".rule-on", one).checked);
    const row = ticked.find(isEmpty) || ticked[0] || rows()[0];
    $("#part-mapping").open = true;
    if (row) $(".rule-more", row).open = true;
    const field = (row && $('[name$="-default"]', row)) || $("#mapping-adder [data-add-rule]");
    field?.scrollIntoView({ block: "center" });
    field?.focus({ preventScroll: true });
  });

  // "Show me" beside an advice: the part of the form that it speaks of.
  document.addEventListener("click", ({ target }) => {
    const part = $(`#part-${target.closest?.("[data-show-part]")?.dataset.showPart}`);
    if (!part) return;
    $("#part-request").open = part.open = true;
    const field = $('input:not([type="hidden"]), select, textarea', $(".part-body", part));
    field?.scrollIntoView({ block: "center" });
    field?.focus({ preventScroll: true });
  });

  body.addEventListener("htmx:afterSettle", gather);
  body.addEventListener("htmx:oobAfterSwap", gather);
  body.addEventListener("form:looked", gather);
  gather();
})();
