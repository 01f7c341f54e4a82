"""The one event that the recipe makes, as rasa-sdk has it."""

from __future__ import annotations

from typing import Any


def SlotSet(key: str, value: Any = None, timestamp: float | None = None) -> dict[str, Any]:
    return {"event": "slot", "timestamp": timestamp, "name": key, "value": value}
