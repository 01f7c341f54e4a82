"""Tokens that APIs want in the path of an address, where no name tells them: Slack's webhooks, Telegram's bots."""

from __future__ import annotations

from typing import Final

from httpstep.core.regex import regex

_IN_PATH: Final = regex(
    r"(?P<slack>(?<=://hooks\.slack\.com/services/)T\w+/B\w+/)(?P<hook>\w{16,})|(?<=/bot)(?P<bot>[0-9]{6,}:[\w-]{20,})(?=/)"
)


def token_in_path(url: str) -> str:
    """ "" where there is none."""
    if "/bot" not in url and "://hooks.slack.com/" not in url:
        return ""
    found = _IN_PATH.search(url)
    return found["hook"] or found["bot"] if found else ""
