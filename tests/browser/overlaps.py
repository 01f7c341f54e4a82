"""Which things that can be pressed lie over one another on the page that a browser shows."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

_FOUND = """() => {
  const seen = (one) => one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && getComputedStyle(one).clipPath === "none";
  const bars = ".topbar, .bar-sticky, .bottom-bar, .toasts, .modal-head, .modal-foot";
  // What of it is on the screen: cut by each box around it that scrolls or hides.
  function part(one) {
    let { left, right, top, bottom } = one.getBoundingClientRect();
    for (let box = one.parentElement; box; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const edge = box.getBoundingClientRect();
      [left, right, top, bottom] = [Math.max(left, edge.left), Math.min(right, edge.right), Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
    }
    return right - left > 1 && bottom - top > 1 ? { one, left, right, top, bottom } : null;
  }
  const root = document.querySelector("dialog[open]") || document.querySelector("#content");
  const pressed = [...root.querySelectorAll("a[href], button, select, textarea, input:not([type=hidden])")];
  // A line that folds is as wide as its place: what is in it is what must stay free.
  const told = [...root.querySelectorAll("summary")].flatMap((one) => one.children.length ? [...one.children] : [one]);
  const parts = [...new Set([...pressed, ...told])].filter((one) => seen(one) && !(one.closest("summary") && one.matches(".icon"))).map(part).filter(Boolean);
  const found = [];
  parts.forEach((a, at) => parts.slice(at + 1).forEach((b) => {
    if (a.one.contains(b.one) || b.one.contains(a.one) || a.one.closest(bars) !== b.one.closest(bars)) return;
    if (a.one.closest(".text-with-pick") && a.one.parentElement === b.one.parentElement) return;  // the field leaves it room
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left), high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 2 && high > 2) found.push([a.one, b.one].map((one) => one.outerHTML.slice(0, 110)).join("  OVER  ") + ` ${Math.round(wide)}x${Math.round(high)}`);
  }));
  for (const { one, left, right } of parts) if (left < -1 || right > innerWidth + 1) found.push(`OUT ${one.outerHTML.slice(0, 110)}`);
  return found;
}"""


def overlaps(page: Page) -> list[str]:
    """Each pair, and each thing that sticks out at a side."""
    found: list[Any] = page.evaluate(_FOUND)
    return [str(one) for one in found]
