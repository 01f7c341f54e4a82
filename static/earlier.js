// What is said of the form as it was goes or is marked when the form changes: the answer of a test is then an earlier one,
// and the button to press next another.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  // No call depends on these.
  const BESIDE = /^(rule|mapping_set|fallback|alert_|name$|key$|enabled|dictionaries|accepted_|version|draft_id|pasted|kept$|options$|drift_|before_remap|body_mode_was)/;
  const asked = () => JSON.stringify(JSON.parse(httpstep.typed()).filter(([name, value, hidden]) => (value || hidden) && !BESIDE.test(name)));
  let running = "", tested = "";
  body.addEventListener("htmx:beforeRequest", ({ detail }) => { if (detail.elt.id === "test-btn") running = asked(); });
  body.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.elt.id !== "test-btn" || detail.xhr.status !== 200) return;
    tested = running;
    mark();
  });
  // What a good Save changes of the form by itself (a key becomes a secret) is no change of whoever typed.
  let was = "";
  body.addEventListener("htmx:beforeOnLoad", ({ detail }) => { if (detail.elt.id === "step-form") was = asked(); });
  body.addEventListener("step:saved", () => {
    if (running === was) running = asked();
    if (tested === was) tested = asked();
    mark();
  });
  function mark() {
    const isOf = tested && asked() === tested;
    const old = $("#test-result [data-earlier]");
    if (old && tested) old.hidden = isOf;
    showFirst(isOf && $("#test-result .result-line .badge-green"));
  }
  // The button that comes next: Fill the form while something stands in the box, then Test until an answer is good, then Save, and neither when all of it is saved.
  function showFirst(isGood) {
    const first = $("#paste-curl[open] #at-curl")?.value.trim() ? "fill" : !isGood ? "test" : $("[data-dirty]").hidden ? "" : "save";
    for (const button of document.querySelectorAll("[data-first]")) button.classList.toggle("btn-primary", button.dataset.first === first);
  }
  document.addEventListener("input", ({ target }) => {
    if (target.form?.id === "step-form") $("[data-of-form]")?.remove();
  });
  document.addEventListener("toggle", ({ target }) => { if (target.id === "paste-curl") mark(); }, true);
  body.addEventListener("form:looked", mark);
})();
