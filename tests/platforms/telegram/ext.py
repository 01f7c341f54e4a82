"""A bot that gets one message, “42”, and ends; what it replies is printed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any


class _Filter:
    def __and__(self, _: _Filter) -> _Filter:
        return self

    def __invert__(self) -> _Filter:
        return self


filters = SimpleNamespace(TEXT=_Filter(), COMMAND=_Filter())


class MessageHandler:
    def __init__(self, wanted: Any, callback: Callable[[Any, Any], Awaitable[None]]) -> None:
        self.callback = callback


class ApplicationBuilder:
    def token(self, _: str) -> ApplicationBuilder:
        return self

    def concurrent_updates(self, _: bool) -> ApplicationBuilder:
        return self

    def build(self) -> ApplicationBuilder:
        return self

    def add_handler(self, handler: MessageHandler) -> None:
        self.handler = handler

    def run_polling(self) -> None:
        message = SimpleNamespace(text="42", reply_text=_reply)
        asyncio.run(self.handler.callback(SimpleNamespace(update_id=1, message=message), None))


async def _reply(text: str) -> None:
    sys.stdout.write(json.dumps(text))
