// The answer beside the form: the values for test as chips, what the bot gets, and folds that keep their state and say what is in them.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text ?? "" });
  const form = () => $("#step-form");

  // ---- folds: what was opened or closed by hand stays so through every swap
  const FOLDS = ".part[id], .part-section[id], #values-for-test, #options, #success-when";
  const kept = new Map();
  document.addEventListener("click", (event) => {
    const summary = event.target.closest?.("summary");
    if (summary?.parentElement.matches(FOLDS)) kept.set(summary.parentElement.id, !summary.parentElement.open);
  });
  // On a phone a saved step is its headings, each with what is in it, around the answer.
  if (innerWidth <= 480 && $("[data-editor]").dataset.ref !== "new" && !$('[aria-invalid="true"], [data-conflict]', form())) {
    for (const fold of $$(".part-section[id]")) { fold.open = false; kept.set(fold.id, false); }
    if (location.hash === "#logs") openLogs();
  }
  function openLogs() {
    const logs = $("#part-logs");
    if (!logs) return;
    logs.open = true;
    kept.set(logs.id, true);
  }
  document.addEventListener("click", ({ target }) => { if (target.closest?.('a[href="#logs"]')) openLogs(); });
  // What was opened since, for a fault or by whoever is in it now, never folds by itself.
  function keepFolds() {
    for (const [id, open] of kept) {
      const fold = document.getElementById(id);
      if (!fold) continue;
      const at = document.activeElement;
      const used = $('[aria-invalid="true"]', fold) || (at !== $("summary", fold) && fold.contains(at));
      if (used) kept.set(id, true);
      fold.open = open || Boolean(used);
    }
  }
  body.addEventListener("htmx:afterSettle", keepFolds);
  body.addEventListener("htmx:oobAfterSwap", keepFolds);
  // A field that a link or the keyboard leads to is never behind a closed fold.
  document.addEventListener("focusin", ({ target }) => {
    for (let fold = target.closest("details:not([open])"); fold; fold = fold.parentElement.closest("details:not([open])")) {
      if (target === $("summary", fold)) continue;
      fold.open = true;
      if (kept.has(fold.id)) kept.set(fold.id, true);
    }
  });

  // ---- the values for test fold to chips with the answer they gave
  const values = () => $$('[name^="value:"]');
  body.addEventListener("htmx:afterRequest", ({ detail }) => {
    const box = $("#values-for-test");
    if (!box || detail.elt.id !== "test-btn" || detail.xhr.status !== 200) return;
    kept.delete(box.id);
    if (!values().every((input) => input.value.trim())) return;
    left = box.contains(document.activeElement) ? document.activeElement.name : "";
    box.open = false;
    if (left) $("summary", box).focus({ preventScroll: true });
  });
  // Whoever opens them wants to type another: the first, or the one whose chip was pressed.
  document.addEventListener("click", ({ target }) => {
    const summary = target.closest?.("#values-for-test > summary");
    if (!summary || summary.parentElement.open) return;
    const chip = target.closest("[data-chip-of]")?.dataset.chipOf;
    setTimeout(() => {
      const input = (chip && document.getElementById(chip)) || values()[0];
      input?.focus();
      input?.select();
    });
  });
  // Whoever was in one of them and types on is in it again.
  let left = "";
  document.addEventListener("keydown", (event) => {
    if (!left || !event.target.matches?.("#values-for-test > summary")) return;
    if (event.key.length > 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
    event.target.parentElement.open = true;
    values().find((input) => input.name === left)?.focus();
  });
  document.addEventListener("input", ({ target }) => {
    if (!target.name?.startsWith("value:")) return;
    const chip = $(`[data-chip-of="${target.id}"] > span`);
    if (chip) chip.textContent = target.value;
  });

  // ---- Enter does the harmless thing: it tests where the call only reads, adds a row in the last one, and never saves
  const READS = ["GET", "HEAD", "OPTIONS"];
  function enterTests() {
    const button = $("#test-btn");
    if (READS.includes($('[name="method"]', form()).value)) button?.click(); else button?.focus();
  }
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.key !== "Enter" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (!target.matches?.("input, #at-request-url") || target.form?.id !== "step-form") return;
    event.preventDefault();
    const row = target.closest("[data-row]");
    if (target.id === "at-request-url" || target.name.startsWith("value:")) enterTests();
    else if (row && !row.nextElementSibling) $(`[data-add-row="#${row.parentElement.id}"]`)?.click();
    else if (row) $("input:not([type=hidden])", row.nextElementSibling).focus();
    else if (target.name === "answer") $('[name="op"][value="answer"]')?.click();
    else if (target.name === "curl" || target.id === "paste-search") $("#paste-fill")?.click();
  });

  // ---- the button that moves rows says what it will do, by what is chosen
  document.addEventListener("change", ({ target }) => {
    const button = $("#drift-remap");
    if (!button || !target.name?.startsWith("remap-")) return;
    const rows = Number(button.dataset.rows);
    const lost = $$('[name^="remap-"]', $("#drift-banner")).filter((one) => !one.value).length;
    $("[data-remap-counts]", button).textContent = lost ? ` ${rows - lost} of ${rows}, lose ${lost}` : "";
    button.classList.toggle("btn-primary", lost === 0);
  });

  // ---- each fold's summary says what is in it
  const say = (id, text) => { const place = $(`[data-sums="${id}"]`); if (place && place.textContent !== text) place.textContent = text; };
  function hostOf(url) {
    try { const host = new URL(url).hostname; return !host || /\{|%7B/i.test(host) ? "the API" : host; } catch { return "the API"; }
  }
  function showSums() {
    if (!form()) return;
    const headers = $$('[name="header_name"]', form()).map((input) => input.value.trim()).filter(Boolean);
    say("headers", headers.length ? `${headers.length}: ${headers.join(", ")}` : "none");
    say("body", $('[name="body_mode"]:checked')?.parentElement.textContent.trim() || "");
    say("request", `${$('[name="method"]', form()).value} ${hostOf($("#at-request-url").value)}`);
    const rows = $$("[data-rule]", $("#mapping")), off = rows.filter((row) => !$(".rule-on", row).checked).length;
    say("mapping", `${rows.length - off} attribute${rows.length - off === 1 ? "" : "s"}${off ? `, ${off} off` : ""}`);
    say("fallback", $('[name="fallback"]:checked', form())?.parentElement.querySelector("strong").textContent || "");
    const mails = ($('[name="alert_emails"]', form())?.value || "").split(/[,;\n]/).filter((one) => one.trim()).length;
    if ($('[name="alert_emails"]', form())) say("alerts", `${mails} address${mails === 1 ? "" : "es"}`);
    const [timeout, retries, enabled] = ["timeout", "retries", "enabled"].map((name) => $(`[name="${name}"]`, form()));
    say("options", `${timeout.value.trim() || 60} s at most, ${{ 1: "1 retry", 2: "2 retries" }[retries.value] || "no retries"}${enabled.checked ? "" : ", switched off"}`);
    say("auth", $('[name="auth_type"]')?.selectedOptions[0]?.textContent || "");
  }

  // ---- a mapped value has a tick, and its name is edited in place. Its row of the mapping is what is sent.
  const rules = () => $$("[data-rule]", $("#mapping"));
  const ruleOf = (node, any = false) => rules().find((row) => $(".rule-source", row).value.trim() === node.dataset.node && (any || $(".rule-on", row).checked));
  const lastOf = (source) => /\['((?:[^'\\]|\\.)*)'\]$/.exec(source)?.[1];
  const isShown = (one) => one.offsetParent !== null;
  const typed = (input) => input.dispatchEvent(new Event("input", { bubbles: true }));
  // Whether the value at this node is shown so; wanted: [[name, id of its row]].
  function tick(node, place, wanted) {
    const button = $(":scope > :is(.tree-row, .tree-beside) > [data-tick]", node);
    if (!button) return false;
    const on = wanted.length > 0;
    button.setAttribute("aria-pressed", String(on));
    node.classList.toggle("leaf-on", on);
    if (node.matches(".tree-branch")) return false;
    const shown = $(".name-input", place);
    if (document.activeElement === shown && shown?.dataset.rule === wanted[0]?.[1]) return true;
    if (on && shown?.dataset.rule === wanted[0][1] && shown.value === wanted[0][0] && wanted.length === 1) return true;
    place.replaceChildren(...(on ? [nameInput(node, wanted[0])] : []), ...wanted.slice(1).map(([name, id]) => httpstep.pill(name, `#${id}`)));
    return true;
  }
  function nameInput(node, [name, id]) {
    const input = make("input", "name-input");
    Object.assign(input, { value: name, autocomplete: "off", spellcheck: false, tabIndex: -1 });
    input.dataset.rule = id;
    input.setAttribute("aria-label", `Name of ${friendly(node.dataset.node)} in your bot`);
    showSame(input, node);
    return input;
  }
  const showSame = (input, node) => { input.classList.toggle("name-same", input.value === lastOf(node.dataset.node)); cutInFront(input); };
  // Names of a step often begin alike, so one that is too long loses its beginning. From right to left that would put a
  // sign at either end at the other one, such as the _ of "_id": such a name is cut behind.
  function cutInFront(input) {
    input.classList.toggle("cut-front", /^[A-Za-z].*[A-Za-z0-9]$/.test(input.value));
    if (input.title !== input.value) input.title = input.value;
  }
  document.addEventListener("input", ({ target }) => {
    if (!target.matches?.(".name-input")) return;
    const node = target.closest("[data-node]");
    const row = ruleOf(node);
    if (!row) return;
    showSame(target, node);
    $(".rule-name", row).value = target.value;
    typed($(".rule-name", row));
  });
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.(".name-input") || !["Enter", "Escape"].includes(event.key) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.target.closest(".tree-row").focus();
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-tick]");
    if (!button) return;
    const node = button.closest("[data-node]");
    const add = $(":scope > :is(.tree-row, .tree-beside) > [data-map]", node);
    if (!turn(node)) add.click();
    else if (!isShown(button)) add.focus({ preventScroll: true });
  });
  // Its word beside it is pressed like it; a word that was selected to be copied is not.
  document.addEventListener("click", ({ target }) => {
    const word = target.closest?.("div.tree-row > :is(.tree-key, .tree-index)");
    if (word && getSelection().isCollapsed) $(":scope > [data-tick]", word.parentElement)?.click();
  });
  // Switch the row of that value, if there is one; on: it is only ever switched on.
  function turn(node, on = false) {
    const row = ruleOf(node) || ruleOf(node, true);
    if (!row) return false;
    const box = $(".rule-on", row);
    box.checked = on || !box.checked;
    typed(box);
    httpstep.paint();
    return true;
  }
  function nameInTree(added) {
    let first = null;
    for (const row of added) {
      const input = $(`.name-input[data-rule="${CSS.escape(row.id)}"]`);
      if (!input) continue;
      input.closest("li").classList.add("rule-new");
      first ||= input;
    }
    if (!first || matchMedia("(hover: none)").matches) return;
    first.focus({ preventScroll: true });
    first.select();
  }
  Object.assign(httpstep, { tick, turn, nameInTree });

  // ---- what the bot gets, by the rows as they are now
  function friendly(source) {
    if (!/^\$(?:\['(?:[^'\\]|\\.)*'\]|\[\d+\])*$/.test(source)) return source;  // a query, or a fact of the call
    const parts = [...source.matchAll(/\['((?:[^'\\]|\\.)*)'\]|\[(\d+)\]/g)].map(([, key, index]) => key?.replace(/\\(['\\])/g, "$1") ?? String(Number(index) + 1));
    return parts.join(" › ") || "the whole answer";
  }
  function showGets() {
    const place = $("#bot-gets:not([data-failed])");
    if (!place) return;
    const rows = $$("[data-rule]", $("#mapping")).filter((row) => $(".rule-on", row).checked && $(".rule-name", row).value.trim() && $(".rule-sample", row).textContent && !row.matches(".rule-missing"));
    $("[data-gets-count]", place).textContent = `${rows.length} value${rows.length === 1 ? "" : "s"}`;
    const list = $(".gets", place);
    list.replaceChildren(...rows.map((row) => {
      const [name, sample, source] = [$(".rule-name", row).value.trim(), $(".rule-sample", row), $(".rule-source", row).value.trim()];
      const line = make("div", "");
      const parts = [make("dt", ""), make("dd", "", sample.textContent), make("dd", "path")];
      for (const [part, text] of [[parts[0], name], [parts[2], friendly(source)]]) part.append(Object.assign(make("bdi", "", text), { dir: "ltr" }));
      for (const [part, title] of [[parts[0], name], [parts[1], sample.title], [parts[2], source]]) part.title = title;
      line.append(...parts);
      return line;
    }));
    $("[data-gets-more]", place).hidden = [...list.children].every((line) => line.offsetParent !== null);
  }
  function showPaths() {
    for (const row of rules()) {
      const source = $(".rule-source", row), path = friendly(source.value.trim());
      if ($(".rule-path", row).textContent !== path) $(".rule-path > bdi", row).textContent = path;
      source.title = source.value;
      cutInFront($(".rule-name", row));
    }
  }
  // All are ticked at first, since the first answer is mapped by itself.
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-untick]");
    if (!button) return;
    const on = button.dataset.untick === "on";
    Object.assign(button, { textContent: on ? "Untick all" : "Tick all" }).dataset.untick = on ? "off" : "on";
    for (const box of $$(".rule-on", $("#mapping"))) box.checked = on;
    $('[name="mapping_set"]').value = "1";
    httpstep.paint();
    httpstep.changed();
  });
  // What was mapped by itself, as it is ticked by now.
  function showTicked() {
    const place = $("[data-ticked]"), all = rules(), ticked = all.filter((row) => $(".rule-on", row).checked);
    if (!place) return;
    const count = `${all.length} value${all.length === 1 ? "" : "s"}`, are = all.length === 1 ? "is" : "are";
    place.textContent = !ticked.length ? "No value is ticked. Tick what your bot needs, then save."
      : `${ticked.length < all.length ? `${ticked.length} of ${count}` : all.length === 1 ? count : `All ${count}`} ${are} ticked. Untick what your bot does not need, then save.`;
    const ofLists = $("[data-of-lists]");
    if (ofLists) ofLists.hidden = !ticked.some((row) => $(".rule-source", row).value.includes("[0]"));
  }
  function look() { showSums(); showGets(); showPaths(); showTicked(); }
  body.addEventListener("form:looked", look);
  look();
})();
