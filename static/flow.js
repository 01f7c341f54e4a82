// The flow editor: says what is not saved, keeps a copy of it in this tab, and shows the fields a condition needs.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const page = $("[data-flow]");
  const form = () => $("#flow-form");
  const DRAFT = `httpstep-draft:${document.body.dataset.user}:${location.pathname}`;
  const SENT = `httpstep-draft:${document.body.dataset.user}:sent`;
  const VALUES = `httpstep-values:${document.body.dataset.user}:flow`;
  const read = (key) => { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } };
  const write = (key, value) => { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* no room: no draft */ } };
  const drop = (key) => { try { sessionStorage.removeItem(key); } catch { /* nothing there */ } };

  const pairs = () => [...new FormData(form())].filter(([name]) => !["csrf_token", "op", "overwrite"].includes(name));
  // The first save makes the key, and every save the version: neither tells whether something is typed.
  const print = (found) => JSON.stringify(found.filter(([name]) => !/^(version|key|value:.*)$/.test(name)));
  const keyIn = (found) => found.find(([name]) => name === "key")?.[1];
  const same = (draft, now) => print(draft) === print(now) && (!keyIn(draft) || keyIn(draft) === keyIn(now));

  let dirty = page.hasAttribute("data-typed");
  let leaving = false;
  function changed() {
    dirty = true;
    const mark = $("[data-dirty]");
    if (mark) mark.hidden = false;
    write(DRAFT, pairs());
    showFirst();
  }
  // The button that comes next: Test until one is good, then Save, and neither when all of it is saved.
  const all = () => JSON.stringify(pairs());
  let asked = "", good = "";
  function showFirst() {
    const first = good !== all() ? "test" : dirty ? "save" : "";
    for (const button of document.querySelectorAll("[data-first]")) button.classList.toggle("btn-primary", button.dataset.first === first);
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "test-btn") return;
    good = $("#flow-result > .cluster > .badge-green") ? asked : "";
    showFirst();
  });

  // What is typed while an answer is on its way stays in the row where it is then.
  function placeAfter(row, op) {
    const [word, moved] = [op.split(":")[0], Number(op.split(":")[1])];
    if (word === "remove") return row === moved ? null : row - (row > moved);
    const other = { up: moved - 1, down: moved + 1 }[word];
    return row === moved ? other ?? row : row === other ? moved : row;
  }
  httpstep.keepTyped(form, {
    moved(place, op) {
      const [name, row] = place.split(" ");
      return /^(step|when|attribute|value)$/.test(name) ? `${name} ${placeAfter(Number(row), op)}` : place;
    },
    putBack(field) { for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true })); },
  });
  const showConditions = () => document.querySelectorAll(".flow-when").forEach((one) => { one.dataset.when = $("[data-when-choice]", one).value; });
  document.addEventListener("input", (event) => {
    if (event.target.form?.id !== "flow-form") return;
    if (event.target.name?.startsWith("value:")) { showFirst(); return; }
    showConditions();
    changed();
    // What was wrong is being mended; the next test or Save looks anew.
    const field = event.target.closest(".field-invalid");
    field?.classList.remove("field-invalid");
    field?.querySelectorAll(".field-error").forEach((error) => error.remove());
    event.target.removeAttribute("aria-invalid");
    if (!$(".field-invalid")) $("#fault-summary")?.remove();
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id === "flow-form") changed();
    if (event.target.id === "flow-result") $("#fault-summary")?.focus();
  });

  // Leaving: a Save is known to have worked where the page it leads to has what was sent.
  document.addEventListener("submit", (event) => {
    leaving = true;
    if (event.target.id !== "flow-form") return;
    write(SENT, { key: DRAFT, pairs: pairs() });
    keepValues();
  });
  const keepValues = () => write(VALUES, pairs().filter(([name]) => name.startsWith("value:")));
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-revert]")) { leaving = true; drop(DRAFT); keepValues(); }
    if (event.target.closest("[data-cancel-test]")) cancel();
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => { if (event.detail.xhr.getResponseHeader("HX-Redirect")) leaving = true; });
  window.addEventListener("beforeunload", (event) => { if (dirty && !leaving) event.preventDefault(); });
  let running = null;
  document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt.id === "test-btn") { running = event.detail.xhr; asked = all(); } });
  function cancel() {
    running.onabort = running.onload; // an abort that was asked for is no error
    running.abort();
    $("#flow-result").replaceChildren(Object.assign(document.createElement("p"), { textContent: "Cancelled. The step that was running is logged; no further one was begun." }));
    setTimeout(() => document.body.dispatchEvent(new CustomEvent("budget:changed")), 1500); // the server ends the call within a second
  }
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey)) return;
    const button = event.key === "s" ? $("[data-save]") : event.key === "Enter" ? $("#test-btn") : null;
    if (button) { event.preventDefault(); button.click(); }
  });

  function offer() {
    const draft = read(DRAFT);
    const banner = $("#draft-offer");
    if (!banner || !draft || same(draft, pairs())) { drop(DRAFT); return; }
    banner.hidden = false;
    const done = () => { banner.hidden = true; };
    $("[data-draft-drop]", banner).addEventListener("click", () => { drop(DRAFT); done(); });
    $("[data-draft-restore]", banner).addEventListener("click", async () => {
      const values = new FormData();
      for (const [name, value] of draft) values.append(name, value);
      await htmx.ajax("POST", `${page.dataset.flow}/move`, { target: "#flow-form", swap: "outerHTML", values });
      done();
    });
  }
  // Save and Undo changes load the page again: what was typed to test with is worth keeping, and newer than a sample.
  for (const [name, value] of read(VALUES) || []) {
    const field = form().elements[name];
    if (field) field.value = value;
  }
  drop(VALUES);
  const sent = read(SENT);
  drop(SENT);
  if (dirty) return;
  if (sent && same(sent.pairs, pairs())) drop(sent.key);
  offer();
})();
