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
  on("#paste-curl > summary", "click", (summary) => { if (!summary.parentElement.open) setTimeout(() => document.querySelector("#at-curl").focus()); });
  on("#paste-operations", "dblclick", () => document.querySelector("#paste-fill").click());
})();
