// What is typed and not saved yet: whether there is any, its copy in this tab, and the offer to bring it back.
// "form:looked" tells the rest of the editor that the form was looked at, a moment after it changed.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (selector, type, act) => document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(found, event);
  });
  const { ref } = $("[data-editor]").dataset;
  const form = () => $("#step-form");

  const SECRET = ["auth_password", "auth_token", "auth_value", "auth_client_secret"];
  const TELLING = /authorization|cookie|key|token|secret|passw/i;
  const LEFT_OUT = ["csrf_token", "tested_log", "body_mode_was", "curl", "keep_secrets", "sample", "op", "drift_log", "drift_kept", "before_remap"];
  const path = location.pathname;
  const store = {
    get(key) { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } },
    set(key, value) { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* no room: no draft */ } },
    drop(key) { try { sessionStorage.removeItem(key); } catch { /* nothing there */ } },
  };
  const DRAFT = `httpstep-draft:${path}`;
  const VALUES = `httpstep-values:${path}`;
  const isSecret = (name, value) => TELLING.test(name) && !/^(\w+ )?\{\{[^}]*\}\}$/.test(value.trim());
  function pairs() {
    const found = [...new FormData(form())].filter(([name, value]) => typeof value === "string" && !LEFT_OUT.includes(name) && !name.startsWith("remap-"));
    let row = "";
    return found.map(([name, value]) => {
      if (name === "header_name" || name === "field_name") row = value;
      const hidden = (SECRET.includes(name) || name === "header_value" || name === "field_value") && isSecret(SECRET.includes(name) ? "key" : row, value);
      return [name, hidden ? "" : value, hidden ? value : ""];
    });
  }
  const print = () => JSON.stringify(pairs().filter(([name]) => !name.startsWith("value:") && name !== "version"));
  let saved = "";
  let leaving = false;
  let dirty = false;
  let titleWas = document.title;
  function showDirty(now) {
    dirty = now;
    $("[data-dirty]").hidden = !now;
    document.title = (now ? "• " : "") + titleWas;
  }
  let waiting;
  function changed() {
    clearTimeout(waiting);
    waiting = setTimeout(look, 250);
  }
  function look() {
    if (!form()) return;
    showDirty(print() !== saved);
    keepValues();
    if (dirty) store.set(DRAFT, { at: Date.now(), pairs: pairs().map(([name, value]) => [name, value]) });
    else store.drop(DRAFT);
    body.dispatchEvent(new CustomEvent("form:looked"));
  }
  function keepValues(key = VALUES) {
    const found = $$('[name^="value:"]').filter((input) => input.value && !TELLING.test(input.name)).map((input) => [input.name, input.value]);
    store.set(key, Object.fromEntries(found));
  }
  function bringValues() {
    let brought = false;
    for (const [name, value] of Object.entries(store.get(VALUES) || {})) {
      const input = $(`[name="${CSS.escape(name)}"]`);
      if (!input || input.value) continue;
      input.value = value;
      brought = true;
    }
    if (brought) setTimeout(() => body.dispatchEvent(new CustomEvent("values:changed")), 50);
  }
  on('[name^="value:"]', "change", () => body.dispatchEvent(new CustomEvent("values:changed")));
  function isSaved() {
    saved = print();
    store.drop(DRAFT);
    showDirty(false);
  }
  addEventListener("beforeunload", (event) => {
    if (dirty && !leaving) event.preventDefault();
  });
  body.addEventListener("step:saved", (event) => {
    const title = event.detail.title;
    if (title) {
      $("#step-title").textContent = title;
      titleWas = `${title} · httpstep`;
    }
    setTimeout(isSaved);
  });
  body.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr } = event.detail;
    const there = xhr.getResponseHeader("HX-Redirect");
    if (!there) return;
    leaving = true;
    if (xhr.status < 300) {
      store.drop(DRAFT);
      keepValues(`httpstep-values:${new URL(there, location.href).pathname}`);
    }
  });
  on("[data-revert]", "click", (link, event) => {
    event.preventDefault();
    if (dirty && !confirm("Throw away what is not saved?")) return;
    leaving = true;
    store.drop(DRAFT);
    if (link.pathname === location.pathname) location.reload(); else location.assign(link.href);
  });
  on("[data-load-theirs]", "click", () => { leaving = true; look(); });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form:not(#step-form)")) leaving = true;
  });
  // What was not saved before is offered, newest first, and kept apart from the draft of what is typed meanwhile.
  const OFFERED = `httpstep-offered:${path}`;
  const MOST_OFFERED = 3;
  const offered = () => store.get(OFFERED) || [];
  const keepOffered = (drafts) => { if (drafts.length) store.set(OFFERED, drafts.slice(0, MOST_OFFERED)); else store.drop(OFFERED); };
  const told = (draft) => JSON.stringify(draft.pairs.filter(([name]) => !name.startsWith("value:") && name !== "version").map(([name, value]) => [name, value, ""]));
  function keepDrafts() {
    const drafts = [store.get(DRAFT), ...offered()].filter((draft) => draft?.pairs && told(draft) !== saved);
    keepOffered(drafts.filter((draft, place) => drafts.findIndex((other) => told(other) === told(draft)) === place));
  }
  function offerDraft() {
    const offer = $("#draft-offer");
    const [draft] = offered();
    if (!offer) return;
    offer.hidden = !draft;
    if (!draft) return;
    $("[data-draft-when]", offer).textContent = `, ${new Date(draft.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
    $("[data-draft-drop]", offer).onclick = () => { keepOffered(offered().slice(1)); offerDraft(); };
    $("[data-draft-restore]", offer).onclick = () => bringBack(draft);
  }
  async function bringBack(draft) {
    look();
    const replaced = dirty ? [store.get(DRAFT)] : [];
    const values = new FormData();
    for (const [name, value] of draft.pairs) values.append(name, value);
    const before = form();
    await htmx.ajax("POST", `/steps/${ref}/form`, { target: "#step-form", swap: "outerHTML", values }).catch(() => {});
    if (form() === before) return; // it did not work: the offer stays
    keepOffered([...replaced, ...offered().slice(1)]);
    offerDraft();
  }

  httpstep.changed = changed;
  httpstep.typed = () => JSON.stringify(pairs());
  const typed = form().hasAttribute("data-typed");
  saved = typed ? "" : print();
  bringValues();
  if (typed) showDirty(true); else { keepDrafts(); offerDraft(); }
})();
