"""The JSON answer that the mapping is made on: a test's, one that was pasted, or the accepted sample."""

from __future__ import annotations

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.answer import reading
from httpstep.core.answer.mapping import CallFacts
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.exchange import HttpResponse
from httpstep.core.jsontext import Json
from httpstep.storage.tables import Log

Headers = tuple[tuple[str, str], ...]


class AnswerDocument(Struct, frozen=True):
    """log_id: the test it can be read from again; None for the accepted sample, for pasted text, and where the log
    keeps only a part. cut: it is on the screen now and nowhere else. failed: the call was no success, so that the
    answer is looked at and never mapped."""

    value: Json
    call: CallFacts | None = None
    log_id: int | None = None
    pasted: bool = False
    cut: bool = False
    failed: bool = False


def of_body(body: bytes | None, headers: Headers = (), *, pasted: bool = False) -> AnswerDocument | None:
    """The document of a kept body, None where it is no JSON."""
    if body is None:
        return None
    try:
        return AnswerDocument(reading.read(HttpResponse(200, "", headers, body)), pasted=pasted)
    except UnreadableAnswer:
        return None


def of_log(log: Log | None) -> AnswerDocument | None:
    """The JSON answer a log row holds, None where it is none or was cut."""
    if log is None or log.response_body is None or not log.detail:
        return None
    detail = jsontext.read_back(log.detail)
    answer = detail.get("response") or {}
    found = None if answer.get("cut") else of_body(log.response_body, headers_of(answer))
    if found is None:
        return None
    return AnswerDocument(
        found.value, facts_of(detail, log.duration_ms or 0), log.id, failed=bool(detail.get("failure"))
    )


def facts_of(detail: dict[str, Json], duration_ms: int) -> CallFacts:
    """The facts of the call that a kept record holds."""
    answer, failure = detail.get("response") or {}, detail.get("failure") or {}
    return CallFacts(
        answer.get("status"), failure.get("message"), duration_ms, headers_of(answer), detail.get("given") or {}
    )


def headers_of(answer: dict[str, Json]) -> Headers:
    return tuple((name, value) for name, value in answer.get("headers", ()))
