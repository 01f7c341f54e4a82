// The step editor in the browser: rows, tabs, the tree, the progress of a test, and what is not saved yet.
// Everything here is comfort: without it the same buttons send the plain form.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const editor = $("[data-editor]");
  const ref = editor?.dataset.ref;
  const form = () => $("#step-form");
  const on = (selector, type, act) => document.addEventListener(type, (event) => {
    const found = event.target.closest?.(selector);
    if (found) act(found, event);
  });
  const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text ?? "" });

  // ---- tabs, of results and of code
  function showTab(tab) {
    const list = tab.closest('[role="tablist"]');
    for (const other of $$('[role="tab"]', list)) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
    }
  }
  on('[data-tabs] [role="tab"]', "click", (tab) => showTab(tab));
  on('[data-tabs] [role="tab"]', "keydown", (tab, event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = $$('[role="tab"]', tab.closest('[role="tablist"]'));
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    showTab(next);
    next.focus();
  });

  // ---- the log in the dialog: j and k
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    const link = event.key === "k" ? $("[data-log-newer]") : event.key === "j" ? $("[data-log-older]") : null;
    if (!link) return;
    if (link.hasAttribute("hx-get")) htmx.ajax("GET", link.getAttribute("hx-get"), "#modal-body"); else link.click();
  });
  if (!editor) return;

  // ---- rows of headers and fields
  let made = 0;
  on("[data-add-row]", "click", (button, event) => {
    event.preventDefault();
    const rows = $(button.dataset.addRow);
    const row = $(button.dataset.template).content.firstElementChild.cloneNode(true);
    made += 1;
    const number = rows.children.length + 1;
    for (const element of $$("[id]", row)) element.id = element.id.replace("-n-", `-added${made}-`);
    for (const element of $$("[aria-label]", row)) {
      element.setAttribute("aria-label", element.getAttribute("aria-label").replace(/(Header|Field|header|field) ?( |$)/, `$1 ${number}$2`));
    }
    rows.append(row);
    $("input", row).focus();
    changed();
  });
  on("[data-remove-row]", "click", (button, event) => {
    event.preventDefault();
    const row = button.closest("[data-row]");
    const next = row.nextElementSibling || row.previousElementSibling;
    const rows = row.parentElement;
    $$("input", row).forEach(mended);
    row.remove();
    ($("input", next || rows.closest(".field, fieldset")) || $("#at-request-url")).focus();
    changed();
  });
  on("[data-press]", "click", (button) => $(button.dataset.press)?.click());
  on("[data-shows]", "change", (select) => {
    for (const part of $$(`[data-shown^="${select.dataset.shows}:"]`)) part.hidden = part.dataset.shown !== `${select.dataset.shows}:${select.value}`;
  });
  function showWhereFieldsGo() {
    const words = $("[data-sent-in]");
    if (!words) return;
    const asked = $('[name="send_fields_in"]').value;
    const inUrl = asked === "url" || (asked === "auto" && ["GET", "HEAD", "DELETE", "OPTIONS"].includes($('[name="method"]').value));
    words.textContent = inUrl ? "Now: added to the URL, like ?name=value" : "Now: sent as the form-encoded body";
  }

  // ---- the mapping: rows, and the chips of the tree that show them
  const ruleRows = () => $$("[data-rule]", $("#mapping"));
  const nameOf = (row) => $(".rule-name", row).value.trim();
  function paint() {
    const names = new Map();
    const first = new Map();
    for (const row of ruleRows()) {
      const name = nameOf(row);
      if (!$(".rule-on", row).checked || !name) { sayDuplicate(row, ""); continue; }
      const source = $(".rule-source", row).value.trim();
      names.set(source, [...(names.get(source) || []), [name, row.id]]);
      sayDuplicate(row, first.has(name) ? `“${name}” is already filled by another row. Rename one of the two.` : "");
      first.set(name, row);
    }
    for (const node of $$("#test-result [data-node]")) {
      const place = $(":scope > :is(.tree-row, .tree-beside) > [data-chips]", node);
      const wanted = names.get(node.dataset.node) || [];
      if (!place || place.textContent === wanted.map(([name]) => `→ {{${name}}}`).join("")) continue;
      place.replaceChildren(...wanted.map(([name, id]) => {
        const chip = make("a", "chip tree-chip", `→ {{${name}}}`);
        chip.href = `#${id}`;
        return chip;
      }));
    }
  }
  function sayDuplicate(row, text) {
    const input = $(".rule-name", row);
    const old = $("[data-duplicate]", row);
    if ((old?.textContent || "") === text) return;
    old?.remove();
    if (!text) { if (old) input.removeAttribute("aria-invalid"); return; }
    const said = make("p", "field-error", text);
    said.dataset.duplicate = "";
    row.append(said);
    input.setAttribute("aria-invalid", "true");
  }
  let wanted = "";
  function addRule(values, focus) {
    wanted = focus;
    htmx.ajax("POST", `/steps/${ref}/mapping/rows`, { source: "#mapping-adder", target: "#mapping", swap: "outerHTML", values });
  }
  on("[data-map]", "click", (button, event) => {
    event.preventDefault();
    addRule({ path: button.closest("[data-node]").dataset.node }, "");
  });
  on("[data-add-rule]", "click", (button, event) => {
    event.preventDefault();
    const call = button.dataset.addRule;
    button.closest("details")?.removeAttribute("open");
    addRule(call ? { call } : {}, call && call !== "header:" ? ".rule-name" : ".rule-source");
  });
  on("[data-remove-rule]", "click", (button, event) => {
    event.preventDefault();
    const row = button.closest("[data-rule]");
    const said = make("li", "rule-removed", `Removed ${nameOf(row) || "the row"}.`);
    const undo = make("button", "btn btn-sm", "Undo");
    undo.type = "button";
    $$("input[id]", row).forEach(mended);
    undo.addEventListener("click", () => { said.replaceWith(row); $(".rule-name", row).focus(); changed(); });
    said.append(undo);
    row.replaceWith(said);
    undo.focus();
    setTimeout(() => said.remove(), 12000);
    $('[name="mapping_set"]').value = "1";
    changed();
  });
  on("[data-switch-rules]", "click", (button) => {
    for (const box of $$(".rule-on")) box.checked = button.dataset.switchRules === "on";
    changed();
  });
  on(".tree-chip[href]", "click", (chip, event) => {
    event.preventDefault();
    const row = $(chip.getAttribute("href"));
    row?.scrollIntoView({ block: "center" });
    $(".rule-name", row)?.focus({ preventScroll: true });
  });

  // ---- the tree: filter and keys
  on("[data-tree-filter]", "input", (input) => {
    const text = input.value.trim().toLowerCase();
    const tree = $(".tree", $("#test-result"));
    for (const item of $$("li", tree)) item.classList.toggle("filtered", text !== "");
    if (!text) return;
    for (const item of $$("li[data-node]", tree)) {
      if (!item.dataset.text.toLowerCase().includes(text)) continue;
      for (const below of $$("li", item)) below.classList.remove("filtered");
      for (let at = item; at && at !== tree; at = at.parentElement) {
        if (at.matches("li")) at.classList.remove("filtered");
        if (at.matches("details")) at.open = true;
      }
    }
  });
  const treeRows = () => $$(".tree .tree-row").filter((row) => row.offsetParent !== null);
  function rove(row) {
    for (const other of $$(".tree .tree-row")) {
      const here = other === row;
      other.tabIndex = here ? 0 : -1;
      for (const button of $$(":scope > :is(.tree-row, .tree-beside) .tree-map", other.closest("li"))) button.tabIndex = here ? 0 : -1;
    }
  }
  on(".tree-row", "focusin", (row) => rove(row));
  on(".tree-row", "keydown", (row, event) => {
    if (event.target !== row) return;
    const details = row.matches("summary") ? row.parentElement : null;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      const rows = treeRows();
      const next = rows[rows.indexOf(row) + move];
      if (next) { rove(next); next.focus(); }
    } else if (event.key === "ArrowRight" && details) { event.preventDefault(); details.open = true; }
    else if (event.key === "ArrowLeft") {
      event.preventDefault();
      if (details?.open) details.open = false;
      else $(":scope > summary", row.closest("ul").closest("details") || body)?.focus();
    } else if (event.key === "Enter" && !details) { event.preventDefault(); $("[data-map]", row)?.click(); }
  });

  // ---- a test: seconds going by, and Cancel
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
    test = { began: Date.now(), was: mappingValues(), pressed: document.activeElement === event.detail.elt };
    test.start = setTimeout(() => { showProgress(); announce(`Calling ${host()}.`); test.timer = setInterval(showProgress, 250); }, 300);
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "test-btn" || !test) return;
    clearTimeout(test.start);
    clearInterval(test.timer);
    $("#test-progress").hidden = true;
    test.ended = true;
    announce(event.detail.successful ? "The test has ended." : "The test did not work.");
    if (event.detail.xhr.status === 200) allMended();
    giveBackFocus();
  });
  // The button is switched off while it waits, and a focus in it is lost: back to it, unless somebody went elsewhere.
  function giveBackFocus() {
    const button = $("#test-btn");
    const at = document.activeElement;
    if (test?.pressed && !button.disabled && (!at || at === body || at.closest("#test-progress"))) button.focus({ preventScroll: true });
  }
  body.addEventListener("countdown:done", giveBackFocus);
  body.addEventListener("htmx:sendAbort", (event) => {
    if (event.detail.elt.id !== "test-btn") return;
    const said = make("div", "banner banner-info");
    said.append(make("p", "", `Cancelled after ${seconds()} s. The connection to the API was closed.`));
    $("#test-result").replaceChildren(said);
    announce("Cancelled.");
    setTimeout(() => body.dispatchEvent(new CustomEvent("logs:changed")), 1500);
  });
  on("[data-cancel-test]", "click", () => { test.pressed = true; htmx.trigger("#test-btn", "htmx:abort"); });

  // ---- errors go when their field is mended
  function placeOf(field) {
    const part = /^rule-.*-(take|convert|default)$/.exec(field.name)?.[1];
    return part ? $(".rule-name", field.closest("[data-rule]")).id.replace(/attribute$/, part) : field.id;
  }
  function mended(field) {
    const place = placeOf(field);
    if (!place) return;
    const error = document.getElementById(`${place.replace(/(mapping-\d+)-(take|default)$/, "$1-convert")}-error`);
    const group = error?.closest(".field-invalid") || field.closest(".field-invalid");
    error?.remove();
    if (!$("[data-duplicate]", field.closest("[data-rule]") || field)) field.removeAttribute("aria-invalid");
    const described = (field.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && id !== `${place}-error`).join(" ");
    if (described) field.setAttribute("aria-describedby", described); else field.removeAttribute("aria-describedby");
    if (group && !$(".field-error", group)) group.classList.remove("field-invalid");
    for (const link of $$(`#fault-summary a[href="#${CSS.escape(place)}"]`)) link.closest("li").remove();
    const summary = $("#fault-summary");
    const left = $$("li", summary || make("ul")).length;
    if (left) $("strong", summary).textContent = left === 1 ? "Fix this before saving" : `Fix these ${left} things before saving`;
    else summary?.remove();
  }
  // A test that was made had nothing to say against the form; only a name is not asked of it.
  function allMended() {
    for (const field of $$('[aria-invalid="true"]', form())) if (field.name !== "name") mended(field);
    $("#fault-summary")?.remove();
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
  on("[data-run-again]", "click", (link, event) => {
    event.preventDefault();
    const given = JSON.parse(link.dataset.given || "{}");
    for (const [name, value] of Object.entries(given)) {
      const input = $(`[name="${CSS.escape(`value:${name}`)}"]`);
      if (input) input.value = value;
    }
    $("#modal").close();
    $("#test-btn").click();
  });

  // ---- names in the form: an input for each under Test
  let known = "";
  function lookForNames(quietly = false) {
    const found = new Set();
    for (const input of $$("input[name], textarea[name]", form())) {
      if (input.closest("#mapping") || input.name.startsWith("value:")) continue;
      for (const [, name] of input.value.matchAll(/\{\{\s*([A-Za-z_][\w.-]{0,99})\s*\}\}/g)) found.add(name);
    }
    const now = [$('[name="auth_type"]')?.value, $('[name="body_mode"]:checked')?.value, ...[...found].sort()].join(" ");
    if (now === known) return;
    known = now;
    if (!quietly) body.dispatchEvent(new CustomEvent("names:changed"));
  }

  // ---- what is not saved yet
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
    paint();
    lookForNames();
    keepValues();
    markPreview();
    if (dirty) store.set(DRAFT, { at: Date.now(), pairs: pairs().map(([name, value]) => [name, value]) });
    else store.drop(DRAFT);
  }
  let previewed = "";
  const allTyped = () => JSON.stringify(pairs());
  body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.requestConfig.path.endsWith("/preview")) previewed = allTyped();
  });
  function markPreview() {
    const preview = $("#preview");
    if (!preview?.firstElementChild) return;
    const old = $("[data-outdated]", preview);
    if (allTyped() === previewed) { old?.remove(); return; }
    if (old) return;
    const said = make("p", "small preview-outdated", "The form has changed since.");
    said.dataset.outdated = "";
    preview.append(said);
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
    setTimeout(() => { isSaved(); paint(); });
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

  // ---- typing, and keys
  document.addEventListener("input", (event) => {
    const { target } = event;
    if (target.form?.id !== "step-form") return;
    mended(target);
    if (target.matches(".rule-name, .rule-on")) $$(".rule-name[aria-invalid]").filter((name) => /already filled/.test($(".field-error", name.closest("[data-rule]"))?.textContent)).forEach(mended);
    if (target.matches("[data-step-name]")) $("#step-title").textContent = target.value.trim() || (ref === "new" ? "New step" : "Step without a name");
    if (target.name === "alert_emails") $("[data-email-count]").textContent = `${target.value.split(/[,;\n]/).filter((one) => one.trim()).length}/10`;
    if (target.name === "method" || target.name === "send_fields_in") showWhereFieldsGo();
    changed();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (event.key.toLowerCase() === "s") { event.preventDefault(); form()?.requestSubmit($("[data-save]")); }
    if (event.key === "Enter" && !event.target.closest("dialog")) { event.preventDefault(); $("#test-btn")?.click(); }
  });
  let opened = [];
  body.addEventListener("htmx:beforeSwap", (event) => {
    if (["step-form", "mapping"].includes(event.detail.target.id)) opened = $$("details[open]", event.detail.target).map((one) => one.id || one.closest("[id]")?.id && `${one.closest("[id]").id} .${one.className}`);
  });
  body.addEventListener("htmx:afterSettle", (event) => {
    for (const id of opened) {
      const details = id && (document.getElementById(id) || (id.includes(" .") && $(`#${CSS.escape(id.split(" .")[0])} details.${id.split(" .")[1].split(" ")[0]}`)));
      if (details instanceof HTMLDetailsElement && !details.matches("[data-menu]")) details.open = true;
    }
    opened = [];
    if (event.detail.pathInfo?.requestPath === "/import/curl" && event.detail.xhr.status === 200) showFilled();
    if (event.detail.target.id === "mapping") {
      const row = ruleRows().at(-1);
      row?.classList.add("rule-new");
      if (wanted && row) $(wanted, row).focus();
      wanted = "";
    }
    changed();
  });
  // The form is filled from a command: its note stands at the top, and the name is the first thing to give.
  function showFilled() {
    $("#paste-curl").open = false;
    scrollTo(0, 0);
    $("[data-step-name]").focus({ preventScroll: true });
  }
  body.addEventListener("htmx:oobAfterSwap", changed);
  body.addEventListener("htmx:load", () => $$("#branch").forEach((branch) => branch.removeAttribute("id")));
  // The browser goes to the named part when all is loaded, and takes the focus away: after that it is given.
  function openCurl() {
    if (location.hash !== "#paste-curl" || !$("#paste-curl")) return;
    $("#paste-curl").open = true;
    $("#at-curl").focus();
  }
  addEventListener("hashchange", openCurl);
  if (document.readyState === "complete") openCurl(); else addEventListener("load", () => setTimeout(openCurl));

  // A curl command pasted into any field of a new step was meant for the whole form.
  document.addEventListener("paste", (event) => {
    const box = $("#at-curl"), pasted = event.clipboardData?.getData("text") || "";
    if (!box || event.target === box || !event.target.matches?.("input, textarea")) return;
    if (!/^\s*(?:\$\s+)?curl(?:\.exe)?\s+\S/.test(pasted)) return;
    event.preventDefault();
    $("#paste-curl").open = true;
    box.value = pasted;
    $("#paste-curl button").click();
  });

  saved = form()?.hasAttribute("data-typed") ? "" : print();
  bringValues();
  if (!form()?.hasAttribute("data-typed")) { keepDrafts(); offerDraft(); }
  paint();
  lookForNames(true);
  if (form()?.hasAttribute("data-typed")) showDirty(true);
})();
