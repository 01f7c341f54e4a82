// "What your bot says": the sentence is filled in by the server as it is typed, and anew when the mapping or a value for
// test changes. It is kept in this browser for this step, and saved nowhere; of a new step, in this tab.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const key = () => `httpstep-says:${body.dataset.user}:${location.pathname}`;
  const store = () => ($("[data-editor]").dataset.ref === "new" ? sessionStorage : localStorage);
  const kept = () => { try { return store().getItem(key()) || ""; } catch { return ""; } };
  function keep(text) {
    try { if (text) store().setItem(key(), text); else store().removeItem(key()); } catch { /* this browser keeps nothing */ }
  }

  // What the sentence is filled in from, as far as the form decides it.
  const rows = () => $$("[data-rule]", $("#mapping") || body).map((row) => [$(".rule-on", row)?.checked, $(".rule-name", row)?.value, $(".rule-source", row)?.value]);
  const values = () => $$('[name^="value:"]').map((input) => [input.name, input.value]);
  const basis = () => JSON.stringify([$("[data-says]")?.value, rows(), values()]);
  let filledFrom = "";
  function fill() {
    const field = $("[data-says]");
    if (!field || basis() === filledFrom) return;
    filledFrom = basis();
    htmx.trigger(field, "says:again");
  }
  // The answer has come with its own sentence, or with an empty one that was written before.
  function arrive() {
    const field = $("[data-says]");
    if (!field) { filledFrom = ""; return; }
    if (!field.value && kept()) { field.value = kept(); fill(); } else if (!filledFrom) filledFrom = basis();
  }
  document.addEventListener("input", ({ target }) => {
    if (!target.matches?.("[data-says]")) return;
    keep(target.value);
    filledFrom = basis();
  });
  body.addEventListener("htmx:afterSettle", ({ detail }) => {
    const example = $("#bubble")?.dataset.example;
    if (example !== undefined && $("[data-says]")) $("[data-says]").placeholder = example;  // the field itself stays
    if (detail.target.id === "bubble") return;
    // Of a test that has come its example is right; a sentence may have been typed on while it ran.
    if (detail.target.id === "test-result") filledFrom = $("[data-says]")?.value ? "" : basis();
    arrive();
    if (!filledFrom) fill();
  });
  body.addEventListener("form:looked", fill);
  setTimeout(arrive);
})();
