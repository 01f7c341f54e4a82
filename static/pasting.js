// The box to paste into: a file is read into it, and a long list of requests is narrowed by what is typed.
(() => {
  "use strict";
  const on = (selector, type, act) => document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(found, event);
  });
  on("[data-read-into]", "change", async (input) => {
    const [file] = input.files;
    const box = document.querySelector(input.dataset.readInto);
    if (!file || !box) return;
    box.value = await file.text();
    document.querySelector("#paste-fill").click();
  });
  on("[data-filter]", "input", (input) => {
    const words = input.value.toLowerCase().split(/\s+/);
    const options = [...document.querySelector(input.dataset.filter).options];
    for (const option of options) option.hidden = !words.every((word) => option.text.toLowerCase().includes(word));
    const [first] = options.filter((option) => !option.hidden);
    if (first) first.selected = true;
  });
  on("[data-filter]", "keydown", (input, event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    document.querySelector("#paste-fill").click();
  });
  // The button says that it works until the answer is there.
  const fills = (type, text, busy) => document.body.addEventListener(type, ({ detail: { elt } }) => {
    if (elt.id === "paste-fill") Object.assign(elt, { textContent: text, ariaBusy: busy });
  });
  fills("htmx:beforeRequest", "Filling…", "true");
  fills("htmx:afterRequest", "Fill the form", null);
  on("#paste-curl > summary", "click", (summary) => { if (!summary.parentElement.open) setTimeout(() => document.querySelector("#at-curl").focus()); });
  on("#paste-operations", "dblclick", () => document.querySelector("#paste-fill").click());
})();
