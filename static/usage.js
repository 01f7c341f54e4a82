// "Use in your bot": the platform that was chosen last comes first and open, in this browser, and a key that was just made
// stands in the lines. Both again whenever the lines come anew.
(() => {
  "use strict";
  const KEPT = "httpstep-bot";
  const find = (selector) => document.querySelector(selector);
  let chosen = "";
  try { chosen = localStorage.getItem(KEPT) || ""; } catch { /* this browser keeps nothing */ }

  function dress() {
    const input = find(`#usage input[name="bot"][value="${CSS.escape(chosen)}"]`);
    const tile = input?.closest(".bot");
    if (tile && !input.checked) {
      input.checked = true;
      tile.parentElement.prepend(tile, tile.nextElementSibling);
    }
    const token = find("#bot-token")?.textContent;
    if (token) for (const lines of document.querySelectorAll("#usage pre")) lines.textContent = lines.textContent.replaceAll("YOUR_API_KEY", token);
  }
  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.('#usage input[name="bot"]')) return;
    chosen = target.value;
    try { localStorage.setItem(KEPT, chosen); } catch { /* it lasts as long as this page */ }
  });
  // The lines above a new key grow by it, and would push it below the edge.
  document.body.addEventListener("htmx:afterSettle", ({ detail }) => {
    dress();
    if (detail.elt.id === "bot-key-made") detail.elt.scrollIntoView({ block: "nearest" });
  });
  document.body.addEventListener("htmx:oobAfterSwap", dress);
  dress();
})();
