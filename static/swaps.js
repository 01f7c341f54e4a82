// What a swap must not do: take the answer to a part that is gone, or the focus to the top of the page.
(() => {
  "use strict";
  const { body } = document;
  const find = (selector, root = document) => root.querySelector(selector);

  // Another answer may have replaced the target of a request meanwhile: its own goes to what stands in that place now.
  // htmx tells of the swap at the target, which nobody hears where it is gone; so it is looked at before.
  body.addEventListener("htmx:beforeRequest", ({ detail }) => {
    detail.xhr.addEventListener("readystatechange", () => {
      if (detail.xhr.readyState !== XMLHttpRequest.DONE || detail.target.isConnected) return;
      detail.target = (detail.target.id && document.getElementById(detail.target.id)) || detail.target;
    });
  });

  // ---- What has the focus may go, with a swap or otherwise. Then the focus goes to what came in its place: the element of
  // its id, where it says (data-then), the one of its name, else whatever stands there now. Nobody else may have given it.
  const SETTLED = 40;  // ms: by then htmx has settled a swap, where the machine has not much to do
  const STOPS = "a[href], button, input, select, textarea, summary, [tabindex]";
  const TEXT = "textarea, input:not([type=checkbox], [type=radio], [type=file], [type=range])";
  const canFocus = (one) => one.isConnected && !one.matches(":disabled") && one.checkVisibility();
  const stops = (root) => [...root.querySelectorAll(STOPS)].filter((one) => one.tabIndex >= 0 && canFocus(one));
  // of: what had the focus; around: what it stood in, innermost first; among: all stops then, in their order
  let last = null;
  let outside = null;  // the last that was in no notice: a notice goes, and the focus goes back
  document.addEventListener("focusin", ({ target }) => {
    const around = [];
    for (let one = target.parentElement; one && one !== body; one = one.parentElement) around.push(one);
    last = { of: target, around, among: [...document.querySelectorAll(STOPS)] };
    if (!target.closest("#toasts")) outside = target;
  });
  // Whoever clicks beside everything has left by themselves.
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (relatedTarget) return;
    queueMicrotask(() => { if (last?.of === target && document.activeElement === body && canFocus(target)) last = null; });
  });

  function sameOf({ of }) {
    const told = [of.id && document.getElementById(of.id), of.dataset.then && find(of.dataset.then)].find((one) => one && one !== of && canFocus(one));
    if (told && told.tabIndex < 0) told.tabIndex = -1;
    return told;
  }
  // Where it stood among the stops of the nearest part around it that is still there, or came again.
  function inItsPlace({ of, around, among }) {
    for (const was of around) {
      const now = was.isConnected ? was : was.id && document.getElementById(was.id);
      const there = now ? stops(now).filter((one) => one !== of && !(matchMedia("(hover: none)").matches && !of.matches(TEXT) && one.matches(TEXT))) : [];
      const named = there.filter((one) => one.name && one.name === of.name && (of.matches(TEXT) || one.value === of.value));
      const chosen = named.length ? named : there;
      const before = among.slice(0, among.indexOf(of)).filter((one) => was.contains(one) && one.tabIndex >= 0 && (!named.length || one.name === of.name));
      if (chosen.length) return chosen[Math.min(before.length, chosen.length - 1)];
    }
    return find("#content");
  }
  function giveBack() {
    const at = document.activeElement;
    if (!last || (at && at !== body && at !== last.of)) return;
    const { of } = last;
    if (canFocus(of)) { if (at !== of) of.focus({ preventScroll: true }); return; }
    if (of.isConnected && of.matches(":disabled") && of.checkVisibility()) return;  // it comes back
    const back = of.closest("#toasts") || last.around.some((one) => one.id === "toasts") ? outside && canFocus(outside) && outside : null;
    const same = back || sameOf(last);
    const next = same || inItsPlace(last);
    next?.focus({ preventScroll: Boolean(same) });
    if (next?.matches(TEXT) && of.matches(TEXT) && next.name === of.name) try { next.setSelectionRange(of.selectionStart, of.selectionEnd); } catch { /* it has no caret */ }
  }
  let waiting = 0;
  function look() {
    waiting ||= setTimeout(() => {
      waiting = 0;
      if (find(".htmx-settling")) look(); else giveBack();  // half of what a swap brought: what is open in it may be closed yet
    }, SETTLED);
  }
  new MutationObserver(() => { if (last) look(); }).observe(body, { childList: true, subtree: true, attributes: true, attributeFilter: ["hidden", "disabled", "open"] });

  // After a whole page came anew, with a sentence about what was done: whoever reads by ear or keyboard begins at it.
  const flash = find(".flashes .banner");
  if (flash && document.activeElement === body && !location.hash) {
    flash.tabIndex = -1;
    (find(".flashes button") || flash).focus({ preventScroll: true });
  }
})();
