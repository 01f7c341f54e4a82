// `</>`: a list of names beside a field, which inserts {{name}} at the caret and leaves undo as it was. Typing {{ opens it
// too: then the typing stays in the field, the list follows it, and whoever does not choose keeps what they typed.
(() => {
  "use strict";
  const picker = document.querySelector("#picker");
  if (!picker) return;
  const search = picker.querySelector("#picker-search");
  let field = null;
  let byHand = ""; // the name that the arrows chose
  let typing = false; // opened by typing "{{": the focus is in the field, not in the search
  const FOLLOWED = { "aria-autocomplete": "list", "aria-controls": "picker-options" };

  const takesNames = (element) => element.matches?.("[data-editor] form :is(input, textarea)")
    && !element.matches('[type="checkbox"], [type="radio"], [type="hidden"], [type="search"]')
    && (element.parentElement.querySelector("[data-picker]") !== null);

  // The name that is being typed at the caret, of three words at most, and where its {{ begins; null where none is.
  function begun(target) {
    const before = target.value.slice(0, target.selectionStart);
    const found = /(?<!\\)\{\{ *([\w.-]*(?:(?<=[\w.-]) [\w.-]*){0,2})$/.exec(before);
    return found && { from: found.index, name: found[1] };
  }

  // Where a credential is wanted, the secrets are offered first.
  const holdsSecret = (target) => target.dataset.secret === "true" || /key|token|secret|auth/i.test(target.closest("[data-row]")?.querySelector('[name="header_name"]')?.value ?? "");
  const MOST_TOLD = 2000; // characters: they travel in an address
  // The names that the form asks for, but for the one at the caret.
  function namesBeside(target) {
    const names = httpstep.namesUsed();
    const at = begun(target);
    if (at) names.delete(at.name);
    return [...names, ""];
  }
  // Below the field where there is room for a whole list, else where there is more; what does not fit is scrolled to.
  const WHOLE = 360, GAP = 6, EDGE = 8; // px
  function place() {
    const box = field.getBoundingClientRect(), seen = window.visualViewport; // above the keyboard of a phone
    const top = (seen?.offsetTop ?? 0) + EDGE, bottom = (seen ? seen.offsetTop + seen.height : innerHeight) - EDGE;
    const begins = Math.min(box.bottom, box.top + 44) + GAP, ends = box.top - GAP;
    const isBelow = bottom - begins >= Math.min(WHOLE, ends - top);
    picker.style.setProperty("--room", `${Math.min(isBelow ? bottom - begins : ends - top, bottom - top)}px`);
    const { offsetWidth: width, offsetHeight: height } = picker;
    picker.style.left = `${Math.max(EDGE, Math.min(box.right - width, document.documentElement.clientWidth - width - EDGE)) + scrollX}px`;
    picker.style.top = `${Math.max(top, Math.min(isBelow ? begins : ends - height, bottom - height)) + scrollY}px`;
  }
  function open(target, byTyping) {
    close(false);
    field = target;
    typing = byTyping;
    byHand = search.value = "";
    search.hidden = typing;
    picker.hidden = false;
    if (typing) for (const [name, value] of Object.entries(FOLLOWED)) target.setAttribute(name, value);
    picker.querySelector("#picker-used").value = namesBeside(target).join(" ").slice(0, MOST_TOLD).replace(/ [^ ]*$/, "");
    picker.querySelector("#picker-secret").value = holdsSecret(target) ? "1" : "";
    search.dispatchEvent(new CustomEvent("picker:open"));
    sift();
    if (!typing) search.focus({ preventScroll: true });
  }
  function close(back = true) {
    if (picker.hidden) return;
    picker.hidden = true;
    for (const name of [...Object.keys(FOLLOWED), "aria-activedescendant"]) field.removeAttribute(name);
    if (back) field.focus({ preventScroll: true });
    field = null;
  }
  // The field has changed while its list is open.
  function follow() {
    const at = begun(field);
    if (!at) { close(false); return; }
    if (at.name === search.value) return;
    search.value = at.name;
    search.dispatchEvent(new Event("input", { bubbles: true }));
    sift();
  }
  function insert(name) {
    const target = field;
    const at = typing ? begun(target) : null;
    close(false);
    target.focus({ preventScroll: true });
    const caret = target.selectionEnd ?? target.value.length;
    const closed = at ? /^\s*\}\}/.exec(target.value.slice(caret))?.[0].length || 0 : 0;
    target.setSelectionRange(at ? at.from : target.selectionStart, caret + closed);
    const text = `{{${name}}}`;
    if (!document.execCommand("insertText", false, text)) {
      target.setRangeText(text, target.selectionStart, target.selectionEnd, "end");
      target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  const everyOption = () => [...picker.querySelectorAll('[role="option"]')];
  const options = () => everyOption().filter((option) => !option.hidden);
  const isChosen = (option) => option.getAttribute("aria-selected") === "true";
  function select(chosen) {
    for (const option of everyOption()) option.setAttribute("aria-selected", String(option === chosen));
    chosen?.scrollIntoView({ block: "nearest" });
    const holder = typing ? field : search;
    if (chosen) holder?.setAttribute("aria-activedescendant", chosen.id);
    else holder?.removeAttribute("aria-activedescendant");
  }
  function choose(next) {
    sift(); // a list that just came is not settled: it has lost what was chosen in it
    const all = options();
    const chosen = all[Math.max(0, Math.min(all.length - 1, all.findIndex(isChosen) + next))];
    byHand = chosen?.dataset.name || "";
    select(chosen);
  }
  // What is known goes before what would be new, however exactly that is what was typed: a name half typed is none. Where
  // the list was asked for and nothing is typed, none is meant yet.
  function bestFor(typed) {
    if (!typing && !typed && !byHand) return undefined;
    const all = options(), known = all.filter((option) => option.id !== "pick-new");
    const bare = ({ dataset }) => dataset.name.toLowerCase().replace(/^secret\./, "");
    return known.find(({ dataset }) => dataset.name.toLowerCase() === typed) || all.find(({ dataset }) => dataset.name === byHand)
      || known.find((option) => bare(option).startsWith(typed)) || all[0];
  }
  // The list follows a moment after the typing: what it still shows of an earlier text is not what is meant.
  function sift() {
    const typed = search.value.trim().toLowerCase();
    for (const option of everyOption()) {
      const name = option.dataset.name.toLowerCase();
      option.hidden = option.id === "pick-new" ? option.dataset.typed.toLowerCase() !== typed : !name.includes(typed);
    }
    for (const group of picker.querySelectorAll('[role="group"]')) group.hidden = !group.querySelector('[role="option"]:not([hidden])');
    select(bestFor(typed));
    place();
  }
  // What Enter takes, "" where there is nothing to take.
  function meant() {
    sift();
    const name = search.value.trim().replace(/\s+/g, "_"); // as the server makes a name of it
    return options().find(isChosen)?.dataset.name || (/^(?!secret\.)[A-Za-z_][\w.-]{0,99}$/.test(name) ? name : "");
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-picker]");
    if (button) {
      const target = button.parentElement.querySelector("input, textarea");
      if (field === target && !picker.hidden) close(); else open(target, false);
      return;
    }
    const option = event.target.closest("#picker [role='option']");
    if (option) insert(option.dataset.name);
    else if (!picker.contains(event.target)) close(false);
  });
  document.addEventListener("input", (event) => {
    if (typing && event.target === field) { follow(); return; }
    if (event.target === search) { sift(); return; }
    if (!takesNames(event.target) || event.inputType !== "insertText") return;
    const at = begun(event.target);
    if (at && at.from + 2 === event.target.selectionStart) open(event.target, true);
  });
  // Before anything else hears the key: Enter chooses and does not send the form, Escape closes the list alone.
  document.addEventListener("keydown", (event) => {
    if (!typing || event.target !== field || event.isComposing) return;
    const command = (event.ctrlKey || event.metaKey) && !event.altKey && !["Control", "Meta"].includes(event.key);
    if (command || ["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) { close(false); return; }
    const name = event.key === "Enter" || (event.key === "Tab" && !event.shiftKey) ? meant() : "";
    if (name) insert(name);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") choose(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Escape" || (event.key === "Enter" && field.matches("input, #at-request-url"))) close(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  document.addEventListener("focusout", (event) => {
    if (typing && event.target === field) close(false);
  });
  picker.addEventListener("mousedown", (event) => {
    if (typing) event.preventDefault(); // the field keeps the focus while a name is clicked
  });
  picker.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const name = meant();
      if (name) insert(name);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") close();
  });
  window.visualViewport?.addEventListener("resize", () => { if (!picker.hidden) place(); });
  let width = innerWidth; // a turned phone moves the field; the keyboard that comes up changes the height alone
  addEventListener("resize", () => {
    if (innerWidth !== width) close(false);
    width = innerWidth;
  });
  for (const came of ["htmx:afterSwap", "htmx:afterSettle"]) document.body.addEventListener(came, (event) => {
    if (event.detail.target.id === "picker-list" && !picker.hidden) sift(); // what the arrows chose stays chosen
  });
})();
