"""What the list of steps prints, gathered once: the steps that are asked for, their last calls, what wants a look."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, Final

from flask import url_for
from msgspec import Struct

from httpstep.execution.budget import ratelimit
from httpstep.storage import deleting, logs, overview
from httpstep.storage.overview import LastCall, ListedStep
from httpstep.storage.tables import Account
from httpstep.web.editor.entries import LABELS, SOURCES, duration_text, tone

MAX_ON_A_PAGE = 50
_DOTS = logs.MAX_LOGS
_MIDDLES: Final = [f"{place * 10.5 + 4:g}" for place in range(_DOTS)]
_SLOW_MS = 2000
_UNUSED_SECONDS = 30 * 86400
_NAMED_AT_MOST = 3
_REFUSED_SECONDS = 3600


class StepLine(Struct, frozen=True):
    """A step as its row shows it. missing: attributes for which the last good answer had nothing. last_id: of its newest
    call, None without one.

    dots: its last twenty calls, by tone: where the middle of each is, in pixels from the left. The tone is ok, warn (the
    API refused), bad, other (cancelled, under way ...), and test, however that ended. each: id, epoch and outcome in words
    of the call of each dot, a line for each, oldest first."""

    id: int
    name: str
    enabled: bool
    method: str
    url: str
    host: str
    path: str
    dots: dict[str, list[str]]
    calls: str
    last_id: int | None
    each: str
    median: str
    slow: bool
    rules: int | None
    drift: bool
    missing: tuple[str, ...]
    failing: str
    called_at: float | None


class StepList(Struct, frozen=True):
    """The page. to: addresses of what a row leads to, by their views, with %d in the places of its numbers. counts: how
    many steps each choice of `show` has. total: how many match; first, last: which of them are here, from 1. deleted: id
    and name of what can be brought back, for whoever may."""

    lines: tuple[StepLine, ...]
    to: Mapping[str, str]
    counts: Mapping[str, int]
    failing: tuple[ListedStep, ...]
    changed: tuple[ListedStep, ...]
    search: str
    show: str
    sort: str
    page: int
    pages: int
    total: int
    first: int
    last: int
    can_edit: bool
    deleted: Sequence[tuple[int, str]]

    @property
    def is_empty(self) -> bool:
        """Whether the account has no steps at all."""
        return not self.counts["all"] and not self.search


def gather(account_id: int, asked: Mapping[str, str], *, may_edit: bool) -> StepList:
    """asked: q, show, sort and page of the address; what is no choice counts as the first."""
    now = time.time()
    search = asked.get("q", "").strip()
    show = asked.get("show", "") if asked.get("show") in SHOW else "all"
    sort = asked.get("sort", "") if asked.get("sort") in SORT else "name"
    found = overview.listed(account_id, search, may_edit=may_edit)
    chosen = {name: [one for one in found if keeps(one, now)] for name, (_, keeps) in SHOW.items()}
    ordered = sorted(chosen[show], key=lambda one: SORT[sort][1](one))
    pages = max(1, -(-len(ordered) // MAX_ON_A_PAGE))
    page = min(_number(asked.get("page", "")), pages)
    before = (page - 1) * MAX_ON_A_PAGE
    here = ordered[before : before + MAX_ON_A_PAGE]
    calls = overview.calls_of([one.id for one in here]) if here else {}
    return StepList(
        lines=tuple(_line(one, calls.get(one.id, []), now) for one in here),
        to={view: _pattern(view, *numbers) for view, numbers in _ROW_LEADS_TO.items()},
        counts={name: len(steps) for name, steps in chosen.items()},
        failing=tuple(chosen["failing"][:_NAMED_AT_MOST]),
        changed=tuple(chosen["changed"][:_NAMED_AT_MOST]),
        search=search,
        show=show,
        sort=sort,
        page=page,
        pages=pages,
        total=len(ordered),
        first=before + 1,
        last=before + len(here),
        can_edit=may_edit,
        deleted=deleting.set_aside_now(account_id, now) if may_edit else (),
    )


_ROW_LEADS_TO: Final = {
    **{f"steps.{what}": ("ref",) for what in ("edit", "export", "duplicate", "switch", "delete")},
    "logs.log_page": ("ref", "log_id"),
}


def _pattern(view: str, *numbers: str) -> str:
    """The address of a view with %d in the places of these: Flask takes 15 µs for one, a page has three hundred."""
    marks: dict[str, Any] = {name: 987_650_000_000_000 + number for number, name in enumerate(numbers)}
    address = url_for(view, **marks).replace("%", "%%")
    for mark in marks.values():
        address = address.replace(str(mark), "%d")
    return address


class RefusedCalls(Struct, frozen=True):
    """Calls that were refused and stand in no log. why: in words; at: the last of them, as an epoch."""

    why: str
    at: float


def refused_lately(account: Account) -> list[RefusedCalls]:
    """Those of the last hour that the account's own limits refused, the newest first."""
    why = {
        "rate_limit_exceeded": f"more than {account.per_minute or ratelimit.PER_MINUTE} came within a minute",
        "too_many_calls_in_flight": "too many waited for an answer at the same time",
    }
    found = overview.refused_since(account.slug, why.keys(), time.time() - _REFUSED_SECONDS)
    return [RefusedCalls(why[reason], at) for reason, at in sorted(found.items(), key=lambda one: -one[1])]


