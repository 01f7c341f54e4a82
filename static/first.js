// The first save makes the page of a new step the page of that step, without loading it: its address, and where its parts
// ask. What a request that was on its way brings with it asks there too.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const editor = $("[data-editor]");
  const form = () => $("#step-form");
  const base = editor.dataset.moves.replace(/\/move$/, "");
  let home = "";
  let version = "";

  body.addEventListener("htmx:configRequest", ({ detail }) => {
    if (home && detail.path.startsWith(`${base}/`)) detail.path = home + detail.path.slice(base.length);
  });
  function settle() {
    if (!home) return;
    form().action = home;
    const draft = $('[name="draft_id"]', form()), began = $('[name="version"]', form());
    if (draft.value || !began.value) began.value = version;
    draft.value = "";
  }
  body.addEventListener("htmx:afterSettle", settle);
  body.addEventListener("htmx:oobAfterSwap", settle);

  // What this tab keeps of the draft is the step's now. What was typed before, and is offered, waits for the next new step.
  // The sentence to try out stays in the browser from now on (says.js).
  function carry() {
    const keyOf = (what, path) => `httpstep-${what}:${body.dataset.user}:${path}`;
    try {
      for (const what of ["draft", "values", "says"]) {
        const kept = sessionStorage.getItem(keyOf(what, location.pathname));
        sessionStorage.removeItem(keyOf(what, location.pathname));
        if (kept && what !== "draft") (what === "says" ? localStorage : sessionStorage).setItem(keyOf(what, home), kept);
      }
    } catch { /* this browser keeps nothing */ }
  }
  // Nothing that somebody looks at moves: where the box to paste into stood, one line says how it goes on.
  const LINE = 56;
  function closePasting() {
    const box = $("#paste-box");
    const was = box.contains(document.activeElement);
    const height = $("#paste-curl", box)?.getBoundingClientRect().height || 0;
    const line = document.createElement("div"), button = document.createElement("button");
    Object.assign(button, { type: "button", className: "btn btn-sm", textContent: "Use in your bot" }).dataset.press = ".usage-menu > summary";
    line.className = "saved-line";
    line.style.height = `${Math.min(height, LINE)}px`;
    line.append("Next, let your bot call this step.", button);
    box.replaceChildren(line);
    if (height > LINE) scrollBy(0, LINE - height);
    if (was) $("[data-step-name]").focus({ preventScroll: true });
  }
  body.addEventListener("step:saved", ({ detail }) => {
    version = detail.changed.find(({ name }) => name === "version")?.now || version;
    if (home || editor.dataset.ref !== "new") return;
    home = detail.address;
    carry();
    history.replaceState(history.state, "", home);
    editor.dataset.ref = $("#picker-step").value = home.split("/").pop();
    $("[data-revert]").href = home;
    $("#draft-offer").hidden = true;
    $(".editor-log").hidden = false;
    closePasting();
    for (const button of $$("[data-needs-step]")) {
      button.disabled = false;
      button.removeAttribute("aria-describedby");
    }
    settle();
  });
})();
