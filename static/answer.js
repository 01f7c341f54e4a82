// The answer beside the form: the values for test as chips, what the bot gets, and folds that keep their state and say what is in them.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text ?? "" });
  const form = () => $("#step-form");

  // ---- folds: what was opened or closed by hand stays so through every swap
  const FOLDS = ".part[id], .part-section[id], #values-for-test, #options, #success-when";
  const kept = new Map();
  document.addEventListener("click", (event) => {
    const summary = event.target.closest?.("summary");
    if (summary?.parentElement.matches(FOLDS)) kept.set(summary.parentElement.id, !summary.parentElement.open);
  });
  function keepFolds() {
    for (const [id, open] of kept) {
      const fold = document.getElementById(id);
      if (fold && !$('[aria-invalid="true"]', fold)) fold.open = open;
    }
  }
  body.addEventListener("htmx:afterSettle", keepFolds);
  body.addEventListener("htmx:oobAfterSwap", keepFolds);
  // A field that a link or the keyboard leads to is never behind a closed fold.
  document.addEventListener("focusin", ({ target }) => {
    for (let fold = target.closest("details:not([open])"); fold; fold = fold.parentElement.closest("details:not([open])")) {
      if (target !== $("summary", fold)) fold.open = true;
    }
  });

  // ---- the values for test fold to chips with the answer they gave
  const values = () => $$('[name^="value:"]');
  body.addEventListener("htmx:afterRequest", ({ detail }) => {
    const box = $("#values-for-test");
    if (!box || detail.elt.id !== "test-btn" || detail.xhr.status !== 200) return;
    kept.delete(box.id);
    if (!values().every((input) => input.value.trim())) return;
    const inside = box.contains(document.activeElement);
    box.open = false;
    if (inside) $("summary", box).focus({ preventScroll: true });
  });
  document.addEventListener("input", ({ target }) => {
    if (!target.name?.startsWith("value:")) return;
    const chip = $(`[data-chip-of="${target.id}"] > span`);
    if (chip) chip.textContent = target.value;
  });

  // ---- each fold's summary says what is in it
  const say = (id, text) => { const place = $(`[data-sums="${id}"]`); if (place && place.textContent !== text) place.textContent = text; };
  function showSums() {
    if (!form()) return;
    const headers = $$('[name="header_name"]', form()).map((input) => input.value.trim()).filter(Boolean);
    say("headers", headers.length ? `${headers.length}: ${headers.join(", ")}` : "none");
    say("body", $('[name="body_mode"]:checked')?.parentElement.textContent.trim() || "");
    say("auth", $('[name="auth_type"]')?.selectedOptions[0]?.textContent || "");
  }

  // ---- what the bot gets, by the rows as they are now
  const friendly = (source) => (source.startsWith("$") ? [...source.matchAll(/\['((?:[^'\\]|\\.)*)'\]|\[(\d+)\]/g)].map(([, key, index]) => (key ?? String(Number(index) + 1))).join(" › ") : source);
  function showGets() {
    const place = $("#bot-gets:not([data-failed])");
    if (!place) return;
    const rows = $$("[data-rule]", $("#mapping")).filter((row) => $(".rule-on", row).checked && $(".rule-name", row).value.trim() && $(".rule-sample", row).textContent && !row.matches(".rule-missing"));
    $("[data-gets-count]", place).textContent = `${rows.length} value${rows.length === 1 ? "" : "s"}`;
    const list = $(".gets", place);
    list.replaceChildren(...rows.map((row) => {
      const [name, sample, source] = [$(".rule-name", row).value.trim(), $(".rule-sample", row), $(".rule-source", row).value.trim()];
      const line = make("div", "");
      const parts = [make("dt", "", name), make("dd", "", sample.textContent), make("dd", "path", friendly(source))];
      for (const [part, title] of [[parts[0], name], [parts[1], sample.title], [parts[2], source]]) part.title = title;
      line.append(...parts);
      return line;
    }));
    $("[data-gets-more]", place).hidden = [...list.children].every((line) => line.offsetParent !== null);
  }
  function look() { showSums(); showGets(); }
  body.addEventListener("form:looked", look);
  look();
})();
