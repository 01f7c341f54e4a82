// What stands fixed in a pasted request and looks as if it differed from customer to customer (/orders/4711, ?phone=…) is
// said once, at its field, with a button that makes a variable of it. Once the URL has an attribute, or one was left as it
// is, no more is said until the next paste.
(() => {
  "use strict";
  const { body } = document;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  if (!$("#make-variable")) return;
  const MAIL = /^[^\s@{}]+@[^\s@{}]+\.[a-z]{2,}$/i, PHONE = /^(\+|00)[1-9][\d ()/.-]{6,}$/;
  const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, HEX = /^(?=.*\d)([0-9a-f]{16}|[0-9a-f]{24}|[0-9a-f]{32})$/i;
  const NUMBER = /^\d+$/, NUMBERED = /^[A-Za-z]{1,8}[-_]\d{2,}$/, LETTERED = /^[A-Za-z]{1,3}\d{4,}$/, PREFIXED = /^[a-z]{2,6}_(?=\w*\d)[A-Za-z0-9]{8,}$/;
  // Before a number in a path these tell of a version, a page or the tenant, which are the same for everybody.
  const SAME_BELOW = /^(api|rest|version|v|page|pages|limit|offset|accounts?|apps?|tenants?|shops?|stores?|sites?|projects?|workspaces?)$/i;
  const STANDARD = /^(v|iso|utf|sha|rfc|md|en|http)[-_]?\d/i;
  const ABOUT_ONE = /(^|[_.-])(id|ids|nr|no|num|number|order|customer|user|member|contact|lead|ticket|case|invoice|tracking|parcel|shipment|booking|reservation|ref|reference|phone|mobile|tel|telephone|msisdn|e-?mail|mail)$/;
  const ABOUT_ALL = /(^|[_.-])(client|app|application|api|tenant|account|shop|store|site|project|workspace|merchant|channel|warehouse|list|form|template|campaign|category|page|version|session|trace|request)[_.-]?(id|nr|no|num|number|ref)?$|^(from|sender|reply[_-]?to|cc|bcc)/;
  const words = (name) => name.replace(/([a-z\d])([A-Z])/g, "$1_$2").toLowerCase();

  function isOfOne(name, value) {
    if (httpstep.isCredentialName(name) || ABOUT_ALL.test(words(name))) return false;
    if (MAIL.test(value) || PHONE.test(value) || UUID.test(value)) return true;
    return ABOUT_ONE.test(words(name)) && /\d/.test(value) && /^[\w+ ()/.-]{1,60}$/.test(value) && !STANDARD.test(value);
  }
  function isIdBelow(before, value) {
    if (!/^[A-Za-z][\w-]*$/.test(before) || SAME_BELOW.test(before) || STANDARD.test(value)) return false;
    return [NUMBER, UUID, HEX, NUMBERED, LETTERED, PREFIXED, MAIL, PHONE].some((kind) => kind.test(value));
  }
  function decoded(text) { try { return decodeURIComponent(text.replaceAll("+", "%20")); } catch { return text; } }
  // [begin, end] of the value in the text of the field, or nothing.
  function* inUrl(url) {
    const host = /^\s*[a-z]+:\/\/[^/?#]*/i.exec(url)?.[0].length ?? 0, path = /^[^?#]*/.exec(url.slice(host))[0];
    const parts = [...path.matchAll(/([^/]+?)(\.json|\.xml)?(?=\/|$)/g)].reverse();
    for (const [place, part] of parts.entries()) {
      let value = part[1];
      try { value = decodeURIComponent(value); } catch { /* as it is */ }
      if (isIdBelow(parts[place + 1]?.[1] ?? "", value)) yield [host + part.index, host + part.index + part[1].length];
    }
    for (const { 1: name, 2: value, index } of url.matchAll(/(?<=[?&])([^=&#?]+)=([^&#]*)/g)) {
      if (isOfOne(decoded(name), decoded(value.replace(/^\+/, "%2B")))) yield [index + name.length + 1, index + name.length + 1 + value.length];
    }
  }
  function* inJson(text) {
    for (const { 0: all, 1: name, 2: value, index } of text.matchAll(/"((?:[^"\\]|\\.)*)"\s*:\s*("[^"\\]*"|-?\d+(?![\d.eE]))/g)) {
      const quote = Number(value.startsWith('"')), end = index + all.length - quote;
      if (isOfOne(name, quote ? value.slice(1, -1) : value)) yield [end - value.length + 2 * quote, end];
    }
  }
  function* everywhere() {
    const url = $("#at-request-url"), text = $(".body-text[name=json_text]");
    if (/\{\{\s*(?!secret\.)/.test(url.value)) return;
    for (const range of inUrl(url.value)) yield [url, ...range];
    for (const range of text ? inJson(text.value) : []) yield [text, ...range];
    for (const field of $$('#step-form [name="field_value"]')) {
      if (isOfOne($('[name="field_name"]', field.closest("[data-row]")).value, field.value)) yield [field, 0, field.value.length];
    }
  }

  let isAsked = false;
  let made = new Set();
  function show() {
    const [field, from, to] = isAsked ? [...everywhere()].find(([one, start, end]) => !made.has(one.value.slice(start, end))) ?? [] : [];
    const old = $("#varying"), literal = field?.value.slice(from, to);
    if (old && old.dataset.literal === literal && old.dataset.of === field.id) return;
    const within = old?.contains(document.activeElement);
    old?.remove();
    if (!field) { if (within) $("[data-step-name]").focus(); return; }
    const line = Object.assign(document.createElement("p"), { id: "varying", className: "varying small muted" });
    line.setAttribute("role", "status");
    Object.assign(line.dataset, { literal, of: field.id });
    const button = (text, act, kind = "") => {
      const one = Object.assign(document.createElement("button"), { type: "button", className: `btn btn-sm ${kind}`, textContent: text });
      one.addEventListener("click", act);
      return one;
    };
    line.append(
      Object.assign(document.createElement("code"), { textContent: literal }), " is the same in each call, whoever asks. ",
      button("Make it a variable", () => { made.add(literal); line.remove(); httpstep.makeVariable(field, from, to); }),
      " ", button("Leave it", () => { isAsked = false; line.remove(); field.focus(); }, "btn-quiet"),
    );
    const row = field.closest("[data-row]");
    if (row) row.append(line); else (field.closest(".input-group, .text-with-pick") || field).after(line);
  }
  body.addEventListener("htmx:afterSettle", ({ detail: { requestConfig, xhr } }) => {
    if (requestConfig?.parameters?.op !== "curl" || xhr.status !== 200 || $("#paste-operations")) return;
    isAsked = true;
    made = new Set();
    show();
  });
  body.addEventListener("form:looked", show);
})();
