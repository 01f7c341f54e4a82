// The flow editor: says what is not saved, keeps it from being left by accident, and shows the fields a condition needs.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  let dirty = !$("[data-dirty]")?.hidden;
  let leaving = false;
  const changed = () => { dirty = true; const mark = $("[data-dirty]"); if (mark) mark.hidden = false; };
  const showConditions = () => document.querySelectorAll(".flow-when").forEach((one) => { one.dataset.when = $("[data-when-choice]", one).value; });
  document.addEventListener("input", (event) => {
    if (event.target.form?.id !== "flow-form" || event.target.name?.startsWith("value:")) return;
    showConditions();
    changed();
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "flow-form") changed();
    $("#fault-summary")?.focus();
  });
  document.addEventListener("submit", () => { leaving = true; });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-revert]")) leaving = true; });
  window.addEventListener("beforeunload", (event) => { if (dirty && !leaving) event.preventDefault(); });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey)) return;
    const button = event.key === "s" ? $("[data-save]") : event.key === "Enter" ? $("#test-btn") : null;
    if (button) { event.preventDefault(); button.click(); }
  });
})();
