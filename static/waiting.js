// What changes the form comes first: a Test or Save that is pressed meanwhile waits, and is made with what has come.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const SETTLED = htmx.config.defaultSettleDelay + 10; // ms after an answer: htmx knows the new form then
  const underWay = new Map(); // request -> its op; "save" of a Save
  const waiting = new Set();
  const sentAfter = new WeakMap(); // a test -> how often the form had been filled
  let fills = 0;
  let saving = ""; // what the Save that is on its way was sent with

  const changesForm = ({ elt, target }) => target?.id === "step-form" || Boolean(elt.closest("#step-form") && !elt.closest("#test-aside"));
  const opOf = ({ elt, requestConfig }) => (elt.id === "step-form" ? "save" : requestConfig.parameters.op || "");
  const isFill = (op) => ["curl", "answer", "redraw"].includes(op);

  const SAID = "The test begins when the form is ready.";
  function say() {
    const box = $("#test-progress"), text = $("[data-progress-text]", box);
    if (!waiting.has("test")) { if (text.textContent === SAID) box.hidden = true; return; }
    box.hidden = false;
    $("#test-announce").textContent = text.textContent = SAID;
    $("progress", box).removeAttribute("value");
  }
  body.addEventListener("htmx:confirm", (event) => {
    const { elt } = event.detail;
    const what = elt.id === "test-btn" ? "test" : elt.id === "step-form" ? "save" : "";
    if (!what || !underWay.size) return;
    event.preventDefault();
    const again = what === "save" && [...underWay.values()].includes("save");
    if (again && httpstep.typed() === saving) return; // pressed twice, it is one
    if (what === "save" && !again) httpstep.toast({ text: "It is saved when the form is ready.", kind: "info" });
    waiting.add(what);
    say();
  });
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("[data-cancel-test]") && waiting.delete("test")) say();
  });
  body.addEventListener("htmx:beforeSend", ({ detail }) => {
    const { xhr } = detail;
    if (detail.elt.id === "test-btn") sentAfter.set(xhr, fills);
    if (!changesForm(detail)) return;
    const op = opOf(detail);
    underWay.set(xhr, op);
    if (op === "save") saving = httpstep.typed();
    xhr.addEventListener("loadend", () => {
      if (isFill(op) && xhr.status === 200) fills += 1;
      setTimeout(() => ended(xhr, op), SETTLED);
    });
  });
  function ended(xhr, op) {
    underWay.delete(xhr);
    if (isFill(op) && (xhr.status !== 200 || $("#paste-operations"))) forget();
    if (underWay.size) return;
    const asked = [...waiting];
    quit();
    for (const what of asked) if (what === "test") $("#test-btn").click(); else $("#step-form").requestSubmit($("[data-save]"));
  }
  function forget() {
    if (waiting.size) httpstep.toast({ text: "The form was not filled, so it is neither tested nor saved.", kind: "warning" });
    quit();
  }
  function quit() {
    if (!waiting.size) return;
    waiting.clear();
    say();
  }
  // What is said against the form as it was before it was filled is not said of the new one.
  body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.requestConfig.elt.id !== "test-btn" || detail.xhr.status !== 422 || sentAfter.get(detail.xhr) === fills) return;
    detail.shouldSwap = false;
    httpstep.toast({ text: "The form was filled while the test was looked at. No call was made: press Test again.", kind: "info" });
  });
})();
