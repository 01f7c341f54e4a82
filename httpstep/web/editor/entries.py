"""An execution as people see it: the one view of a log row, for the Test panel, the dialog and its page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from msgspec import Struct, field

from httpstep.core import jsontext
from httpstep.core.answer import reading
from httpstep.core.document import visible
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.exchange import HttpResponse
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex
from httpstep.core.step.spec import FALLBACKS
from httpstep.storage import logs
from httpstep.storage.tables import Log
from httpstep.web.editor.documents import headers_of
from httpstep.web.faults import own_fault

LABELS: Final = {
    "success": "Success", "http_error": "HTTP error", "rejected": "Rejected", "timeout": "Timeout", "network_error": "No connection",
    "blocked": "Not allowed", "too_large": "Too large", "not_json": "Not JSON", "invalid_request": "Not sent",
    "cancelled": "Cancelled", "disabled": "Switched off", "rate_limited": "Rate Limit Exceeded",
    "internal": "httpstep failed", "interrupted": "Interrupted", "running": "Running",
}  # fmt: skip
SOURCES: Final = {"test": "Test", "bot": "Bot"}


class BodyView(Struct, frozen=True):
    """A body for showing. pretty: "" where it is no JSON. cut: only its beginning was kept."""

    raw: str = ""
    pretty: str = ""
    size: int = 0
    cut: bool = False


class LogView(Struct, frozen=True):
    """detail holds what core.record wrote: request, response, tries, mapping, failure, unreadable, drift; body what was
    sent. Both are as the reader may see them."""

    log: Log
    outcome: str
    detail: dict[str, Json]
    body: bytes | None = None
    sent: BodyView = field(default_factory=BodyView)
    got: BodyView = field(default_factory=BodyView)

    @property
    def label(self) -> str:
        return LABELS.get(self.outcome, self.outcome)

    @property
    def result(self) -> str:
        """The badge of a result: "200 OK", "404 Not Found", or what happened where no status came."""
        status = self.log.status
        if status is None or self.outcome in ("not_json", "rejected"):
            return self.label if status is None else f"{status} {self.label}"
        try:
            return f"{status} {HTTPStatus(status).phrase}"
        except ValueError:
            return f"{status} {self.label}"

    @property
    def source(self) -> str:
        return SOURCES.get(self.log.source, self.log.source)

    @property
    def failed(self) -> bool:
        return self.outcome not in ("success", "running", "interrupted")

    @property
    def may_be_good(self) -> bool:
        """Whether the step could count its status as a success."""
        return self.outcome == "http_error" and (self.log.status or 500) < 500

    @property
    def tone(self) -> str:
        """The colour of the badge; the badge says it in words as well."""
        return tone(self.log.status, self.outcome)

    @property
    def sentence(self) -> str:
        if self.outcome == "success":
            return "The call succeeded. The bot goes on."
        if self.outcome == "running":
            return "The call is under way."
        if self.outcome == "internal":
            return own_fault()
        failure = self.detail.get("failure") or {}  # which says more than the bot is told
        return failure.get("message") or self.log.message or "The call failed."

    @property
    def fallback(self) -> str:
        return FALLBACKS.get(self.detail.get("fallback", ""), "")

    @property
    def bot_gets(self) -> str:
        """What a call that failed gives the bot, as its record says it: values about the call, and those that are set
        under "If it is missing"."""
        got = list(self.detail.get("attributes") or {})
        kept = set(self.detail.get("missing") or ()) - set(got)
        would = self.log.source == "test"
        keeps = "keep" if would else "keeps"
        if not got:
            return f"It {'would get' if would else 'got'} no value, and {keeps} what it had in this conversation."
        names = ", ".join(got[:_NAMED]) + (f" and {len(got) - _NAMED} more" if len(got) > _NAMED else "")
        rest = f", and {keeps} what else it had in this conversation" if kept else ""
        return f"It {'would get' if would else 'got'} {names}{rest}."

    @property
    def takes_first(self) -> bool:
        """Whether automatic rules leave all but the first item of some list behind."""
        rows = self.detail.get("mapping") or () if self.detail.get("automatic") else ()
        whole = {row["source"]: row["value"] for row in rows}
        lists = [whole.get(found[1]) for row in rows if (found := _OF_A_LIST.match(row["source"]))]
        return any(not isinstance(one, list) or len(one) > 1 for one in lists)  # a long list is kept as a text

    @property
    def advice(self) -> str:
        failure = self.detail.get("failure") or {}
        if self.log.source == "test":
            return advice_in_editor(failure.get("reason", ""), failure.get("advice") or "")
        return str(failure.get("advice") or "")

    @property
    def part(self) -> str:
        """Of the form, where the credentials are that the advice speaks of; "" where it speaks of none."""
        return next((part for words, part in _PARTS.items() if words in self.advice), "")

    @property
    def unreadable(self) -> dict[str, Json] | None:
        """Why the answer is no JSON, whether that was a failure or not."""
        found: dict[str, Json] | None = self.detail.get("unreadable")
        return found

    @property
    def kind(self) -> str:
        """The type of the answer in a word: JSON, HTML, XML, CSV, text, binary, empty."""
        answer = self.detail.get("response")
        if not answer:
            return ""
        if self.unreadable is None and self.outcome in ("success", "not_json"):
            return "JSON"
        reason = str((self.unreadable or {}).get("reason", ""))
        if reason in _KINDS:
            return _KINDS[reason]
        return str(answer.get("type") or "text").partition("/")[2].upper() or "text"

    @property
    def size(self) -> str:
        return size_text((self.detail.get("response") or {}).get("size", 0))


_KINDS: Final = {"html": "HTML", "xml": "XML", "csv": "CSV", "text": "Text", "binary": "Binary", "empty": "Empty"}


def tone(status: int | None, outcome: str) -> str:
    if outcome in ("interrupted", "running", "cancelled", "disabled", "skipped"):
        return "grey"
    if outcome == "success":
        return "green"
    return "amber" if status is not None and 400 <= status < 500 else "red"


def tone_of(log: Log, now: float) -> str:
    return tone(log.status, outcome_of(log, now))


def outcome_of(log: Log, now: float) -> str:
    if logs.is_interrupted(log, now):
        return "interrupted"
    return "running" if log.state == "running" else log.outcome or ""


def entry_of(log: Log, now: float, *, may_edit: bool) -> LogView:
    """The whole view of one row, for somebody who may edit the step or may not."""
    detail = visible.detail_for(jsontext.read_back(log.detail), may_edit=may_edit) if log.detail else {}
    body = visible.body_for(log.request_body, may_edit=may_edit)
    return LogView(
        log=log,
        outcome=outcome_of(log, now),
        detail=detail,
        body=body,
        sent=_text(body, detail.get("request") or {}),
        got=_text(log.response_body, detail.get("response") or {}),
    )


def _text(body: bytes | None, part: dict[str, Json]) -> BodyView:
    if not body:
        return BodyView(size=part.get("size", 0))
    raw = reading.text_of(HttpResponse(200, "", headers_of(part), body))
    if any(char in raw for char in "\x00\x01\x02\x03\x04\x05\x06\x07"):
        raw = f"Binary data, {size_text(part.get('size', len(body)))}. It is not shown."
    return BodyView(raw, _pretty(body), part.get("size", len(body)), bool(part.get("cut")))


def _pretty(body: bytes) -> str:
    try:
        return jsontext.pretty(jsontext.loads(body))
    except UnreadableAnswer:
        return ""


_NAMED: Final = 5
_OF_A_LIST: Final = regex(r"(\$(?:\['(?:[^'\\]|\\.)*+'\]|\[\d++\])*)\[0\]")
"""The place of the innermost list whose first item a path goes through (RFC 9535, 2.7)."""
_PARTS: Final = {"credentials under Authentication": "auth", "credentials in the header": "headers"}


def advice_in_editor(reason: str, advice: str) -> str:
    """What to do about a failure, for somebody who has the fields of the editor before them."""
    if reason != "missing_attribute":
        return advice
    return (
        "Enter a value under Values for test. In a live call your bot has to send it, unless it has a default under "
        "Attributes or the step sends missing attributes empty."
    )


def ended(text: str) -> str:
    """A text from elsewhere as a sentence of ours: with a full stop where it has none."""
    return text if text.rstrip()[-1:] in (".", "!", "?", "…", "") else f"{text.rstrip()}."


def size_text(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.1f} KB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def duration_text(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "–"
    return f"{milliseconds} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
