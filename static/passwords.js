// A form that was refused comes back without its passwords, which no answer ever holds. They stay where they were typed,
// unless it is one of them that was refused.
(() => {
  "use strict";
  const { body } = document;
  const passwords = (root) => [...root.querySelectorAll("input[type=password]")];
  let typed = new Map();
  body.addEventListener("htmx:beforeSwap", ({ detail: { target, xhr } }) => {
    const kept = target.matches("[data-keeps-passwords]") && xhr.status === 422;
    typed = new Map(kept ? passwords(target).map((field) => [field.id, field.value]) : []);
  });
  body.addEventListener("htmx:afterSwap", () => {
    const fields = [...typed.keys()].map((id) => document.getElementById(id)).filter(Boolean);
    if (!fields.some((field) => field.matches("[aria-invalid]"))) for (const field of fields) field.value = typed.get(field.id);
    typed = new Map();
  });
})();
