// `</>`: a list of names beside a field, which inserts {{name}} at the caret and leaves undo as it was. Typing {{ opens it too.
(() => {
  "use strict";
  const picker = document.querySelector("#picker");
  if (!picker) return;
  const search = picker.querySelector("#picker-search");
  let field = null;
  let typed = 0; // how many characters before the caret ("{{" and what follows) the name replaces

  const takesNames = (element) => element.matches?.("[data-editor] form :is(input, textarea)")
    && !element.matches('[type="checkbox"], [type="radio"], [type="hidden"], [type="search"]')
    && (element.parentElement.querySelector("[data-picker]") !== null);

  function open(target, length) {
    field = target;
    typed = length;
    search.value = "";
    picker.hidden = false;
    const box = target.getBoundingClientRect();
    const width = picker.offsetWidth;
    picker.style.left = `${Math.max(8, Math.min(box.right - width, document.documentElement.clientWidth - width - 8)) + scrollX}px`;
    const below = box.bottom + 6 + picker.offsetHeight < innerHeight || box.top < 260;
    picker.style.top = `${(below ? Math.min(box.bottom, box.top + 44) + 6 : Math.max(8, box.top - 330)) + scrollY}px`;
    search.dispatchEvent(new CustomEvent("picker:open"));
    search.focus({ preventScroll: true });
  }
  function close(back = true) {
    if (picker.hidden) return;
    picker.hidden = true;
    if (back && field) field.focus({ preventScroll: true });
    field = null;
  }
  function insert(name) {
    const target = field;
    close(false);
    target.focus({ preventScroll: true });
    const caret = target.selectionEnd ?? target.value.length;
    target.setSelectionRange(typed ? caret - typed : target.selectionStart, caret);
    const text = `{{${name}}}`;
    if (!document.execCommand("insertText", false, text)) {
      target.setRangeText(text, target.selectionStart, target.selectionEnd, "end");
      target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
  const options = () => [...picker.querySelectorAll('[role="option"]')];
  function choose(next) {
    const all = options();
    const now = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const place = Math.max(0, Math.min(all.length - 1, now + next));
    all.forEach((option, index) => option.setAttribute("aria-selected", String(index === place)));
    if (!all.length) return;
    all[place].scrollIntoView({ block: "nearest" });
    search.setAttribute("aria-activedescendant", all[place].id);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-picker]");
    if (button) {
      const target = button.parentElement.querySelector("input, textarea");
      if (field === target && !picker.hidden) close(); else open(target, 0);
      return;
    }
    const option = event.target.closest("#picker [role='option']");
    if (option) insert(option.dataset.name);
    else if (!picker.contains(event.target)) close(false);
  });
  document.addEventListener("input", (event) => {
    if (!takesNames(event.target) || event.inputType !== "insertText") return;
    const { value, selectionStart } = event.target;
    if (value.slice(0, selectionStart).endsWith("{{") && !value.slice(0, selectionStart).endsWith("\\{{")) open(event.target, 2);
  });
  picker.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      // The list follows a moment after the typing: what it still shows of an earlier text is not what was meant.
      const typed = search.value.trim().toLowerCase();
      const meant = options().filter((option) => option.dataset.name.toLowerCase().includes(typed));
      const chosen =
        meant.find((option) => option.dataset.name.toLowerCase() === typed) ||
        meant.find((option) => option.getAttribute("aria-selected") === "true") ||
        meant[0];
      if (chosen) insert(chosen.dataset.name);
      else if (/^[A-Za-z_][\w.-]{0,99}$/.test(search.value)) insert(search.value);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") close();
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "picker-list" && options().length) choose(1);
  });
})();
