"""The schemas of a kept execution: `core.outcome.record` writes it, and `web.api.manage` gives it."""

from __future__ import annotations

from typing import Final

from httpstep.core.errors import FailureKind
from httpstep.core.jsontext import Json
from httpstep.core.step.schemas import Named, Schema, reference
from httpstep.storage.logs import MAX_LOGS
from httpstep.web.contract.words import TEXT, WORDS_OF_PATH, but, closed, list_of, nullable

_COUNT: Schema = {"type": "integer"}
_FLAG: Schema = {"type": "boolean"}
_HEADERS: Schema = list_of({"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}) | {
    "description": "Pairs of name and value, secrets masked."
}
_BODY: Schema = nullable("string") | {
    "description": "Of one log alone, up to 64 KB of it, secrets masked. U+FFFD where a byte is not UTF-8."
}
_SHORT: Final = "Shortened where it is long; the bot got it whole."


def schemas() -> Named:
    return {
        "Log": _log(),
        "Logs": closed(step=TEXT, logs=list_of(reference("Log")) | {"maxItems": MAX_LOGS}),
        "LogRequest": _sent(),
        "LogResponse": _came(),
        "LogTry": but(
            closed(
                ended_ms=_COUNT, status=nullable("integer"), failure=_or_null("Failure"),
                hops=list_of(reference("LogHop")), timings=_timings(),
            ), "hops", "timings"
        ),
        "LogHop": closed(method=TEXT, url=TEXT, address=nullable("string"), status=nullable("integer"), location=nullable("string")),
        "LogRow": closed(
            attribute=TEXT, source=TEXT, state={"type": "string", "enum": ["ok", "default", "missing", "off"]},
            value={"description": _SHORT}, why=TEXT,
        ),
        "Failure": closed(kind={"type": "string", "enum": [kind.value for kind in FailureKind]}, reason=TEXT, message=TEXT, advice=TEXT, place=TEXT),
        **_differences(),
    }  # fmt: skip


def _or_null(name: str) -> Schema:
    return {"anyOf": [reference(name), {"type": "null"}]}


def _log() -> Schema:
    """In the list of logs `request` and `response` lack `body`."""
    maybe: dict[str, Json] = {name: nullable("string") for name in ("outcome", "next", "message")}
    return closed(
        id=TEXT, request_id=TEXT, source={"type": "string", "enum": ["test", "bot"]}, actor=TEXT,
        started_at=TEXT | {"format": "date-time"},
        state={"type": "string", "enum": ["running", "done", "interrupted"]}, **maybe,
        duration_ms=nullable("integer"), structure_changed=_FLAG, request=_or_null("LogRequest"),
        response=_or_null("LogResponse"), tries=list_of(reference("LogTry")), notes=list_of(TEXT),
        mapping=list_of(reference("LogRow")), attributes={"type": "object", "description": _SHORT}, missing=list_of(TEXT),
        failure=_or_null("Failure"), drift=_or_null("Differences"),
    )  # fmt: skip


def _sent() -> Schema:
    sent = closed(
        method=TEXT, url=TEXT, headers=_HEADERS, size=_COUNT, cut=_FLAG, warnings=list_of(TEXT),
        filled_empty=list_of(TEXT), body=_BODY,
    )  # fmt: skip
    return but(sent, "warnings", "filled_empty", "body")


def _came() -> Schema:
    came = closed(status=_COUNT, reason=TEXT, headers=_HEADERS, size=_COUNT, cut=_FLAG, url=TEXT, type=TEXT, body=_BODY)
    return but(came, "type", "body")


def _timings() -> Schema:
    """Milliseconds; what did not happen is not there."""
    names = ("dns", "connect", "tls", "first_byte", "total")
    return but(closed(**dict.fromkeys(names, _COUNT)), *names)


def _differences() -> Named:
    kinds = ("missing", "changed", "new")
    changes = {kind: list_of(reference("Change")) for kind in kinds}
    more = but(closed(**dict.fromkeys(kinds, _COUNT)), *kinds)
    described = {"description": "How many of a kind there are beside those listed."}
    cut = {
        "description": "Names are cut at 200 characters. Of more than 300 in all, or 30 names, there is the end, with … before it."
    }
    return {
        "Differences": but(closed(**changes, more=more | described), "more"),
        "Change": closed(path=list_of(WORDS_OF_PATH) | cut, text=TEXT, was=TEXT, now=TEXT, mapped=_FLAG),
    }
