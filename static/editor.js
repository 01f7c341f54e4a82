// The step editor in the browser: tabs, rows, the mapping, errors, keys. Beside it: drafts.js, progress.js, tree.js.
// Everything here is comfort: without it the same buttons send the plain form.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const editor = $("[data-editor]");
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
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=radio]), textarea, select")) return;
    const link = event.key === "k" ? $("[data-log-newer]") : event.key === "j" ? $("[data-log-older]") : null;
    link?.click();
  });
  if (!editor) return;
  const { changed } = httpstep;

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
    $("input:not([type=hidden])", row).focus();
    changed();
  });
  on("[data-remove-row]", "click", (button, event) => {
    event.preventDefault();
    const row = button.closest("[data-row]");
    const next = row.nextElementSibling || row.previousElementSibling;
    const rows = row.parentElement;
    $$("input", row).forEach(mended);
    row.remove();
    ($("input:not([type=hidden], [type=radio])", next || rows.closest(".field, fieldset")) || $("#at-request-url")).focus();
    changed();
  });
  on("[data-press]", "click", (button) => {
    const other = $(button.dataset.press);
    other?.click();
    if (other?.matches("summary")) other.focus();  // and from there the next stop is in what it opened
  });
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
      sayDuplicate(row, first.has(name) && !saidAlready(row) ? `“${name}” is already filled by another row. Rename one of the two.` : "");
      first.set(name, row);
    }
    for (const why of $$("[data-in-front]")) why.hidden = ![...first.keys()].some((name) => name.startsWith(why.dataset.inFront));
    for (const node of $$("#test-result [data-node]")) {
      const place = $(":scope > :is(.tree-row, .tree-beside) > [data-chips]", node);
      const wanted = names.get(node.dataset.node) || [];
      if (place && httpstep.tick?.(node, place, wanted)) continue;
      if (!place || !$("span", place) && place.textContent === wanted.map(([name]) => `→ {{${name}}}`).join("")) continue;
      place.replaceChildren(...wanted.map(([name, id]) => pill(name, `#${id}`)));
    }
  }
  // Leads to the row that maps a value. Cut in front, as in _macros.html: names of a step often begin alike.
  function pill(name, href) {
    const link = Object.assign(make("a", "chip tree-chip"), { href, title: name, tabIndex: -1 });
    link.append(Object.assign(make("bdi", "", `→ {{${name}}}`), { dir: "ltr" }));
    return link;
  }
  const saidAlready = (row) => $(".field-error:not([data-duplicate])", row)?.textContent.includes("already filled");
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
  const opOf = (event) => event.detail.requestConfig?.parameters?.op;
  let wanted = "";
  let before = new Set();
  function addRule(op, focus) {
    wanted = focus;
    htmx.ajax("POST", editor.dataset.moves, { source: "#mapping-adder", target: "#mapping", swap: "outerHTML", values: { op } });
  }
  on("[data-map]", "click", (button, event) => {
    event.preventDefault();
    const node = button.closest("[data-node]");
    if (!httpstep.turn(node, true)) addRule(`map:${node.dataset.node}`, "tree");
  });
  on("[data-add-rule]", "click", (button, event) => {
    event.preventDefault();
    const call = button.dataset.addRule;
    button.closest("details")?.removeAttribute("open");
    addRule(`add_rule:${call}`, call && call !== "header:" ? ".rule-name" : ".rule-source");
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
    const title = $("strong", summary || make("p"));
    if (left) title.textContent = `${left === 1 ? "Fix this" : `Fix these ${left} things`} before ${title.dataset.before}`;
    else summary?.remove();
  }
  // A test that was made had nothing to say against the form; only a name is not asked of it. Nor had a good Save.
  function allMended(but) {
    for (const field of $$('[aria-invalid="true"]', form())) if (field.name !== but) mended(field);
    $("#fault-summary")?.remove();
  }
  body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id === "test-btn" && event.detail.xhr.status === 200) allMended("name");
  });
  body.addEventListener("step:saved", () => allMended());

  // ---- names in the form: an input for each under Test
  let known = "";
  function namesUsed() {
    const found = new Set();
    for (const input of $$("input[name], textarea[name]", form())) {
      if (input.closest("#mapping, #test-aside")) continue;
      for (const [, name] of input.value.matchAll(/\{\{\s*([A-Za-z_][\w.-]{0,99})\s*\}\}/g)) found.add(name);
    }
    return found;
  }
  function lookForNames(quietly = false) {
    const found = namesUsed();
    const now = [$('[name="auth_type"]')?.value, $('[name="body_mode"]:checked')?.value, ...[...found].sort()].join(" ");
    if (now === known) return;
    known = now;
    if (!quietly) body.dispatchEvent(new CustomEvent("names:changed"));
  }
  // ---- what is typed while an answer is on its way
  httpstep.keepTyped(form, {
    putBack(field) { field.dispatchEvent(new Event("input", { bubbles: true })); },
    gone(place) { if (/^rule-.*-attribute /.test(place)) $(`#mapping [name="${CSS.escape(place.split(" ")[0])}"]`)?.closest("[data-rule]").remove(); },
  });

  // ---- the preview of the request says when it is old
  let previewed = "";
  body.addEventListener("htmx:beforeRequest", (event) => {
    if (opOf(event) === "preview") previewed = httpstep.typed();
  });
  function markPreview() {
    const preview = $("#preview");
    if (!preview?.firstElementChild) return;
    const old = $("[data-outdated]", preview);
    if (httpstep.typed() === previewed) { old?.remove(); return; }
    if (old) return;
    const said = make("p", "small preview-outdated", "The form has changed since.");
    said.dataset.outdated = "";
    preview.append(said);
  }

  // ---- typing, and keys
  document.addEventListener("input", (event) => {
    const { target } = event;
    if (target.form?.id !== "step-form") return;
    mended(target);
    if (target.matches(".rule-name, .rule-on")) $$(".rule-name[aria-invalid]").filter((name) => /already filled/.test($(".field-error", name.closest("[data-rule]"))?.textContent)).forEach(mended);
    if (target.matches("[data-step-name]")) $("#step-title").textContent = target.value.trim() || (editor.dataset.ref === "new" ? "New step" : "Step without a name");
    if (target.name === "alert_emails") $("[data-email-count]").textContent = `${target.value.split(/[,;\n]/).filter((one) => one.trim()).length}/10`;
    if (target.name === "method" || target.name === "send_fields_in") showWhereFieldsGo();
    changed();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (event.key.toLowerCase() === "s") { event.preventDefault(); form()?.requestSubmit($("[data-save]")); }
    if (event.key === "Enter" && !event.target.closest("dialog")) { event.preventDefault(); $("#test-btn")?.click(); }
  });
  let opened = [], nameBefore = "", suggested = "";
  body.addEventListener("htmx:beforeSwap", (event) => {
    nameBefore = $("[data-step-name]").value;
    before = new Set(ruleRows().map((row) => row.dataset.rule));
    if (["step-form", "mapping"].includes(event.detail.target.id)) opened = $$("details[open]", event.detail.target).filter((one) => !one.closest("#test-aside")).map((one) => one.id || one.closest("[id]")?.id && `${one.closest("[id]").id} .${one.className}`);
  });
  body.addEventListener("htmx:afterSettle", (event) => {
    for (const id of opened) {
      const details = id && (document.getElementById(id) || (id.includes(" .") && $(`#${CSS.escape(id.split(" .")[0])} details.${id.split(" .")[1].split(" ")[0]}`)));
      if (details instanceof HTMLDetailsElement && !details.matches("[data-menu]")) details.open = true;
    }
    opened = [];
    if (["curl", "answer"].includes(opOf(event)) && event.detail.xhr.status === 200) showFilled();
    if (event.detail.target.id === "mapping") {
      const added = ruleRows().filter((row) => !before.has(row.dataset.rule));
      for (const row of added) row.classList.add("rule-new");
      paint();
      const row = added.at(-1);
      if (wanted === "tree") httpstep.nameInTree(added); else if (wanted && row) $(wanted, row).focus();
      wanted = "";
    }
    changed();
  });
  // The form is filled from a command: its note stands at the top, and the name is the first thing to give. One that was
  // suggested goes with the first letter that is typed.
  function showFilled() {
    if ($("#paste-operations")) { $("#paste-search").focus(); return; }
    $("#paste-curl").open = false;
    scrollTo(0, 0);
    const name = $("[data-step-name]"), first = $('[name="answer"]') || name;
    first.focus({ preventScroll: true });
    if (name.value !== nameBefore) suggested = name.value;
    if (first === name && name.value === suggested) name.select();
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
    if (!/^\s*(?:(?:\$\s+)?curl(?:\.exe)?\s+\S|(?:await\s+)?fetch\()/.test(pasted)) return;
    event.preventDefault();
    $("#paste-curl").open = true;
    box.value = pasted;
    $("#paste-fill").click();
  });

  // The budget is free again: ask for what changes by itself.
  body.addEventListener("countdown:done", () => body.dispatchEvent(new CustomEvent("logs:changed")));
  body.addEventListener("form:looked", () => { paint(); lookForNames(); markPreview(); });
  Object.assign(httpstep, { paint, namesUsed, pill });
  setTimeout(paint);
  lookForNames(true);
})();
