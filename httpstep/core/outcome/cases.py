"""Test cases: a kept call's values and what the bot got of them, and how another call differs from it.

Made from the records of calls (`record.Record.detail`), which are masked. What looks like a credential is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.core.masking.redaction import MASK, is_credential_name

MAX_NAME_CHARACTERS: Final = 100
MAX_CASE_CHARACTERS: Final = 256 * 1024
_MAX_SHOWN: Final = 300
_VARIES: Final = "call duration_ms"


class Case(Struct, frozen=True):
    """given: the values of the call. outcome, attributes: what is expected. lost: names of values that looked like a
    credential and were not kept. ignored: attributes that are not compared."""

    given: Mapping[str, Json]
    outcome: str
    attributes: Mapping[str, Json]
    lost: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class Difference(Struct, frozen=True):
    """name: the attribute; "" for the outcome of the call. expected, came: a value as JSON, cut; None where the
    attribute is not there."""

    name: str
    expected: str | None
    came: str | None


def kept(detail: Mapping[str, Any], outcome: str) -> Case:
    """The case of a recorded call. What differs with every call, its duration, is not compared."""
    given, attributes = detail.get("given") or {}, detail.get("attributes") or {}
    lost = [name for name, value in given.items() if _is_telling(name, value)]
    lost += [name for name, value in attributes.items() if _is_telling(name, value) and name not in lost]
    rows = detail.get("mapping") or ()
    return Case(
        given={name: value for name, value in given.items() if name not in lost},
        outcome=outcome,
        attributes={name: value for name, value in attributes.items() if name not in lost},
        lost=tuple(lost),
        ignored=tuple(dict.fromkeys(row["attribute"] for row in rows if row["source"] == _VARIES)),
    )


def _is_telling(name: str, value: Json) -> bool:
    return is_credential_name(name.rpartition(".")[2]) or MASK in jsontext.dumps_text([name, value])


def named_after(case: Case) -> str:
    """A name for it, from its values: "order.id = 1001"."""
    texts = [f"{name} = {_shown(value)}" for name, value in case.given.items()]
    return ", ".join(texts)[:MAX_NAME_CHARACTERS].rstrip() or "Without values"


def comparing(case: Case, compared: set[str]) -> Case:
    """The case with these of its attributes compared and no others."""
    return replace(case, ignored=tuple(name for name in case.attributes if name not in compared))


def differences(case: Case, detail: Mapping[str, Any], outcome: str) -> list[Difference]:
    """What is other in a recorded call than the case expects; empty where it is the same."""
    found = [] if outcome == case.outcome else [Difference("", case.outcome, outcome)]
    came = detail.get("attributes") or {}
    skipped = {*case.ignored, *case.lost}
    for name in dict.fromkeys((*case.attributes, *came)):
        expected, now = _text(case.attributes, name), _text(came, name)
        if expected != now and name not in skipped and not (expected is None and _is_telling(name, came[name])):
            found.append(Difference(name, _cut(expected), _cut(now)))
    return found


def _text(values: Mapping[str, Json], name: str) -> str | None:
    return jsontext.dumps_text(values[name]) if name in values else None


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else jsontext.dumps_text(value)


# ---------------------------------------------------------------- as it is stored


def dump(case: Case) -> str:
    members = {"given": dict(case.given), "outcome": case.outcome, "attributes": dict(case.attributes)}
    return jsontext.dumps_text(members | {"lost": list(case.lost), "ignored": list(case.ignored)})


def load(text: str) -> Case:
    members = jsontext.read_back(text)
    return Case(
        members["given"], members["outcome"], members["attributes"], tuple(members["lost"]), tuple(members["ignored"])
    )


def dump_differences(found: list[Difference]) -> str:
    return jsontext.dumps_text([[one.name, one.expected, one.came] for one in found])


def load_differences(text: str) -> list[Difference]:
    return [Difference(*one) for one in jsontext.read_back(text)]
