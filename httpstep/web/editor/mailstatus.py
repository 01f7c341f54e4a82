"""What became of the alert mails of a step, and when the next one is possible, in sentences."""

from __future__ import annotations

from msgspec import Struct

from httpstep.alerts import alerts
from httpstep.storage.tables import StepState
from httpstep.web.access import may
from httpstep.web.editor.editor import Editor
from httpstep.web.editor.entries import ended
from httpstep.web.here import parts


class MailLine(Struct, frozen=True):
    """A line of text; a number in it is a moment, in seconds since the epoch. tone: "", "muted" or "danger"."""

    parts: tuple[str | float, ...]
    tone: str = ""


class MailStatus(Struct, frozen=True):
    """can_reset: the hour can be cleared with Reset Mail Timeout."""

    lines: list[MailLine]
    can_reset: bool


_AT_ONCE = "Next alert can be sent at once."


def next_alert(editor: Editor) -> float:
    """When the next mail is possible, in seconds since the epoch."""
    return (editor.state.last_alert_at or 0) + alerts.HOUR if editor.state else 0


def mail_status_of(editor: Editor) -> MailStatus:
    on, state = parts().alerts.on, editor.state
    can_reset = on and not editor.is_new and may("editor")
    if not on:
        return MailStatus([MailLine((mail_is_off("so no alert is sent"),), "muted")], can_reset)
    if state is None:
        return MailStatus([MailLine(("No alert has been sent yet.",), "muted")], can_reset)
    waiting = alerts.undelivered(state.step_id)
    delivered = state.last_alert_to - (waiting.addresses if waiting else 0)
    lines = [_under_way(waiting, editor.now)] if waiting else []
    if not waiting and state.mail_error:
        lines = [MailLine((f"Last mail failed: {ended(state.mail_error)}",), "danger")]
    if waiting is None or delivered > 0:
        lines.append(_sent(editor, state, delivered))
    return MailStatus(lines, can_reset)


def mail_is_off(meaning: str = "") -> str:
    """For whoever reads it: an operator reads what to set, everybody else whom to ask. meaning: what follows from it."""
    why, how = (
        ("HTTPSTEP_SMTP_URL is not set", "That variable sets up e-mail on this server.")
        if may("operator")
        else ("e-mail is not set up on this server", "The operator, who runs it, can do that.")
    )
    return f"Mail is off: {why}{f', {meaning}' if meaning else ''}. {how}"


def _under_way(waiting: alerts.Undelivered, now: float) -> MailLine:
    to = _addresses(waiting.addresses)
    if not waiting.why:
        return MailLine((f"An alert is on its way to {to}.",))
    failed = f"Last mail failed: {ended(waiting.why)} Not delivered yet to {to}. "
    if waiting.again <= now:
        return MailLine((f"{failed}Tried again with the next call.",), "danger")
    return MailLine((f"{failed}Next try at ", waiting.again, "."), "danger")


def _sent(editor: Editor, state: StepState, delivered: int) -> MailLine:
    if editor.mail_reset or not state.last_alert_at:
        return MailLine((_AT_ONCE,), "muted")
    told = ("Last alert ", state.last_alert_at, f" to {_addresses(delivered)}. ")
    if next_alert(editor) > editor.now:
        return MailLine((*told, "Next possible ", next_alert(editor), "."))
    return MailLine((*told, _AT_ONCE))


def _addresses(count: int) -> str:
    return f"{count} address{'' if count == 1 else 'es'}"
