"""Times as pages show them: UTC and marked so; the browser turns them into its own zone."""

from __future__ import annotations

import time
from typing import Final

from flask import Flask

_TEXT: Final = "%Y-%m-%d %H:%M:%S UTC"
_MACHINE: Final = "%Y-%m-%dT%H:%M:%SZ"


def utc_text(moment: float) -> str:
    """Seconds since the epoch as "2026-01-31 12:00:00 UTC"."""
    return time.strftime(_TEXT, time.gmtime(moment))


def utc_machine(moment: float) -> str:
    """The same as RFC 3339 has it, for <time datetime>."""
    return time.strftime(_MACHINE, time.gmtime(moment))


def register(app: Flask) -> None:
    app.add_template_filter(utc_text)
    app.add_template_filter(utc_machine)
