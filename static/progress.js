// A test while it runs: seconds going by, Cancel, and what was typed into the mapping meanwhile.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (selector, type, act) => document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(found, event);
  });
  const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text ?? "" });

  let test = null;
  const seconds = () => Math.floor((Date.now() - test.began) / 1000);
  const announce = (text) => { $("#test-announce").textContent = text; };
  function showProgress() {
    const box = $("#test-progress");
    const most = Math.min(60, Number($('[name="timeout"]').value) || 60);
    box.hidden = false;
    $("[data-progress-text]", box).textContent = `Calling ${host()}… ${seconds()} s of ${most} s`;
    const bar = $("progress", box);
    bar.max = most;
    bar.value = (Date.now() - test.began) / 1000;
  }
  function host() {
    try { return new URL($("#at-request-url").value).hostname.includes("{{") ? "the API" : new URL($("#at-request-url").value).hostname || "the API"; } catch { return "the API"; }
  }
  body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.requestConfig.verb === "post") $(".flashes")?.remove();
    if (event.detail.elt.id !== "test-btn") return;
    test = { began: Date.now(), was: mappingValues(), pressed: document.activeElement === event.detail.elt, xhr: event.detail.xhr };
    $("#rate-limited").replaceChildren();
    $("[data-cancelled]")?.remove();
    $("#test-panel").classList.add("running");
    goThere();
    test.start = setTimeout(() => { showProgress(); announce(`Calling ${host()}.`); test.timer = setInterval(showProgress, 250); }, 300);
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "test-btn" || !test) return;
    clearTimeout(test.start);
    clearInterval(test.timer);
    $("#test-progress").hidden = true;
    $("#test-panel").classList.remove("running");
    test.ended = true;
    announce(event.detail.successful ? "The test has ended." : "The test did not work.");
    if (test.cancelled) sayCancelled();
    giveBackFocus();
  });
  // The button is switched off while it waits, and a focus in it is lost: back to it, unless somebody went elsewhere.
  function giveBackFocus() {
    const button = $("#test-btn");
    const at = document.activeElement;
    if (test?.pressed && !button.disabled && (!at || at === body || at.closest("#test-progress"))) button.focus({ preventScroll: true });
  }
  body.addEventListener("countdown:done", giveBackFocus);
  function sayCancelled() {
    const said = make("div", "banner banner-info");
    said.append(make("p", "", `Cancelled after ${seconds()} s. The connection to the API was closed.`));
    said.dataset.cancelled = "";
    $("#test-result .result-line")?.remove();
    $("#test-result").prepend(said);
    announce("Cancelled.");
    setTimeout(() => body.dispatchEvent(new CustomEvent("logs:changed", { detail: { own: true } })), 1500);
  }
  // An abort that was asked for is no error: it ends as an answer without content does.
  on("[data-cancel-test]", "click", () => {
    if (!test || test.ended) return;
    test.pressed = test.cancelled = true;
    test.xhr.onabort = test.xhr.onload;
    test.xhr.abort();
  });
  // In one column the panel may be far away from where Test was pressed.
  function goThere() {
    const top = (selector) => $(selector).getBoundingClientRect().top;
    if (innerWidth >= 1100 || (top("#test-result") > 0 && top("#test-result") < innerHeight - 240)) return;
    const fits = top("#test-result") - top("#test-panel") < innerHeight / 2;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    $(fits ? "#test-panel" : "#budget").scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
  }

  // What was typed into the mapping while the test ran is kept.
  const mappingValues = () => new Map($$("#mapping input[name], #mapping select[name], #mapping textarea[name]").map((input) => [input.name, input.type === "checkbox" ? input.checked : input.value]));
  body.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id !== "mapping" || !test || test.ended) return;
    for (const [name, value] of mappingValues()) {
      if (test.was.get(name) === value) continue;
      const input = $(`[name="${CSS.escape(name)}"]`, event.detail.fragment);
      if (!input || input.type === "hidden") continue;
      if (input.type === "checkbox") input.checked = value; else input.value = value;
    }
  });
  // The call of a log once more, with the form as it is now: the test names the log, whose values then come back with it.
  let again = null;
  body.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.id === "test-btn" && again) event.detail.parameters.again = again;
  });
  on("[data-run-again]", "click", (link, event) => {
    if (!$("#test-btn")) return;
    event.preventDefault();
    $("#modal").close();
    again = link.dataset.runAgain;
    $("#test-btn").click();
    again = null;
  });
})();