def _failing(one: ListedStep, _now: float = 0) -> bool:
    return one.ended is not None and tone(one.ended.status, one.ended.outcome) in ("amber", "red")


def _unused(one: ListedStep, now: float) -> bool:
    return one.ended is None or one.ended.started_at < now - _UNUSED_SECONDS


SHOW: Final[Mapping[str, tuple[str, Callable[[ListedStep, float], bool]]]] = {
    "all": ("All", lambda one, now: True),
    "failing": ("Failing", _failing),
    "changed": ("Changed", lambda one, now: one.drift),
    "off": ("Off", lambda one, now: not one.spec.enabled),
    "unused": ("Unused", _unused),
}
"""Which steps the list can show: the word on the page, and what decides."""

SORT: Final[Mapping[str, tuple[str, Callable[[ListedStep], float]]]] = {
    "name": ("By name", lambda one: 0),
    "called": ("Last call first", lambda one: -one.ended.started_at if one.ended else 0),
    "slow": ("Slowest last call first", lambda one: -(one.ended.duration_ms or 0) if one.ended else 1),
    "failing": ("Failing first", lambda one: not _failing(one)),
}
"""How the list can be sorted; what is alike stays in the order of the names."""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 and int(text) else 1


def _line(one: ListedStep, calls: list[LastCall], now: float) -> StepLine:
    spec, url = one.spec, one.spec.request.url
    host, path = _host_and_path(url)
    last = calls[-_DOTS:]
    tones = [_tone(call, now) for call in last]
    of_bots = [call for call in last if call.source != "test"]
    times = [call.duration_ms for call in of_bots if call.duration_ms is not None]
    good = next((call for call in reversed(calls) if call.detail), None)
    return StepLine(
        id=one.id,
        name=spec.name,
        enabled=spec.enabled,
        method=spec.request.method,
        url=url,
        host=host,
        path=path,
        dots=_dots(tones),
        calls=_in_words(tones),
        last_id=last[-1].id if last else None,
        each="\n".join(f"{call.id} {int(call.started_at)} {_outcome(call)}" for call in last),
        median=duration_text(round(median(times))) if times else "–",
        slow=bool(times) and median(times) > _SLOW_MS,
        rules=None if one.rules is None else sum(rule.on for rule in one.rules),
        drift=one.drift,
        missing=tuple(overview.missing_of(good.detail, one.rules)) if good and one.rules else (),
        failing=LABELS.get(one.ended.outcome, "Failing") if one.ended and _failing(one) else "",
        called_at=of_bots[-1].started_at if of_bots else None,
    )


def _host_and_path(url: str) -> tuple[str, str]:
    """As typed, with the placeholders; a path that is no more than "/" is left out."""
    rest = url.partition("://")[2] or url
    end = min((rest.find(mark) for mark in "/?" if mark in rest), default=len(rest))
    return rest[:end], "" if rest[end:] == "/" else rest[end:]


_TONES: Final = {"green": "ok", "amber": "warn", "red": "bad"}


def _tone(call: LastCall, now: float) -> str:
    if call.source == "test":
        return "test"
    if call.state != "done":
        return "other"
    if call.outcome == "rejected":
        return "warn"
    return _TONES.get(tone(call.status, call.outcome), "other")


def _outcome(call: LastCall) -> str:
    told = LABELS.get(call.outcome or "running", call.outcome)
    return f"{SOURCES['test']}, {told}" if call.source == "test" else told


def _dots(tones: list[str]) -> dict[str, list[str]]:
    by_tone: dict[str, list[str]] = {}
    for one, middle in zip(tones, _MIDDLES[_DOTS - len(tones) :], strict=True):
        by_tone.setdefault(one, []).append(middle)
    return by_tone


def _in_words(tones: list[str]) -> str:
    """What the dots say to whoever does not see them."""
    if not tones:
        return "Never called"
    words = {"ok": "good", "warn": "refused by the API", "bad": "failed", "other": "without a result"}
    counts = [f"{tones.count(one)} {word}" for one, word in words.items() if one in tones]
    if tests := tones.count("test"):
        counts.append("1 test" if tests == 1 else f"{tests} tests")
    return (
        f"Last {len(tones)} calls, newest at the right: {', '.join(counts)}"
        if len(tones) > 1
        else f"One call: {counts[0][2:]}"
    )


class Task(Struct, frozen=True):
    """One of the first steps of a new account."""

    text: str
    done: bool
    address: str


def getting_started(account_id: int) -> tuple[Task, ...]:
    """The four things that lead from nothing to a bot that gets its attributes; none once all are done."""
    seen = overview.beginnings(account_id)
    step = url_for("steps.edit", ref="new" if seen.step is None else seen.step)
    lines = f"{step}#usage"
    tasks = (
        Task("Describe a call", seen.step is not None, step),
        Task("Press Test and see the answer", seen.test, step),
        Task("Make a key for your bot", seen.key, url_for("keys.listed") if seen.step is None else lines),
        Task("Let your bot call the step", seen.bot, url_for("about.api") if seen.step is None else lines),
    )
    return () if all(task.done for task in tasks) else tasks
