"""What an answer teaches of its step's structure: the accepted one, what comes and goes, and when the step is marked.

Only `step_states` is written here, so nothing the machine learns can conflict with an edit.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from httpstep.core import jsontext, record, stepdocument, structure
from httpstep.core.model import Execution
from httpstep.models import steps
from httpstep.models.tables import StepState

MARKED_AFTER = 3


@dataclass(frozen=True, slots=True)
class Lesson:
    """One execution and its log row. actor: who asked."""

    source: Literal["test", "bot"]
    execution: Execution
    kept: record.Record
    log_id: int
    actor: str


def learn(connection: Connection, step: steps.LoadedStep, lesson: Lesson) -> bool:
    """Keep what this answer teaches of the step's structure. True where the step is newly marked."""
    execution = lesson.execution
    if execution.structure is None:
        return False
    if step.structure is None:
        if lesson.source == "bot":
            _accept_first(connection, step, lesson)
        return False
    if not execution.drift:
        if step.odd is not None:
            _forget_odd(connection, step)
        return False
    if lesson.source == "test":
        # A test of another request than the saved one says nothing of what the bot gets.
        same = stepdocument.dump(execution.spec)["request"] == stepdocument.dump(step.spec)["request"]
        return same and _mark(connection, step.id, lesson)
    streak = connection.execute(
        update(StepState)
        .where(StepState.step_id == step.id)
        .values(odd=jsontext.dumps_text(execution.structure), odd_streak=StepState.odd_streak + 1)
        .returning(StepState.odd_streak)
    ).scalar_one()
    return streak >= MARKED_AFTER and step.drift is None and _mark(connection, step.id, lesson)


def _accept_first(connection: Connection, step: steps.LoadedStep, lesson: Lesson) -> None:
    """The first successful JSON answer is the sample, and makes the rules where none were ever set. Of two, the first."""
    execution, kept = lesson.execution, lesson.kept
    mine = select(StepState.structure).where(StepState.step_id == step.id).with_for_update()
    if connection.execute(mine).scalar_one() is not None:
        return
    if execution.automatic is not None:
        rules = jsontext.dumps_text(stepdocument.dump_rules(execution.automatic))
        steps.keep_automatic(connection, step.id, rules)
    whole = not kept.detail["response"]["cut"]
    steps.accept_structure(
        connection, step.id, jsontext.dumps_text(execution.structure), kept.response_body if whole else None,
        by=lesson.actor, now=time.time(),
    )  # fmt: skip


def _forget_odd(connection: Connection, step: steps.LoadedStep) -> None:
    """An odd answer followed by a usual one: what only came and went is optional from now on."""
    odd = jsontext.loads(step.odd or "null")
    learned: dict[str, Any] = {"odd": None, "odd_streak": 0}
    if not structure.compare(step.structure, odd).changed:
        learned["structure"] = jsontext.dumps_text(structure.merge(step.structure, odd))
    connection.execute(update(StepState).where(StepState.step_id == step.id).values(**learned))


def _mark(connection: Connection, step_id: int, lesson: Lesson) -> bool:
    drift = jsontext.dumps_text(record.drift_json(lesson.execution.drift))
    connection.execute(
        update(StepState)
        .where(StepState.step_id == step_id)
        .values(drift=drift, drift_at=time.time(), drift_log_id=lesson.log_id)
    )
    return True
