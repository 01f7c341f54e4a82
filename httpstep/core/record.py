"""What is kept and shown of an execution: a JSON value and two bodies, with every secret masked.

The log row, the View modal, the Test panel and the mail are made from this and from nothing else, so a
secret that is masked here is masked everywhere. What the bot gets is not: it is the bot's own answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from decimal import Decimal

from httpstep.core import jsontext, reading, redaction
from httpstep.core.exchange import HttpResponse, RenderedRequest, Timings
from httpstep.core.execution import Change, Drift, Execution, Failure, MappedRow, Try
from httpstep.core.headers import authority_of, completed
from httpstep.core.jsonpath import normalized
from httpstep.core.jsontext import Json
from httpstep.core.spec import MappingRule

KEPT_BYTES = 64 * 1024
LONGEST_VALUE = 2000


@dataclass(frozen=True, slots=True)
class Record:
    """detail: JSON of everything but the bodies; request_body, response_body: masked and cut at 64 KB; message masked."""

    detail: dict[str, Json]
    message: str | None
    request_body: bytes | None = field(repr=False)
    response_body: bytes | None = field(repr=False)


def record_of(execution: Execution, given: Mapping[str, Json], timeout: float | None = None) -> Record:
    """The record of an execution. given: the attributes the caller sent; timeout: the seconds it asked for."""
    secrets = execution.secrets
    request_body, request_cut = _body(execution.request.body if execution.request else None, secrets)
    response_body, response_cut = _body(execution.response.body if execution.response else None, secrets)
    detail = {
        "key": execution.spec.key,
        "name": execution.spec.name,
        "given": dict(given),
        "timeout": timeout,
        "request": _request(execution.request, request_cut),
        "response": _response(execution.response, response_cut),
        "tries": [_try(one) for one in execution.tries],
        "notes": list(notes_of(execution)),
        "mapping": [_row(row, secrets) for row in execution.mapping.rows],
        "automatic": execution.automatic is not None,
        "attributes": {name: _short(value, secrets) for name, value in execution.outcome.attributes.items()},
        "missing": list(execution.outcome.missing),
        "failure": _failure(execution.failure),
        "unreadable": _failure(execution.unreadable),
        "drift": drift_json(execution.drift),
        "fallback": execution.spec.fallback,
        "token_url": execution.token_url,
    }
    message = execution.outcome.message
    masked = masked_json(detail, secrets)
    assert isinstance(masked, dict)
    return Record(masked, None if message is None else redaction.redact(message, secrets), request_body, response_body)


def notes_of(execution: Execution) -> tuple[str, ...]:
    """What was put up with on the way, a sentence each, in order and without repetition: of the tries, to begin with."""
    return tuple(dict.fromkeys(note for one in execution.tries for note in one.trace.notes))


def masked_json(value: Json, secrets: Set[str]) -> Json:
    """The same document with secrets masked in every text, key and number."""
    if not secrets:
        return value
    if isinstance(value, str):
        return redaction.redact(value, secrets)
    if isinstance(value, dict):
        return {redaction.redact(key, secrets): masked_json(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked_json(item, secrets) for item in value]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        text = jsontext.dumps_text(value)
        hidden = redaction.redact(text, secrets)
        return value if hidden == text else hidden
    return value


def cut(data: bytes, most: int = KEPT_BYTES) -> tuple[bytes, bool]:
    """At most that many bytes, ended on a UTF-8 character (RFC 3629, 3), and whether anything went."""
    if len(data) <= most:
        return data, False
    end = most
    while end > most - 4 and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end], True


def _body(data: bytes | None, secrets: Set[str]) -> tuple[bytes | None, bool]:
    if data is None:
        return None, False
    return cut(redaction.redact_bytes(data, secrets) if secrets else data)


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


def source_text(rule: MappingRule) -> str:
    """Where a rule reads, for people: a normalized path (RFC 9535, 2.7), a query, or the name of a fact of the call."""
    if rule.path is not None:
        return normalized(rule.path)
    return rule.jsonpath if rule.jsonpath is not None else f"call {rule.call}"


def _row(row: MappedRow, secrets: Set[str]) -> Json:
    return {
        "attribute": row.rule.attribute,
        "source": source_text(row.rule),
        "state": row.state,
        "value": _short(row.value, secrets),
        "why": row.why,
    }


def _short(value: Json, secrets: Set[str]) -> Json:
    """A value as it is kept: a long one as the beginning of its text, so that a row stays small.

    A long one is masked first: what is left of a secret that was cut in two would not be known for one.
    """
    if isinstance(value, (str, list, dict)):
        text = value if isinstance(value, str) else jsontext.dumps_text(value)
        if len(text) > LONGEST_VALUE:
            return redaction.redact(text, secrets)[:LONGEST_VALUE] + "…"
    return value


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


def drift_json(drift: Drift) -> Json:
    """The difference as JSON; None where there is none."""
    if not drift:
        return None
    return {"missing": _changes(drift.missing), "changed": _changes(drift.changed), "new": _changes(drift.new)}


def _changes(changes: tuple[Change, ...]) -> list[Json]:
    return [
        {"path": list(one.path), "text": normalized(one.path), "was": one.was, "now": one.now, "mapped": one.mapped}
        for one in changes[:200]
    ]
