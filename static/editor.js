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
      const place = $("[data-chips]", node);
      const wanted = names.get(node.dataset.node) || [];
      if (!place || place.closest("[data-node]") !== node || place.textContent === wanted.map(([name]) => `→ {{${name}}}`).join("")) continue;
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
      if (!item.getAttribute("aria-label").toLowerCase().includes(text)) continue;
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
      for (const button of $$(".tree-map", other)) button.tabIndex = here ? 0 : -1;
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
    test = { began: Date.now(), was: mappingValues() };
    test.start = setTimeout(() => { showProgress(); announce(`Calling ${host()}.`); test.timer = setInterval(showProgress, 250); }, 300);
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "test-btn" || !test) return;
    clearTimeout(test.start);
    clearInterval(test.timer);
    $("#test-progress").hidden = true;
    test.ended = true;
    announce(event.detail.successful ? "The test has ended." : "The test did not work.");
  });
  body.addEventListener("htmx:sendAbort", (event) => {
    if (event.detail.elt.id !== "test-btn") return;
    const said = make("div", "banner banner-info");
    said.append(make("p", "", `Cancelled after ${seconds()} s. The connection to the API was closed.`));
    $("#test-result").replaceChildren(said);
    announce("Cancelled.");
    setTimeout(() => body.dispatchEvent(new CustomEvent("logs:changed")), 1500);
  });
  on("[data-cancel-test]", "click", () => htmx.trigger("#test-btn", "htmx:abort"));

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
    if (dirty) store.set(DRAFT, { at: Date.now(), pairs: pairs().map(([name, value]) => [name, value]) });
    else store.drop(DRAFT);
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
  on("[data-load-theirs]", "click", () => { leaving = true; store.drop(DRAFT); });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form:not(#step-form)")) leaving = true;
  });
  function offerDraft() {
    const draft = store.get(DRAFT);
    const offer = $("#draft-offer");
    if (!draft?.pairs || !offer || form().hasAttribute("data-typed")) return;
    if (JSON.stringify(draft.pairs.filter(([name]) => !name.startsWith("value:") && name !== "version").map(([name, value]) => [name, value, ""])) === saved) return;
    $("[data-draft-when]", offer).textContent = `, ${new Date(draft.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
    offer.hidden = false;
    $("[data-draft-drop]", offer).onclick = () => { offer.hidden = true; store.drop(DRAFT); };
    $("[data-draft-restore]", offer).onclick = () => {
      offer.hidden = true;
      const values = new FormData();
      for (const [name, value] of draft.pairs) values.append(name, value);
      htmx.ajax("POST", `/steps/${ref}/form`, { target: "#step-form", swap: "outerHTML", values });
    };
  }

  // ---- typing, and keys
  document.addEventListener("input", (event) => {
    const { target } = event;
    if (target.form?.id !== "step-form") return;
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
    if (event.detail.target.id === "mapping") {
      const row = ruleRows().at(-1);
      row?.classList.add("rule-new");
      if (wanted && row) $(wanted, row).focus();
      wanted = "";
    }
    changed();
  });
  body.addEventListener("htmx:oobAfterSwap", changed);
  body.addEventListener("htmx:load", () => $$("#branch").forEach((branch) => branch.removeAttribute("id")));
  if (location.hash === "#paste-curl" && $("#paste-curl")) { $("#paste-curl").open = true; $("#at-curl").focus(); }

  saved = form()?.hasAttribute("data-typed") ? "" : print();
  bringValues();
  offerDraft();
  paint();
  lookForNames(true);
  if (form()?.hasAttribute("data-typed")) showDirty(true);
})();
