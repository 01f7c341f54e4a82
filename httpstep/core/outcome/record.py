"""What is kept and shown of an execution: a JSON value and two bodies, with every secret masked.

The log row, the View modal, the Test panel and the mail are made from this and from nothing else, so a
secret that is masked here is masked everywhere. What the bot gets is not: it is the bot's own answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Set
from itertools import chain

from httpstep.core.answer import reading
from httpstep.core.exchange import HttpResponse, RenderedRequest, Timings
from httpstep.core.inserting.headers import authority_of, completed
from httpstep.core.jsontext import Json, Path
from httpstep.core.masking import redaction
from httpstep.core.masking.masking import (
    is_longer,
    masked_beginning,
    masked_beginnings,
    masked_json,
    masked_members,
)
from httpstep.core.private import Private
from httpstep.core.query.jsonpath import normalized
from httpstep.core.step.execution import (
    Change,
    Drift,
    Execution,
    Failure,
    MappedRow,
    Try,
)
from httpstep.core.step.spec import MappingRule

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_VALUE_CHARACTERS",
    "Record",
    "cut",
    "drift_json",
    "masked_json",
    "record_of",
    "source_text",
]

MAX_BODY_BYTES = 64 * 1024
MAX_VALUE_CHARACTERS = 2000
_MAX_MAPPED_CHARACTERS = 512 * 1024
"""Characters of long values that are masked for one record. Of those beyond it nothing is kept but the mark of a cut."""
_MAX_PATH = 300
_MAX_NAME = 200
"""Characters of the path of a difference, and of one name in it."""
_MAX_PARTS = 30
_MAX_AROUND = 4
"""Characters of a normalized path around a name."""


class Record(Private, frozen=True):
    """detail: JSON of everything but the bodies; request_body, response_body: masked and cut at 64 KB; message masked."""

    detail: dict[str, Json]
    message: str | None
    request_body: bytes | None
    response_body: bytes | None


def record_of(execution: Execution, given: Mapping[str, Json], timeout: float | None = None) -> Record:
    """The record of an execution. given: the attributes the caller sent; timeout: the seconds it asked for."""
    secrets = execution.secrets
    request_body, request_cut = _body(execution.request.body if execution.request else None, secrets)
    response_body, response_cut = _body(execution.response.body if execution.response else None, secrets)
    values = _short_values(execution.mapping.rows, secrets)
    detail = {
        "key": execution.spec.key,
        "name": execution.spec.name,
        "given": dict(given),
        "timeout": timeout,
        "request": _request(execution.request, request_cut),
        "response": _response(execution.response, response_cut),
        "tries": [_try(one) for one in execution.tries],
        "notes": list(notes_of(execution)),
        "mapping": [_row(row, short, secrets) for row, short in zip(execution.mapping.rows, values, strict=True)],
        "automatic": execution.automatic is not None,
        "attributes": _attributes(execution, values),
        "missing": list(execution.outcome.missing),
        "failure": _failure(execution.failure),
        "unreadable": _failure(execution.unreadable),
        "drift": drift_json(execution.drift, secrets),
        "fallback": execution.spec.fallback,
        "token_url": execution.token_url,
    }
    message = execution.outcome.message
    masked = masked_members(detail, secrets)
    return Record(masked, None if message is None else redaction.redact(message, secrets), request_body, response_body)


def notes_of(execution: Execution) -> tuple[str, ...]:
    """What was put up with on the way, a sentence each, in order and without repetition: of the tries, then of reading."""
    notes = [note for one in execution.tries for note in one.trace.notes]
    if execution.response and execution.has_document:
        notes += reading.notes_on(execution.response)
    return tuple(dict.fromkeys(notes))


def cut(data: bytes, limit: int = MAX_BODY_BYTES) -> tuple[bytes, bool]:
    """At most that many bytes, ended on a UTF-8 character (RFC 3629, 3), and whether anything went."""
    if len(data) <= limit:
        return data, False
    end = limit
    while end > limit - 4 and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end], True


def _body(data: bytes | None, secrets: Set[str]) -> tuple[bytes | None, bool]:
    """Cut first and masked then, with a margin for a secret that the first cut divides."""
    if data is None:
        return None, False
    margin = redaction.margin(secrets)
    start, was_cut = cut(data, MAX_BODY_BYTES + margin)
    masked = redaction.redact_bytes(start, secrets)
    whole = max(0, len(masked) - margin) if was_cut else len(masked)  # masked, it may be shorter than the margin
    kept, cut_again = cut(masked, min(MAX_BODY_BYTES, whole))
    return kept, was_cut or cut_again


def _request(request: RenderedRequest | None, was_cut: bool) -> Json:
    if request is None:
        return None
    return {
        "method": request.method,
        "url": request.url,
        "headers": [list(pair) for pair in redaction.redact_pairs(_sent_headers(request), frozenset())],
        "size": len(request.body or b""),
        "cut": was_cut,
        "warnings": list(request.warnings),
        "filled_empty": list(request.filled_empty),
    }


def _sent_headers(request: RenderedRequest) -> tuple[tuple[str, str], ...]:
    length = None if request.body is None else len(request.body)
    return completed(request.method, authority_of(request.url), request.headers, length)


def _response(response: HttpResponse | None, was_cut: bool) -> Json:
    if response is None:
        return None
    return {
        "status": response.status,
        "reason": response.reason,
        "headers": [list(pair) for pair in redaction.redact_pairs(response.headers, frozenset())],
        "size": len(response.body),
        "cut": was_cut,
        "url": response.url,
        "type": reading.media_type(response),
    }


def _try(one: Try) -> Json:
    hops = [
        {"method": hop.method, "url": hop.url, "address": hop.address, "status": hop.status, "location": hop.location}
        for hop in one.trace.hops
    ]
    ended = round(one.ended_ms)
    return {
        "ended_ms": ended, "status": one.status, "failure": _failure(one.failure), "hops": hops,
        "timings": _timings(one.trace.timings),
    }  # fmt: skip


def _timings(timings: Timings) -> dict[str, Json]:
    named = (
        ("dns", timings.dns_ms), ("connect", timings.connect_ms), ("tls", timings.tls_ms),
        ("first_byte", timings.first_byte_ms), ("total", timings.total_ms),
    )  # fmt: skip
    return {name: round(value) for name, value in named if value is not None}


def source_text(rule: MappingRule, limit: int | None = None) -> str:
    """Where a rule reads, for people: a normalized path (RFC 9535, 2.7), a query, or the name of a fact of the call.

    limit: the text is right up to so many characters, and may end there.
    """
    if rule.path is not None:
        return normalized(rule.path, limit)
    return rule.jsonpath if rule.jsonpath is not None else f"call {rule.call}"


def _row(row: MappedRow, short: Json, secrets: Set[str]) -> Json:
    return {
        "attribute": row.rule.attribute,
        "source": _short(source_text(row.rule, MAX_VALUE_CHARACTERS + redaction.margin(secrets) + 1), secrets),
        "state": row.state,
        "value": short,
        "why": _short(row.why, secrets),
    }


def _short(text: str, secrets: Set[str]) -> str:
    """A text with a path in it: a name in an answer may be as long as the answer."""
    if len(text) <= MAX_VALUE_CHARACTERS:
        return text
    return masked_beginning(text, MAX_VALUE_CHARACTERS, secrets) + "…"


def _attributes(execution: Execution, values: list[Json]) -> dict[str, Json]:
    """The attributes as their rows have them; of two rows for one the first that gave something."""
    short: dict[str, Json] = {}
    for row, value in zip(execution.mapping.rows, values, strict=True):
        if row.state in ("ok", "default"):
            short.setdefault(row.rule.attribute, value)
    return {name: short[name] for name in execution.outcome.attributes}


def _short_values(rows: tuple[MappedRow, ...], secrets: Set[str]) -> list[Json]:
    """The rows' values as they are kept: a long one as the masked beginning of its text, so that a row stays small."""
    left, values = _MAX_MAPPED_CHARACTERS, []
    for row in rows:
        value = row.value
        if isinstance(value, (str, list, dict)) and is_longer(value, MAX_VALUE_CHARACTERS):
            value = (masked_beginning(value, MAX_VALUE_CHARACTERS, secrets) if left > 0 else "") + "…"
            left -= MAX_VALUE_CHARACTERS + redaction.margin(secrets)
        values.append(value)
    return values


