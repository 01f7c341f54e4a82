"""The drift a step is marked with, as one value: what differs, where each broken rule may read, and taking it over.

The API and the command line are views of it; the page has the same places from the same `remap`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from httpstep.core import jsontext
from httpstep.core.answer import reading
from httpstep.core.answer.rulecheck import check_rules
from httpstep.core.drift.marking import with_dictionaries
from httpstep.core.drift.remapping import Move, moved, remap
from httpstep.core.drift.structure import compare
from httpstep.core.drift.variation import dictionaries_in
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.exchange import HttpResponse
from httpstep.core.jsontext import Json, Path
from httpstep.core.outcome.fallback import SUCCESS
from httpstep.core.step.spec import MappingRule
from httpstep.storage import logs, steps
from httpstep.storage.tables import Log, Step, StepState

Choice = Literal["suggested", "none"] | Mapping[str, Path | None]


class NotThere(Exception):
    """The step is not marked, or with another answer than the one that was named. `str` is a sentence."""


class WrongChoice(ValueError):
    """`str` is a sentence."""


class Found(Struct, frozen=True):
    """differences: JSON as core.record writes them. old, new: the two answers; known: the new one is still kept whole,
    so that moves can be told. log: of the new answer, None where it is gone."""

    step: Step
    state: StepState
    differences: dict[str, Json]
    log: Log | None
    known: bool
    old: Json
    new: Json
    moves: tuple[Move, ...]


def of_step(step: Step) -> Found | None:
    """None where the step is not marked."""
    state = steps.state(step.id)
    if state.drift is None:
        return None
    log = logs.get(step.account_id, state.drift_log_id) if state.drift_log_id is not None else None
    known, new = document_of(log)
    accepted = jsontext.read_back(state.structure) if state.structure else None
    kept = like_asked(usual_before(logs.newest(step.account_id, step_id=step.id), log, accepted), log)
    old = document_of(kept)[1] if kept is not None else read(state.sample)[1]
    moves = remap(_rules(step, state), old, new)[1] if known else []
    return Found(step, state, jsontext.read_back(state.drift), log, known, old, new, tuple(moves))


def usual_before(kept: Iterable[Log], later: Log | None, accepted: Json) -> list[Log]:
    """The kept older answers that have the accepted structure, the newest first."""
    if later is None or accepted is None:
        return []
    older = [log for log in kept if log.id < later.id and log.outcome == SUCCESS and log.structure]
    data = dictionaries_in(accepted)
    return [
        log
        for log in older
        if not compare(accepted, with_dictionaries(jsontext.read_back(log.structure or ""), data))
        and document_of(log)[0]
    ]


def like_asked(usual: Iterable[Log], later: Log | None) -> Log | None:
    """The newest of them whose call had the same attributes as the later one: then equal values tell where each went."""
    given = _given(later) if later is not None else None
    return next((log for log in usual if _given(log) == given), None)


def _given(log: Log) -> Json:
    return jsontext.read_back(log.detail).get("given") if log.detail else None


def document_of(log: Log | None) -> tuple[bool, Json]:
    """Whether a log keeps its JSON answer whole, and the answer."""
    answer = (jsontext.read_back(log.detail).get("response") or {}) if log is not None and log.detail else {}
    return (False, None) if log is None or answer.get("cut") else read(log.response_body)


def read(body: bytes | None) -> tuple[bool, Json]:
    """Whether a kept body is JSON, and its value."""
    try:
        return (False, None) if body is None else (True, reading.read(HttpResponse(200, "", (), body)))
    except UnreadableAnswer:
        return False, None


def _rules(step: Step, state: StepState) -> tuple[MappingRule, ...]:
    own = steps.document_of(step).mapping
    return own if own is not None else steps.rules_of(state.automatic) if state.automatic is not None else ()


# ---------------------------------------------------------------- taking it over


def accept(account_id: int, key: str, choice: Choice, log_id: int, *, by: str) -> Step:
    """The rules read from the chosen places and the structure of that log's answer is the accepted one, all or nothing.

    choice: "suggested" (what the page chooses beforehand), "none", or the new place of attributes, None to leave one.
    Raises NotThere, WrongChoice, steps.Conflict.
    """
    step = steps.find(account_id, key)
    found = of_step(step) if step is not None else None
    if step is None or found is None:
        raise NotThere("The structure of this step's answers has not changed, or somebody has accepted it already.")
    if found.log is None or found.log.id != log_id or not found.log.structure:
        raise NotThere("The structure is another one by now. Look at it again.")
    spec, rules = steps.document_of(step), _rules(step, found.state)
    paths = _chosen(found, rules, choice)
    spec = replace(spec, mapping=moved(rules, paths)) if paths else spec
    latest = jsontext.dumps_text(with_dictionaries(jsontext.read_back(found.log.structure), spec.dictionaries))
    body = found.log.response_body if found.known else None

    def beside(connection: Connection, saved: Step) -> None:
        steps.accept_structure(connection, saved.id, latest, body, by=by, now=time.time())

    return steps.save(account_id, spec, by=by, now=time.time(), step_id=step.id, version=step.version, beside=beside)


def _chosen(found: Found, rules: tuple[MappingRule, ...], choice: Choice) -> dict[int, Path]:
    if choice == "none":
        return {}
    if choice == "suggested":
        return {move.index: move.chosen for move in found.moves if move.chosen is not None}
    assert not isinstance(choice, str)
    at = {rule.attribute: index for index, rule in enumerate(rules)}
    for name in choice:
        if name not in at:
            raise WrongChoice(f'No rule gives the attribute "{name[:100]}".')
    paths = {at[name]: path for name, path in choice.items() if path is not None}
    if faults := check_rules(moved(rules, paths)):
        raise WrongChoice(faults[0][2])
    return paths


# ---------------------------------------------------------------- as JSON


def as_json(step: Step, found: Found | None) -> dict[str, Json]:
    """For the API and the command: without a difference `drift` is null."""
    if found is None:
        return {"step": step.key, "log_id": None, "drift": None, "rules": []}
    rules = [_move_json(move, found) for move in found.moves]
    log_id = str(found.log.id) if found.log is not None else None
    return {"step": step.key, "log_id": log_id, "drift": found.differences, "rules": rules}


def _move_json(move: Move, found: Found) -> dict[str, Json]:
    path = move.rule.path
    return {
        "attribute": move.rule.attribute,
        "path": list(path) if path is not None else None,
        "was": jsontext.value_at(found.old, path) if path is not None else None,
        "suggested": list(move.chosen) if move.chosen is not None else None,
        "reason": move.reason,
        "places": [
            {
                "path": list(one.path),
                "score": one.score,
                "reason": one.reason,
                "value": jsontext.value_at(found.new, one.path),
            }
            for one in move.candidates
        ],
    }
