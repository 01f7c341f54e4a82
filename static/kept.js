// What is typed while a Save is on its way is put back into the form that its answer brings, and is not saved yet.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector) => document.querySelector(selector);
  const PARTS = ["#headers", "#body-editor", "#mapping", "#drift-banner", "#test-values"]; // with rows that come and go
  const THE_ANSWERS = /^(csrf_token|version|draft_id|body_mode_was) /;
  const valueOf = (field) => (field.type === "checkbox" || field.type === "radio" ? field.checked : field.value);

  // Each field by its name and its place among those of that name: "header_value 2".
  function fields(part = document) {
    const count = {};
    const found = new Map();
    for (const field of $("#step-form").elements) {
      if (!field.name || field.type === "submit") continue;
      count[field.name] = (count[field.name] || 0) + 1;
      if (part.contains(field)) found.set(`${field.name} ${count[field.name]}`, field);
    }
    return found;
  }
  const values = (part) => new Map([...fields(part)].map(([at, field]) => [at, valueOf(field)]));
  const rowsOf = (part) => [...fields(part).keys()].join("\n");

  let sent = null;
  let typed = null;
  const isSave = (event) => event.detail.elt.id === "step-form";
  body.addEventListener("htmx:beforeRequest", (event) => {
    if (isSave(event)) sent = { values: values(), rows: PARTS.map((id) => rowsOf($(id))) };
  });
  body.addEventListener("htmx:beforeSwap", (event) => {
    if (isSave(event) && event.detail.shouldSwap && sent) typed = typedSince();
  });
  body.addEventListener("htmx:afterSwap", () => {
    if (!typed) return;
    const { since, parts, focus } = typed;
    typed = null;
    for (const part of parts) putPartBack(part);
    const now = fields();
    for (const [at, value] of since) if (now.has(at)) putBack(now.get(at), value);
    if (parts.length || since.size) focusAgain(focus);
  });

  // What differs from what was sent: {since: field -> value, parts with their rows, where the caret is}
  function typedSince() {
    const since = new Map([...values()].filter(([at, value]) => sent.values.get(at) !== value && !THE_ANSWERS.test(at)));
    const parts = PARTS.map((id, place) => ({ id, node: $(id), rows: rowsOf($(id)), had: sent.rows[place] }))
      .filter(({ node, rows, had }) => rows !== had || [...fields(node).keys()].some((at) => since.has(at)));
    const at = document.activeElement;
    return { since, parts, focus: { id: at.id, from: at.selectionStart, to: at.selectionEnd } };
  }
  // Where the answer has other rows than the page had, the part stays as it was; only what nobody touched is the answer's.
  function putPartBack({ id, node, rows }) {
    const fresh = $(id);
    if (rowsOf(fresh) === rows) return;
    const theirs = values(fresh);
    fresh.replaceWith(node);
    for (const [at, field] of fields(node)) {
      if (field.type === "hidden" && theirs.has(at) && valueOf(field) === sent.values.get(at)) field.value = theirs.get(at);
    }
    htmx.process(node);
  }
  function putBack(field, value) {
    if (valueOf(field) === value) return;
    if (typeof value === "boolean") field.checked = value; else field.value = value;
    for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
  }
  function focusAgain({ id, from, to }) {
    const field = id && document.getElementById(id);
    if (!field) return;
    field.focus({ preventScroll: true });
    try { field.setSelectionRange(from, to); } catch { /* it has no caret */ }
  }
})();
