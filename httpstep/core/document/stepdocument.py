"""The step document to StepSpec and back. Reading reports every fault at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from httpstep.core.answer import conditions, statuses
from httpstep.core.answer.rulecheck import check_rules
from httpstep.core.document import addressees
from httpstep.core.document.kind import DocumentError, DocumentKind
from httpstep.core.documentreader import Fault, Reader
from httpstep.core.jsontext import Json
from httpstep.core.request.requestcheck import check_request
from httpstep.core.step import members
from httpstep.core.step.naming import name_faults
from httpstep.core.step.schemas import Named
from httpstep.core.step.spec import MAX_RULES, MappingRule, StepSpec
from httpstep.core.step.stepkey import KEY_RULE, is_key

__all__ = ["FORMAT", "STEP", "DocumentError", "Fault", "dump", "parse"]

FORMAT: Final = "httpstep/1"


def parse(document: Json, *, draft: bool = False) -> StepSpec:
    """The step a document describes; missing members take the defaults of `StepSpec`.

    draft: an empty name is taken too, for a step that is tested before it is saved. Raises DocumentError.
    """
    return STEP.read(document, partial(_checked, draft=draft))


def dump(spec: StepSpec) -> dict[str, Json]:
    """The whole document, members in the documented order. `parse(dump(spec)) == spec`.

    `mapping` is left out where it was never set; a rule has its one source and `default` only where it has one.
    """
    return STEP.write(spec)


def parse_rules(rules: Json) -> tuple[MappingRule, ...]:
    """The `mapping` member alone. Raises DocumentError."""
    root = Reader({"mapping": rules}, "", [])
    parsed: tuple[MappingRule, ...] = members.Objects(MappingRule, MAX_RULES).read(root, "mapping", ())
    if root.faults:
        raise DocumentError(root.faults)
    return parsed


def dump_rules(rules: Sequence[MappingRule]) -> list[Json]:
    """Rules as the `mapping` member has them."""
    return [members.write(rule) for rule in rules]


def schemas() -> Named:
    """The schemas of the contract: "Step", and all that it refers to."""
    return STEP.schemas()


# ---------------------------------------------------------------- what the types do not say


def _checked(spec: StepSpec, draft: bool = False) -> Iterator[Fault]:
    """What is wrong with members whose types are right."""
    for member, check in _CHECKS.items():
        for place, sentence in check(getattr(spec, member)):
            yield Fault(f"{member}{place}", sentence)
    if spec.name or not draft:
        yield from (Fault("name", sentence) for sentence in name_faults(spec.name, "step"))


def _key(key: str) -> Iterator[tuple[str, str]]:
    if key and not is_key(key):
        yield "", KEY_RULE


def _statuses(text: str) -> Iterator[tuple[str, str]]:
    if sentence := statuses.fault_in(text):
        yield "", sentence


_CHECKS: Final[dict[str, Callable[[Any], Iterator[tuple[str, str]]]]] = {
    "key": _key,
    "success_statuses": _statuses,
    "success_when": conditions.faults_in,
    "error_message": lambda place: conditions.place_faults(place) if place else iter(()),
    "expired_when": conditions.faults_in,
    "alert_emails": lambda emails: ((f"[{index}]", sentence) for index, sentence in addressees.faults_in(emails)),
    "request": lambda request: ((f".{place}", sentence) for place, sentence in check_request(request)),
    "mapping": lambda rules: ((f"[{index}].{name}", sentence) for index, name, sentence in check_rules(rules or ())),
}
"""(place below the member, sentence) of each fault."""


STEP: Final = DocumentKind("step", FORMAT, StepSpec, _checked)
