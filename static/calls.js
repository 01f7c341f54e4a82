// New calls never push the row of the list of logs that somebody is about to press: they wait behind a button in its head.
// A test of one's own brings its row at once.
(() => {
  "use strict";
  const { body } = document;
  const find = (selector, root = document) => root.querySelector(selector);
  const idsOf = (list) => [...list.querySelectorAll("tbody .actions > a")].map((one) => one.id);

  // By the focus or a pointer, or, where no pointer says what comes, by the eyes.
  function somebodyIn(list) {
    const rows = find(".logs-body", list);
    if (!rows?.checkVisibility()) return false;
    if (find("[data-show-calls]", list) || list.matches(":hover") || list.contains(document.activeElement)) return true;
    const { top, bottom } = rows.getBoundingClientRect();
    return matchMedia("(hover: none)").matches && top < innerHeight && bottom > 0;
  }
  // The page knows them then, and what came beside them is shown.
  body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const list = document.getElementById("logs");
    if (detail.elt !== list || !detail.shouldSwap || detail.requestConfig.triggeringEvent?.detail?.own) return;
    const came = new DOMParser().parseFromString(detail.serverResponse, "text/html"), fresh = came.getElementById("logs");
    const shown = idsOf(list), more = fresh ? idsOf(fresh).filter((id) => !shown.includes(id)).length : 0;
    if (!shown.length || !more || !somebodyIn(list)) return;
    list.setAttribute("hx-vals", fresh.getAttribute("hx-vals"));
    fresh.remove();
    detail.serverResponse = came.body.innerHTML;
    detail.swapOverride = "none";
    const button = find("[data-show-calls]", list) || Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm" });
    Object.assign(button.dataset, { showCalls: "", then: "#logs tbody .actions > a" });
    button.textContent = `Show ${more} new call${more === 1 ? "" : "s"}`;
    find("[data-new-calls]", list).append(button);
  });
  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.("[data-show-calls]")) return;
    document.getElementById("logs").removeAttribute("hx-vals");
    body.dispatchEvent(new CustomEvent("logs:changed", { detail: { own: true } }));
  });
})();
