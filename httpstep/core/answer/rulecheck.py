"""What is wrong with the rules of a mapping, before anything is mapped by them."""

from __future__ import annotations

from collections.abc import Sequence

from httpstep.core import phones
from httpstep.core.answer.mapping import HEADER
from httpstep.core.conversion import CONVERSIONS
from httpstep.core.inserting.placeholders import SECRET_PREFIX, is_name
from httpstep.core.jsontext import Path
from httpstep.core.query import jsonpath
from httpstep.core.step.spec import TAKES, MappingRule


def check_rules(rules: Sequence[MappingRule]) -> list[tuple[int, str, str]]:
    """What is wrong with rules, as (index, member, sentence); an empty list if nothing is."""
    faults: list[tuple[int, str, str]] = []
    first: dict[str, int] = {}
    for index, rule in enumerate(rules):
        faults += [(index, member, sentence) for member, sentence in _faults(rule)]
        if rule.on and first.setdefault(rule.attribute, index) != index:
            other = first[rule.attribute] + 1
            sentence = f"“{rule.attribute}” is already filled by rule {other}. Rename one of the two or switch it off."
            faults.append((index, "attribute", sentence))
    return faults


def _faults(rule: MappingRule) -> list[tuple[str, str]]:
    faults = [("attribute", _attribute_fault(rule.attribute)), _source_fault(rule)]
    if rule.take not in TAKES:
        faults.append(("take", f"“take” must be one of: {', '.join(TAKES)}."))
    if rule.convert not in CONVERSIONS:
        faults.append(("convert", f"“convert” must be one of: {', '.join(CONVERSIONS)}."))
    if rule.region and not phones.is_region(rule.region):
        faults.append(("region", f"“{rule.region[:20]}” is not a country's two letters, like DE or US."))
    return [(member, sentence) for member, sentence in faults if sentence]


def _attribute_fault(name: str) -> str:
    if not name:
        return "Give the attribute a name."
    if name.startswith(SECRET_PREFIX):
        return f"Names that begin with “{SECRET_PREFIX}” are kept for secrets."
    if not is_name(name):
        return (
            "An attribute's name begins with a letter or “_”, goes on with letters, digits, “_”, “.” or “-”, "
            "and has at most 100 characters."
        )
    return ""


def _source_fault(rule: MappingRule) -> tuple[str, str]:
    given = [name for name in ("path", "jsonpath", "call") if getattr(rule, name) is not None]
    if len(given) != 1:
        return "path", "A rule has exactly one of “path”, “jsonpath” and “call”."
    if rule.call is not None:
        return "call", _call_fault(rule.call)
    if rule.jsonpath is not None:
        return "jsonpath", jsonpath.check_query(rule.jsonpath) or ""
    return "path", _path_fault(rule.path or ())


def _call_fault(name: str) -> str:
    if name in ("status", "error", "duration_ms"):
        return ""
    if name.startswith(HEADER) and name.removeprefix(HEADER).strip():
        return ""
    return "“call” must be one of: status, error, duration_ms, header:NAME."


def _path_fault(path: Path) -> str:
    if all(isinstance(part, str) or (type(part) is int and part >= 0) for part in path):
        return ""
    return "A path is a list of names and of places in lists, counted from 0."
