"""A flow: steps in an order, run by one call; each step's attributes are there for the next.

A place in it may have a condition on one attribute; where it does not hold, the step is left out. The answer of a
flow is put together from the answers of its steps, which have the shape of execute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from httpstep.core.answer import conditions
from httpstep.core.documentreader import Fault
from httpstep.core.inserting.encoders import text_of
from httpstep.core.inserting.placeholders import NOT_FOUND, is_name, lookup
from httpstep.core.jsontext import Json
from httpstep.core.step.naming import name_faults
from httpstep.core.step.spec import CONTINUE, OPERATORS, STOP
from httpstep.core.step.stepkey import KEY_RULE, is_key

OLD_SPELLINGS: Final = {"is": "equals", "is_not": "not_equals", "there": "exists", "not_there": "missing"}
"""Of operators, in flows that were stored before they were spelled as in step documents."""
MAX_STEPS: Final = 20
MAX_VALUE_CHARACTERS: Final = 1000
SECONDS: Final = 60
"""For all steps together."""
SKIPPED: Final = "skipped"
SUCCESS: Final = "success"


class Condition(Struct, frozen=True):
    """The step runs if it holds. test: one of `spec.OPERATORS`. value: text as typed, compared with what the attribute is
    outside JSON; for one_of with commas between the values."""

    attribute: str
    test: str
    value: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "test", operator_of(self.test) or self.test)

    def holds(self, attributes: Mapping[str, Json]) -> bool:
        """An attribute that is not there is nothing, contains nothing, and is neither above nor below a number."""
        found = lookup(self.attribute, attributes)
        if found is NOT_FOUND:
            found = conditions.NOTHING
        elif isinstance(found, list) and self.test == "contains":
            found = [text_of(item) for item in found]
        else:
            found = text_of(found)
        return conditions.holds(self.test, found, self._wanted)

    @property
    def _wanted(self) -> Json:
        return [part.strip() for part in self.value.split(",")] if self.test == "one_of" else self.value


def operator_of(test: str) -> str | None:
    """The operator that a stored flow or a form names, None where it is none."""
    spelled = OLD_SPELLINGS.get(test, test)
    return spelled if spelled in OPERATORS else None


class FlowStep(Struct, frozen=True):
    """A step in the flow, by its id, and when it runs (None: always)."""

    step_id: int
    when: Condition | None = None


class FlowSpec(Struct, frozen=True):
    """What an editor writes of a flow. The key is empty until the first save makes it from the name."""

    key: str = ""
    name: str = ""
    places: tuple[FlowStep, ...] = ()


def dump(spec: FlowSpec) -> list[Json]:
    """The places as the stored document has them; key and name stand beside it."""
    return [
        {"step_id": place.step_id}
        | (
            {}
            if place.when is None
            else {"when": {"attribute": place.when.attribute, "test": place.when.test, "value": place.when.value}}
        )
        for place in spec.places
    ]


def parse(key: str, name: str, document: Sequence[Json]) -> FlowSpec:
    """The flow of a stored document, which `check` had found right."""
    return FlowSpec(
        key,
        name,
        tuple(FlowStep(one["step_id"], Condition(**one["when"]) if "when" in one else None) for one in document),
    )


def check(spec: FlowSpec) -> list[Fault]:
    """What is wrong with it, in the order of the page, each with its place: "name", "key", "places[2].attribute"."""
    faults = [Fault("name", sentence) for sentence in name_faults(spec.name, "flow")]
    if spec.key and not is_key(spec.key):
        faults.append(Fault("key", KEY_RULE))
    if not spec.places:
        faults.append(Fault("places", "Add at least one step."))
    if len(spec.places) > MAX_STEPS:
        faults.append(Fault("places", f"A flow has at most {MAX_STEPS} steps; there are {len(spec.places)}."))
    for index, place in enumerate(spec.places):
        if place.when is not None:
            faults += [
                Fault(f"places[{index}].{member}", sentence) for member, sentence in _condition_faults(place.when)
            ]
    return faults


def _condition_faults(when: Condition) -> Iterable[tuple[str, str]]:
    if not is_name(when.attribute) or when.attribute.startswith("secret."):
        yield "attribute", "Name the attribute to look at: a letter or “_”, then letters, digits, “_”, “.” or “-”."
    if when.test in ("above", "below") and conditions.number_of(when.value) is None:
        yield "value", f"“{when.value[:40]}” is not a number."
    if when.test == "matches" and (sentence := conditions.value_fault(when.test, when.value)):
        yield "value", sentence
    if len(when.value) > MAX_VALUE_CHARACTERS:
        yield "value", f"The value has {len(when.value)} characters; at most {MAX_VALUE_CHARACTERS} are allowed."


def renamed(spec: FlowSpec, old: str, new: str) -> FlowSpec:
    """The flow with conditions on `new` where they were on `old`, or on a part of it."""

    def change(place: FlowStep) -> FlowStep:
        when = place.when
        if when is None or not (when.attribute == old or when.attribute.startswith(f"{old}.")):
            return place
        return replace(place, when=replace(when, attribute=new + when.attribute[len(old) :]))

    return replace(spec, places=tuple(change(place) for place in spec.places))


# ---------------------------------------------------------------- the answer


def left_out(step: str) -> dict[str, Json]:
    """What stands for a step whose condition did not hold."""
    return _answer(step, SKIPPED, CONTINUE, "Its condition did not hold.")


def not_run(step: str, outcome: str, next_: Literal["continue", "stop"], message: str) -> dict[str, Json]:
    """The answer of a step that could not be begun inside a flow: no call, no log."""
    return _answer(step, outcome, next_, message)


def _answer(step: str, outcome: str, next_: str, message: str) -> dict[str, Json]:
    return {
        "step": step, "outcome": outcome, "next": next_, "attributes": {}, "missing": [], "structure_changed": False,
        "http": {"status": None, "duration_ms": 0}, "message": message, "log_id": None,
    }  # fmt: skip


def ends(answer: Mapping[str, Json]) -> bool:
    """Whether the flow ends with this step: its fallback stops, or nobody is there any more to get an answer."""
    return bool(answer["next"] == STOP or answer["outcome"] == "cancelled")


def concluded(key: str, request_id: str, answers: Sequence[Mapping[str, Json]], duration_ms: float) -> dict[str, Json]:
    """The flow's answer: the shape of execute with `flow` in the place of `step`, and the steps as they went.

    It is a success where every step that ran was one; else the step that stopped it speaks for it, or the first
    that failed. A later step's value replaces an earlier one's; what one step gives is not missing for another's sake.
    """
    ran = [one for one in answers if one["outcome"] != SKIPPED]
    failed = [one for one in ran if one["outcome"] != SUCCESS]
    stopped = bool(ran) and ends(ran[-1])
    speaks = ran[-1] if stopped or (ran and not failed) else failed[0] if failed else None
    attributes, missing = _merged(ran)
    return {
        "request_id": request_id,
        "flow": key,
        "outcome": speaks["outcome"] if speaks else SUCCESS,
        "next": STOP if stopped else CONTINUE,
        "attributes": attributes,
        "missing": missing,
        "structure_changed": any(one["structure_changed"] for one in ran),
        "http": {"status": speaks["http"]["status"] if speaks else None, "duration_ms": round(duration_ms)},
        "message": speaks["message"] if speaks else None,
        "log_id": speaks["log_id"] if speaks else None,
        "steps": [_entry(one) for one in answers],
    }


def _merged(ran: Sequence[Mapping[str, Json]]) -> tuple[dict[str, Json], list[str]]:
    """(attributes, missing) of all steps together."""
    attributes: dict[str, Json] = {}
    missing: dict[str, None] = {}
    for one in ran:
        lacks = set(one["missing"])
        for name in one["attributes"].keys() - lacks:
            missing.pop(name, None)
        missing |= {name: None for name in one["missing"] if name in one["attributes"] or name not in attributes}
        attributes |= one["attributes"]
    return attributes, list(missing)


def _entry(answer: Mapping[str, Json]) -> dict[str, Json]:
    members = ("step", "outcome", "next", "structure_changed", "http", "message", "log_id")
    return {member: answer[member] for member in members}
