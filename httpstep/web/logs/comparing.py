"""Two kept calls side by side: what was sent, what came, what was mapped, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.masking.redaction import MASK
from httpstep.web.editor.entries import LogView
from httpstep.web.editor.loglist import LogLine

MAX_LINES = 1500
_AROUND = 3
"""Lines that are the same and stand around a difference."""


class DiffLine(Struct, frozen=True):
    """kind: "out" for a line of the earlier call alone, "in" of the later alone, "gap" where lines are left out, "" of both."""

    kind: str
    text: str


class Part(Struct, frozen=True):
    """lines: empty where both are the same. cut: only the beginnings were compared. hidden: values in it are masked, and
    nothing is kept by which they could be told apart."""

    title: str
    lines: tuple[DiffLine, ...]
    cut: bool
    hidden: bool


class Compared(Struct, frozen=True):
    """values: what each came with, by the id of its log; log_id: the call that was opened; other_id: the one it is compared
    with, one of `others`."""

    earlier: LogView
    later: LogView
    values: Mapping[int, str]
    ref: str
    parts: tuple[Part, ...]
    log_id: int
    other_id: int
    others: tuple[LogLine, ...]


def compare(one: LogView, other: LogView, values: Mapping[int, str], ref: str, others: tuple[LogLine, ...]) -> Compared:
    earlier, later = sorted((one, other), key=lambda entry: entry.log.id)
    views = {"Request sent": _sent, "Answer": _answer, "What your bot gets": _mapped}
    parts = tuple(_part(title, view(earlier), view(later)) for title, view in views.items())
    return Compared(earlier, later, values, ref, parts, one.log.id, other.log.id, others)


def _sent(entry: LogView) -> list[str]:
    request = entry.detail.get("request")
    if not request:
        return []
    headers = [f"{name}: {value}" for name, value in request.get("headers", ())]
    return [f"{request['method']} {request['url']}", *headers, *(entry.sent.pretty or entry.sent.raw).splitlines()]


def _answer(entry: LogView) -> list[str]:
    head = [f"{entry.log.status}" if entry.log.status is not None else entry.label]
    return head + (entry.got.pretty or entry.got.raw).splitlines()


def _mapped(entry: LogView) -> list[str]:
    rows = [row for row in entry.detail.get("mapping", ()) if row["state"] != "off"]
    return [f"{row['attribute']} = {_value(row)}" for row in rows]


def _value(row: dict[str, object]) -> str:
    return "missing" if row["state"] == "missing" else jsontext.dumps_text(row["value"])


def _part(title: str, before: list[str], after: list[str]) -> Part:
    cut = max(len(before), len(after)) > MAX_LINES
    before, after = before[:MAX_LINES], after[:MAX_LINES]
    hidden = any(MASK in line for line in (*before, *after))
    return Part(title, tuple(_difference(before, after)) if before != after else (), cut, hidden)


def _difference(before: list[str], after: list[str]) -> Iterator[DiffLine]:
    """What differs, with a few lines around it; long stretches that are the same become a gap."""
    ended = 0
    for group in SequenceMatcher(None, before, after).get_grouped_opcodes(_AROUND):
        if group[0][1] > ended:
            yield DiffLine("gap", "…")
        for kind, start, end, from_, to in group:
            if kind == "equal":
                yield from (DiffLine("", text) for text in before[start:end])
            else:
                yield from (DiffLine("out", text) for text in before[start:end])
                yield from (DiffLine("in", text) for text in after[from_:to])
        ended = group[-1][2]
    if ended < len(before):
        yield DiffLine("gap", "…")
