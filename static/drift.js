// The dialog of a changed structure. Nothing that comes by itself takes it from whoever looks at it, nor a place that was
// chosen for a moved row; what is pressed in it leaves it open while there is something to look at.
(() => {
  "use strict";
  const { body } = document;
  const dialog = () => document.querySelector("#drift-dialog");
  const hasChosen = (banner) => [...banner.querySelectorAll("select")].some((one) => !one.selectedOptions[0]?.defaultSelected && one.selectedIndex);
  body.addEventListener("htmx:beforeRequest", (event) => {
    const { elt } = event.detail;
    if (elt.id === "drift-banner" && (dialog()?.open || hasChosen(elt))) event.preventDefault();
  });
  let wasOpen = false;
  const remember = ({ detail }) => { if (detail.target.id === "drift-banner") wasOpen = Boolean(dialog()?.open); };
  body.addEventListener("htmx:beforeSwap", remember);
  body.addEventListener("htmx:oobBeforeSwap", remember);
  body.addEventListener("htmx:afterSettle", () => {
    if (wasOpen && dialog() && !dialog().open) body.dispatchEvent(new CustomEvent("modal:open", { detail: { value: "#drift-dialog" } }));
    wasOpen = false;
  });
  document.addEventListener("change", ({ target }) => {
    if (target.matches?.("[data-shows-value]")) target.closest(".drift-row").querySelector(".drift-now .mono").textContent = target.selectedOptions[0].dataset.value || "–";
  });
})();
