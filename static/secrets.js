// Where a key or token is typed: a line says that it can be a secret, and a dialog makes one without leaving the page. The
// value goes to the server in that dialog's requests and stays nowhere else: in no draft, and no undo brings it back.
(() => {
  "use strict";
  const { body } = document;
  const editor = document.querySelector("[data-editor]");
  const { secrets } = editor.dataset;
  if (!secrets) return;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = () => $("#step-form");
  const SCHEME = /^\s*((?:bearer|basic|token|api-?key)\s+)/i;

  // ---- the line below a field
  function showHint(place, field, wanted) {
    const old = $(":scope > .secret-hint", place);
    if (!wanted) { if (old?.contains(document.activeElement)) field.focus(); old?.remove(); return; }
    if (old) return;
    const hint = Object.assign(document.createElement("p"), { className: "secret-hint small" });
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: "Keep it as a secret" });
    button.dataset.makeSecret = "";
    hint.append("A key or token is safer as a secret.", button);
    place.append(hint);
  }
  const isOpen = (value) => !httpstep.isPlaceholder(value) && !value.includes("{{secret.");
  const inUrl = (text) => httpstep.credentialsIn(text).find(([name, value]) => name !== "@" && isOpen(decoded(value)));
  const decoded = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
  // What a pasted text carries is kept by the save, as the note above the form says: once is enough.
  const isKeptBySave = () => /It carries a credential/.test($("#paste-box [data-until-saved]")?.textContent)
    && $('[name="keep_secrets"]', form())?.checked && /^https?:\/\/[^/?#{}]+([/?#]|$)/i.test($("#at-request-url").value);
  function look() {
    if (!form()) return;
    const kept = isKeptBySave();
    for (const stem of ["header", "field"]) {
      for (const field of $$(`[name="${stem}_value"]`, form())) {
        const name = $(`[name="${stem}_name"]`, field.closest("[data-row]"))?.value.trim() || "";
        showHint(field.closest("[data-row]"), field, name !== "" && !kept && httpstep.isCredentialName(name) && isOpen(field.value));
      }
    }
    for (const field of $$('[data-secret="true"]', form())) showHint(field.closest(".field"), field, !kept && isOpen(field.value));
    const url = $("#at-request-url");
    showHint(url.closest(".field"), url, !kept && Boolean(inUrl(url.value)));
  }
  body.addEventListener("form:looked", look);
  body.addEventListener("htmx:afterSettle", look);
  look();

  // ---- the dialog
  let field = null, typed = "";
  const fieldOf = (hint) => $("#at-request-url", hint.parentElement) || $('[name$="_value"], [data-secret="true"]', hint.parentElement);
  // "X-API-Key" is API_KEY, what stands in Authorization a TOKEN; the server puts the name of the host in front.
  function nameFor(one) {
    const row = one.closest("[data-row]");
    const name = one.id === "at-request-url" ? inUrl(one.value)?.[0] : row ? $('[name$="_name"]', row).value : one.name.replace(/^auth_/, "");
    const found = (name || "").trim().replace(/^x-/i, "").replace(/[^A-Za-z0-9]+/g, "_").replace(/^_+|_+$/g, "").toUpperCase();
    return /^(AUTHORIZATION|VALUE|)$/.test(found) ? "TOKEN" : /^\d/.test(found) ? `_${found}` : found;
  }
  function ask(name) {
    const values = { name, url: $("#at-request-url").value };
    if (field) Object.assign(values, { into: "1", secret_value: typed });
    if ($('[name="auth_type"]', form()).value === "oauth2_client_credentials") values.auth_token_url = $('[name="auth_token_url"]', form())?.value || "";
    htmx.ajax("POST", secrets, { target: "#modal-body", swap: "innerHTML", values });
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-make-secret]");
    if (!button) return;
    event.preventDefault();
    const name = button.dataset.makeSecret;
    field = name ? null : fieldOf(button.closest(".secret-hint"));
    typed = !field ? "" : field.id === "at-request-url" ? decoded(inUrl(field.value)?.[1] || "") : field.value.replace(SCHEME, "").trim();
    ask(name || nameFor(field));
  });
  body.addEventListener("htmx:afterSettle", ({ detail }) => {
    if (detail.target.id !== "modal-body") return;
    const value = typed;
    typed = "";
    if (!$("#new-secret-value")) return;
    if (value) $("#new-secret-value").value = value; // else it has what was typed since the dialog came
    ($("#new-secret-value").value ? $("#new-secret-name") : $("#new-secret-value")).focus();
  });
  function insert(one, name) {
    const text = `{{secret.${name}}}`;
    if (one.id === "at-request-url") {
      const found = inUrl(one.value);
      if (found) one.value = one.value.replace(`${found[0]}=${found[1]}`, () => `${found[0]}=${text}`);
    } else {
      one.value = (SCHEME.exec(one.value)?.[1] || (isBearer(one) ? "Bearer " : "")) + text;
    }
    one.defaultValue = one.value;
    one.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const isBearer = (one) => !one.value.trim() && /^authorization$/i.test($('[name="header_name"]', one.closest("[data-row]") || body)?.value.trim() || "") && one.name === "header_value";
  function put(name) {
    const into = field;
    field = null;
    $("#modal").close();
    if (into?.isConnected) { insert(into, name); look(); into.focus(); }
    body.dispatchEvent(new CustomEvent("names:changed"));
  }
  body.addEventListener("secret:made", ({ detail }) => put(detail.name));
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-use-secret]");
    if (button) put(button.dataset.useSecret || $("#kept-secret").value);
  });
})();
