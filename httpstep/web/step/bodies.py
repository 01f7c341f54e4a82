"""Switching a body between its kinds without dropping what was typed."""

from __future__ import annotations

from httpstep.core import jsontext
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.inserting.encoders import text_of
from httpstep.core.inserting.jsonbodies import JsonBodyFault, Quoted, compile_json
from httpstep.core.inserting.placeholders import Placeholder, PlaceholderFault
from httpstep.core.step.spec import ROW_MODES
from httpstep.web.stepform import PairRow, StepForm

NO_ROWS = "Your JSON text is kept; it has no flat fields to show as rows."


def switch(form: StepForm, mode: str) -> str:
    """Switch the body's mode. What was typed is turned over where it can be; a text of one's own is never replaced.
    A new raw body escapes values where it is XML.

    Returns a sentence where nothing could be turned over, else "".
    """
    note = ""
    if form.body_mode in ROW_MODES and mode == "json":
        names = {row.name for row in form.fields if row.name}
        known = _flat(form.json_text)
        if names and (not form.json_text.strip() or (known is not None and known.keys() <= names)):
            form.json_text = _json_of(form.fields)
    elif form.body_mode == "json" and mode in ROW_MODES:
        values = _flat(form.json_text)
        if not values and form.json_text.strip():
            note = NO_ROWS
        elif values and all(row.name in values for row in form.fields if row.name or row.value):
            form.fields = [PairRow(name, value) for name, value in values.items()]
    elif mode == "raw" and not form.raw_text.strip():
        form.escape = "auto"
        if form.body_mode == "json":
            form.raw_text, form.content_type = form.json_text, "application/json"
    form.body_mode = mode
    return note


def _json_of(fields: list[PairRow]) -> str:
    values = {row.name: row.value for row in fields if row.name}
    return jsontext.pretty(values).replace("\\\\{{", "\\{{")


def _flat(text: str) -> dict[str, str] | None:
    """The members of a JSON object as texts, placeholders kept; None where it is none, or has objects in it."""
    try:
        parts = compile_json(text)
        value = jsontext.loads("".join(map(_as_text, parts)))
    except (JsonBodyFault, PlaceholderFault, UnreadableAnswer):
        return None
    if not isinstance(value, dict) or any(isinstance(item, (dict, list)) for item in value.values()):
        return None
    return {name: text_of(item) for name, item in value.items()}


def _as_text(part: str | Placeholder | Quoted) -> str:
    if isinstance(part, str):
        return part.replace("{{", "\\\\{{") if "{{" in part else part
    return part.placeholder.source if isinstance(part, Quoted) else f'"{part.source}"'
