// A condition that was taken from the tree stands elsewhere on the page: it flashes there, and the notice of it can undo it.
(() => {
  "use strict";
  const { body } = document;
  const rows = () => [...document.querySelectorAll("#success-when .condition")].filter((row) => row.querySelector('[name="success_source"]'));
  const told = (row) => JSON.stringify([...row.querySelectorAll("[name]:not(button)")].map((field) => field.value));
  let added = "";
  body.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (detail.target.id !== "success-when" || !detail.requestConfig?.parameters?.op?.startsWith("add_condition:$")) return;
    const row = rows().at(-1);
    if (!row) return;
    row.classList.add("rule-new");
    added = told(row);
  });
  // Of what was typed into it since, nothing is taken back.
  body.addEventListener("toast:undo", ({ detail }) => {
    if (detail.what !== "condition") return;
    const row = rows().findLast((one) => told(one) === added);
    if (row) row.querySelector('[value^="remove_condition:"]').click();
  });
})();
