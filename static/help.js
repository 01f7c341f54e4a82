// Help in place: "?" shows the keys, and a header's value is suggested by its name.
(() => {
  "use strict";
  const { body } = document;
  const showKeys = () => body.dispatchEvent(new CustomEvent("modal:open", { detail: { value: "#keys-dialog" } }));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, textarea, select, dialog") || !document.querySelector("#keys-dialog")) return;
    event.preventDefault();
    showKeys();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-keys]");
    if (!link) return;
    event.preventDefault();
    link.closest("details")?.removeAttribute("open");
    showKeys();
  });
  document.addEventListener("focusin", ({ target }) => {
    if (!target.matches?.('input[name="header_value"]')) return;
    const name = target.closest("[data-row]").querySelector('[name="header_name"]').value.trim().toLowerCase();
    const list = `header-values-${name}`;
    if (document.getElementById(list)) target.setAttribute("list", list); else target.removeAttribute("list");
  });
})();