def _failure(failure: Failure | None) -> Json:
    if failure is None:
        return None
    return {
        "kind": failure.kind.value,
        "reason": failure.reason,
        "message": failure.message,
        "advice": failure.advice,
        "place": failure.place,
    }


def drift_json(drift: Drift, secrets: Set[str] = frozenset()) -> Json:
    """The difference as JSON; None where there is none. `more`: how many of a kind there are beside those listed.

    A name of more than 200 characters is cut, masked, and of a path of more than 300, or of more than 30 names, there is
    the end, with "…" before it: 400 are listed, and what they share may be nearly all of the answer.
    """
    if not drift:
        return None
    more = {"missing": drift.more_missing, "changed": drift.more_changed, "new": drift.more_new}
    names = _cut_names((*drift.missing, *drift.changed, *drift.new), secrets)
    listed = {
        kind: [_change(one, _short_path(one.path, names)) for one in changes]
        for kind, changes in (("missing", drift.missing), ("changed", drift.changed), ("new", drift.new))
    }
    return listed | ({"more": {kind: count for kind, count in more.items() if count}} if any(more.values()) else {})


def _change(one: Change, path: Path) -> Json:
    return {"path": list(path), "text": normalized(path), "was": one.was, "now": one.now, "mapped": one.mapped}


def _cut_names(changes: Iterable[Change], secrets: Set[str]) -> dict[str, str]:
    """The names in their paths that are too long, and what is kept of them."""
    parts = chain.from_iterable(change.path[-_MAX_PARTS:] for change in changes)
    long = {part for part in parts if isinstance(part, str) and len(part) > _MAX_NAME}
    return dict(zip(long, masked_beginnings(list(long), _MAX_NAME, secrets), strict=True))


def _short_path(path: Path, names: Mapping[str, str]) -> Path:
    """names: by those that are too long."""
    room, kept = _MAX_PATH, deque[str | int]()
    for part in reversed(path[-_MAX_PARTS:]):
        part = names.get(part, part) if isinstance(part, str) else part
        room -= len(str(part)) + _MAX_AROUND
        if room < 0:
            return ("…", *kept)
        kept.appendleft(part)
    return tuple(kept) if len(path) <= _MAX_PARTS else ("…", *kept)
