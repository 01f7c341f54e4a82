"""What an answer teaches of its step's structure: the accepted one, what comes and goes, and when the step is marked.

Only `step_states` is written here, so nothing the machine learns can conflict with an edit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, case, select, update

from httpstep.core import jsontext
from httpstep.core.document import stepdocument
from httpstep.core.drift import comparison, structure, variation
from httpstep.core.jsontext import Json
from httpstep.core.outcome import record
from httpstep.core.step.execution import Drift, Execution
from httpstep.storage import steps
from httpstep.storage.tables import StepState

IN_A_ROW = 3
"""So many live answers in a row mark the step, or take its mark away (docs/decisions/0011)."""


class Lesson(Struct, frozen=True):
    """One execution and its log row. actor: who asked."""

    source: Literal["test", "bot"]
    execution: Execution
    kept: record.Record
    log_id: int
    actor: str


def lesson_of(step: steps.LoadedStep, lesson: Lesson) -> Callable[[Connection], bool] | None:
    """What is to be written of what this answer teaches: done in a transaction, it tells whether the step is newly marked.
    None where the answer teaches nothing."""
    if (latest := lesson.execution.structure) is None:
        return None
    if step.structure is None:
        return partial(_accept_first, step, lesson) if lesson.source == "bot" else None
    if lesson.source == "test":
        return partial(_learn_of_test, step, lesson)
    now, latest = _sides(step, latest)
    if lesson.execution.drift:
        return partial(_note_odd, step, lesson, now)
    now = variation.filled(now, latest) if lesson.execution.drift.reveals else now
    if step.odd is None and step.drift is None and now is step.structure:
        return None
    return partial(_note_usual, step, now)


def _learn_of_test(step: steps.LoadedStep, lesson: Lesson, connection: Connection) -> bool:
    """A test of another request than the saved one says nothing of what the bot gets. One of the saved request is
    compared with the step's structure, never with what its form holds until Save. What is then written is judged by the
    structure in force now."""
    execution = lesson.execution
    tested, saved = stepdocument.dump(execution.spec), stepdocument.dump(step.spec)
    if any(tested[member] != saved[member] for member in ("request", "dictionaries")):
        return False
    drift, now = _compared(step, execution.structure)
    unmarked = step.odd is None and step.odd_streak == 0 and step.drift is None
    if not drift and unmarked and now is step.structure:
        return False
    mine = select(StepState.structure).where(StepState.step_id == step.id)
    in_force = connection.execute(mine).scalar_one()
    if in_force is None:
        return False
    step = replace(step, structure=jsontext.read_back(in_force))
    drift, now = _compared(step, execution.structure)
    if drift:
        return _mark(connection, step.id, drift, lesson.log_id)
    _settle(connection, step.id, _new_structure(step, now))
    return False


def _compared(step: steps.LoadedStep, latest: Json) -> tuple[Drift, Json]:
    """How the answer differs, and the structure with what is learned of it: the step's own object where that is nothing."""
    now, latest = _sides(step, latest)
    drift = structure.compare(now, latest, step.spec.mapping or ())
    return drift, variation.filled(now, latest) if drift.reveals and not drift else now


def _sides(step: steps.LoadedStep, latest: Json) -> tuple[Json, Json]:
    """As the executor compares them. The accepted one is the step's own object where this answer taught nothing."""
    return variation.sides(step.structure, None if step.odd is None else steps.structure_of(step.odd), latest)


def _new_structure(step: steps.LoadedStep, now: Json) -> dict[str, Any]:
    """The column, where there is something to learn. Not where another structure was accepted while this call ran."""
    if now is step.structure:
        return {}
    same = StepState.structure == jsontext.dumps_text(step.structure)
    return {"structure": case((same, jsontext.dumps_text(now)), else_=StepState.structure)}


def _accept_first(step: steps.LoadedStep, lesson: Lesson, connection: Connection) -> Literal[False]:
    """The first successful JSON answer is the sample, and makes the rules where none were ever set. Of two, the first."""
    execution, kept = lesson.execution, lesson.kept
    if execution.spec.mapping is None and execution.automatic is None:
        return False  # the rules could not be made: the next answer is the first
    if not comparison.holds_something(execution.structure):
        return False  # nor does an empty one use up the "once"
    mine = select(StepState.structure).where(StepState.step_id == step.id).with_for_update()
    if connection.execute(mine).scalar_one() is not None:
        return False
    if execution.automatic is not None:
        rules = jsontext.dumps_text(stepdocument.dump_rules(execution.automatic))
        steps.keep_automatic(connection, step.id, rules)
    whole = not kept.detail["response"]["cut"]
    steps.accept_structure(
        connection, step.id, jsontext.dumps_text(execution.structure), kept.response_body if whole else None,
        by=lesson.actor, now=time.time(),
    )  # fmt: skip
    return False


def _note_odd(step: steps.LoadedStep, lesson: Lesson, now: Json, connection: Connection) -> bool:
    execution = lesson.execution
    streak = connection.execute(
        update(StepState)
        .where(StepState.step_id == step.id)
        .values(
            **_new_structure(step, now),
            odd=jsontext.dumps_text(execution.structure),
            odd_streak=case((StepState.odd_streak < 0, 1), else_=StepState.odd_streak + 1),
        )
        .returning(StepState.odd_streak)
    ).scalar_one()
    return streak >= IN_A_ROW and step.drift is None and _mark(connection, step.id, execution.drift, lesson.log_id)


def _note_usual(step: steps.LoadedStep, now: Json, connection: Connection) -> Literal[False]:
    """An answer of the accepted structure, or of what `now` has learned beside it. A mark goes where this is the third in
    a row. They are counted below zero, so that an odd one between them begins both counts anew."""
    marked = StepState.drift.is_not(None)
    down = case((StepState.odd_streak < 0, StepState.odd_streak - 1), else_=-1)
    learned: dict[str, Any] = {"odd": None, "odd_streak": case((marked, down), else_=0), **_new_structure(step, now)}
    mine = update(StepState).where(StepState.step_id == step.id)
    streak = connection.execute(mine.values(**learned).returning(StepState.odd_streak)).scalar_one()
    if streak <= -IN_A_ROW:
        _settle(connection, step.id, {})
    return False


def _settle(connection: Connection, step_id: int, learned: dict[str, Any]) -> None:
    """The step is not marked any more, and nothing odd is counted."""
    usual = {"odd": None, "odd_streak": 0, "drift": None, "drift_at": None, "drift_log_id": None}
    connection.execute(update(StepState).where(StepState.step_id == step_id).values(**usual, **learned))


def _mark(connection: Connection, step_id: int, drift: Drift, log_id: int) -> bool:
    differences = jsontext.dumps_text(record.drift_json(drift))
    streak = case((StepState.odd_streak < 0, 0), else_=StepState.odd_streak)
    connection.execute(
        update(StepState)
        .where(StepState.step_id == step_id)
        .values(drift=differences, drift_at=time.time(), drift_log_id=log_id, odd_streak=streak)
    )
    return True
