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
  const { moves } = $("[data-editor]").dataset;
  const { user } = body.dataset;
  const form = () => $("#step-form");

  const TELLING = /authorization|cookie|key|token|secret|passw/i;
  const LEFT_OUT = ["csrf_token", "tested_log", "body_mode_was", "curl", "keep_secrets", "operation", "answer", "answer_for", "sample", "says", "op", "drift_log", "drift_kept", "before_remap"];
  const store = {
    get(key) { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } },
    set(key, value) { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* no room: no draft */ } },
    drop(key) { try { sessionStorage.removeItem(key); } catch { /* nothing there */ } },
  };
  const keyOf = (what) => `httpstep-${what}:${user}:${location.pathname}`;
  const isPlaceholder = (value) => /^(\w+ )?\{\{[^}]*\}\}$/.test(value.trim());
  const isSecret = (name, value) => (TELLING.test(name) || isCredentialName(name) || /^(bearer|basic) +\S/i.test(value)) && !isPlaceholder(value);
  // The rule by which the server masks (core/masking/redaction.py: is_credential_name).
  const ALWAYS = /^(proxy-authorization|authorization|(set-)?cookie2?)$|api-?_?key|(auth|access)-?_?key|(auth|access|private|session|security)-?_?token|^(x-)?token$|secret|passw/i;
  const CREDENTIALS = /^(token|secret|password|passwd|pwd|passphrase|passcode|pin|otp|sig|signature|auth|authorization|cookie|jwt|bearer|credentials?|apikey|appkey|appid|accesskey|sid|sessionid)$/;
  const KINDS_OF_KEY = /^(api|app|access|auth|private|secret|client|subscription|consumer|account|master|admin|license|session|shared|signing|encryption|service)$/;
  function isCredentialName(name) {
    if (ALWAYS.test(name)) return true;
    const words = (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) || []).map((word) => word.toLowerCase());
    const [before, last] = [words.at(-2), words.at(-1)];
    if (last === "key") return words.length === 1 || KINDS_OF_KEY.test(before);
    return (before === "session" && last === "id") || CREDENTIALS.test(last);
  }
  // Texts that may hold credentials: members of JSON, elements of XML, name=value, user:password@ in an address.
  const TEXTS = ["url", "json_text", "raw_text", "variables"];
  const IN_TEXT = new RegExp([
    String.raw`"(?<member>[^"\\]*(?:\\.[^"\\]*)*)"\s*:\s*(?<json>"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[^\s,\]}]*)`,
    String.raw`<(?<element>[\w:.-]+)[^<>]*>(?<xml>[^<]*)(?=<)`,
    String.raw`(?:^|[?&;#\n"])(?<parameter>[\w.[\]%+-]+)=(?<query>[^&#\s"<>]*)`,
    String.raw`(?<=:\/\/)(?<user>[^\/?#@\s"]*)(?=@)`,
  ].join("|"), "g");
  // change(name, value as written, what stands where there is none) -> what is written instead
  const withChanged = (text, change) => text.replace(IN_TEXT, (all, ...rest) => {
    const { member, json, element, xml, parameter, query, user } = rest.at(-1);
    const name = member ?? element ?? parameter;
    const value = json ?? xml ?? query ?? user;
    const before = all.slice(0, all.length - value.length);
    if (name !== undefined && !isCredentialName(name)) return before + (parameter === undefined ? withChanged(value, change) : value);
    return before + change(name ?? "@", value, json === undefined ? "" : '""');
  });
  function withoutCredentials(text) {
    const left = [];
    const kept = withChanged(text, (name, value, none) => {
      if (value === none || isPlaceholder(value.replace(/^"|"$/g, ""))) return value;
      left.push([name, value]);
      return none;
    });
    return { kept, left };
  }
  function withCredentials(text, there) {
    const left = [...there];
    return withChanged(text, (name, value, none) => {
      const place = value === none ? left.findIndex(([other]) => other === name) : -1;
      return place < 0 ? value : left.splice(place, 1)[0][1];
    });
  }
  function pairs() {
    const found = [...new FormData(form())].filter(([name, value]) => typeof value === "string" && !LEFT_OUT.includes(name) && !name.startsWith("remap-"));
    const secret = new Set($$('[data-secret="true"]', form()).map((input) => input.name));
    let row = "";
    return found.map(([name, value]) => {
      if (TEXTS.includes(name)) {
        const { kept, left } = withoutCredentials(value);
        return [name, kept, left.length ? left : ""];
      }
      if (name.startsWith("value:") && isSecret(name.slice(6), value)) return [name, "", value];
      if (name === "header_name" || name === "field_name") row = value;
      const hidden = (secret.has(name) || name === "header_value" || name === "field_value") && isSecret(secret.has(name) ? "key" : row, value);
      return [name, hidden ? "" : value, hidden ? value : ""];
    });
  }
  const isOfTheScreen = (name) => name.startsWith("value:") || ["version", "draft_id", "pasted"].includes(name);
  const print = () => JSON.stringify(pairs().filter(([name]) => !isOfTheScreen(name)));
  let saved = "";
  let leaving = false, thrownAway = false;
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
  const draftOf = (found) => ({ at: Date.now(), without: found.some(([, , hidden]) => hidden), pairs: found.map(([name, value]) => [name, value]) });
  function remember() {
    showDirty(print() !== saved);
    keepValues();
    if (dirty) store.set(keyOf("draft"), draftOf(pairs())); else store.drop(keyOf("draft"));
  }
  function look() {
    if (!form() || thrownAway) return; // a look that was waiting keeps nothing of it
    remember();
    body.dispatchEvent(new CustomEvent("form:looked"));
  }
  function keepValues() {
    const found = $$('[name^="value:"]').filter((input) => input.value && !isSecret(input.name.slice(6), input.value)).map((input) => [input.name, input.value]);
    store.set(keyOf("values"), Object.fromEntries(found));
  }
  // What was on the screen last in this tab, also where the newest test had another value. An address that asks for the
  // values of a certain call gets those.
  function bringValues() {
    const brought = [];
    for (const [name, value] of Object.entries(store.get(keyOf("values")) || {})) {
      const input = $(`[name="${CSS.escape(name)}"]`);
      if (!input || input.value === value || (input.value && location.search)) continue;
      input.value = value;
      brought.push(input);
    }
    if (brought.length) setTimeout(() => {
      for (const input of brought) input.dispatchEvent(new Event("input", { bubbles: true }));
      body.dispatchEvent(new CustomEvent("values:changed"));
    }, 50);
  }
  on('[name^="value:"]', "change", () => body.dispatchEvent(new CustomEvent("values:changed")));
  // Also what was typed a moment ago is guarded.
  addEventListener("beforeunload", (event) => {
    if (leaving) return;
    remember();
    if (dirty) event.preventDefault();
  });
  function leave() {
    if (!leaving) remember();
    leaving = true;
  }
  // A good Save leaves the form as it is, but for the fields it changed and nobody has typed into since.
  let sent = "", enabled = true;
  body.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt.id === "step-form") [sent, enabled] = [print(), form().elements.enabled?.checked]; });
  body.addEventListener("step:saved", ({ detail: { title, changed: fields } }) => {
    const untouched = print() === sent;
    for (const { name, nth, was, now } of fields) {
      const field = [...form().elements].filter((one) => one.name === name)[nth];
      const part = field?.type === "checkbox" ? "checked" : "value";
      if (field?.[part] === was) field[part] = now;
      if (field?.defaultValue === was) field.defaultValue = now; // a credential stays nowhere in the page
    }
    for (const note of $$("[data-until-saved]")) note.remove();
    $("#step-title").textContent = title;
    if ($("#step-off")) $("#step-off").hidden = enabled;
    titleWas = `${title} · httpstep`;
    saved = untouched ? print() : sent;
    look();
  });
  // A refusal brings the form as it was sent. Where more was typed since, the form stays, and only what is told is taken.
  body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.elt.id !== "step-form" || ![409, 422].includes(detail.xhr.status) || print() === sent) return;
    detail.shouldSwap = false;
    takeAlerts(new DOMParser().parseFromString(detail.xhr.responseText, "text/html"));
  });
  // The fields are not marked then: the summary has the sentences.
  function takeAlerts(answer) {
    for (const old of $$(":scope > [role=alert]", form())) old.remove();
    const alerts = $$("#step-form > [role=alert]", answer);
    for (const alert of alerts) for (const link of $$("[data-says]", alert)) link.textContent = link.dataset.says;
    form().prepend(...alerts);
  }
  let tested = null;
  body.addEventListener("htmx:beforeRequest", ({ detail }) => { if (detail.elt.id === "test-btn") tested = print(); });
  body.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.elt.id === "test-btn") tested = null; });
  body.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
    if (detail.target.id !== "step-form" || tested === null || print() === tested) return;
    detail.shouldSwap = false;
    takeAlerts(detail.fragment);
  });
  body.addEventListener("htmx:beforeOnLoad", ({ detail: { xhr } }) => {
    if (xhr.getResponseHeader("HX-Redirect")) leave();
  });
  addEventListener("pagehide", () => { if (!leaving) remember(); });
  on("[data-revert]", "click", (link, event) => {
    event.preventDefault();
    if (dirty && !confirm("Throw away what is not saved?")) return;
    leave();
    thrownAway = true;
    if (dirty) keepOffered([]); // with it goes what was offered before
    store.drop(keyOf("draft"));
    if (link.pathname === location.pathname) location.reload(); else location.assign(link.href);
  });
  on("[data-load-theirs]", "click", leave);
  // The step was deleted meanwhile: the plain form's answer is the page of a new one, filled in.
  body.addEventListener("htmx:responseError", ({ detail: { elt, xhr } }) => {
    if (elt.id !== "step-form" || xhr.status !== 404 || !xhr.getResponseHeader("X-Fault")) return;
    leave();
    form().submit();
  });
  document.addEventListener("submit", (event) => {
    const { target } = event;
    if (!target.matches("form:not(#step-form, [hx-post])")) return;
    remember();
    if (dirty && target.dataset.asksUnsaved && !confirm(target.dataset.asksUnsaved)) event.preventDefault(); else leave();
  });
  // What was not saved before is offered, newest first, and kept apart from the draft of what is typed meanwhile.
  const MOST_OFFERED = 3;
  const offered = () => store.get(keyOf("offered")) || [];
  const keepOffered = (drafts) => { if (drafts.length) store.set(keyOf("offered"), drafts.slice(0, MOST_OFFERED)); else store.drop(keyOf("offered")); };
  const told = (draft) => JSON.stringify(draft.pairs.filter(([name]) => !isOfTheScreen(name)).map(([name, value]) => [name, value, ""]));
  function keepDrafts() {
    const drafts = [store.get(keyOf("draft")), ...offered()].filter((draft) => draft?.pairs && told(draft) !== saved);
    keepOffered(drafts.filter((draft, place) => drafts.findIndex((other) => told(other) === told(draft)) === place));
  }
  function offerDraft() {
    const offer = $("#draft-offer");
    const [draft] = offered();
    if (!offer) return;
    offer.hidden = !draft;
    if (!draft) return;
    $("[data-draft-when]", offer).textContent = `, ${new Date(draft.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}${draft.without ? ", passwords and tokens apart" : ""}`;
    $("[data-draft-drop]", offer).onclick = () => { keepOffered([]); if (!dirty) store.drop(keyOf("draft")); offerDraft(); };
    $("[data-draft-restore]", offer).onclick = () => bringBack(draft);
  }
  async function bringBack(draft) {
    look();
    const replaced = dirty ? [store.get(keyOf("draft"))] : [];
    const values = new FormData();
    const now = pairs(); // a secret is in no draft: the one of the form stays
    const secretNow = (name, place) => now.filter(([other]) => other === name)[place]?.[2] || "";
    for (const [name, value] of draft.pairs) {
      const hidden = secretNow(name, values.getAll(name).length);
      values.append(name, Array.isArray(hidden) ? withCredentials(value, hidden) : value || hidden);
    }
    if (!values.has("version")) values.set("version", $('[name="version"]').value);
    const before = form();
    values.set("op", "redraw");
    await htmx.ajax("POST", moves, { target: "#step-form", swap: "outerHTML", values }).catch(() => {});
    if (form() === before) return; // it did not work: the offer stays
    keepOffered([...replaced, ...offered().slice(1)]);
    offerDraft();
  }

  Object.assign(httpstep, { changed, isCredentialName, isPlaceholder, credentialsIn: (text) => withoutCredentials(text).left });
  httpstep.typed = () => JSON.stringify(pairs());
  const typed = form().hasAttribute("data-typed");
  saved = typed ? "" : print();
  bringValues();
  if (typed) showDirty(true); else { keepDrafts(); offerDraft(); }
})();
