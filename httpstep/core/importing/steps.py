"""What was imported as a step: a name, and no credential in it."""

from __future__ import annotations

from typing import Final

from httpstep.core import jsontext
from httpstep.core.importing.credentials import with_secrets
from httpstep.core.importing.imported import Imported
from httpstep.core.importing.questions import answered
from httpstep.core.importing.source import Operation
from httpstep.core.request.requestcheck import check_request
from httpstep.core.step.naming import MAX_NAME_CHARACTERS
from httpstep.core.step.spec import MAX_TIMEOUT_SECONDS, StepSpec

MAX_NAMED: Final = 50


def storable(found: Imported, operation: Operation) -> tuple[StepSpec, list[str]]:
    """(the step with `{{secret.NAME}}` where a credential stands or is asked for, sentences on what was left out)"""
    request, notes = found.spec, said_of(found)
    for one in found.credentials:
        notes.append(f"A credential stood there. Keep it under Secrets as {one.name}: it is not printed.")
    request = with_secrets(request, found.credentials)
    for question in found.questions:
        if question.secret:
            request = answered(request, question.placeholder, f"{{{{secret.{question.secret}}}}}")
            notes.append(f"A placeholder stood for a credential. Keep yours under Secrets as {question.secret}.")
        else:
            notes.append(question.sentence)
    for name, sample in found.samples.items():
        notes.append(f"Sample value: {name} = {jsontext.dumps_text(sample)}")
    notes += [f"It cannot be kept like this. {sentence}" for _, sentence in check_request(request)]
    name = found.name or f"{operation.method} {operation.address}"
    return StepSpec(name=_in_one_line(name), request=request, timeout=found.timeout or MAX_TIMEOUT_SECONDS), notes


def _in_one_line(name: str) -> str:
    plain = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(plain.split())[:MAX_NAME_CHARACTERS].rstrip() or "Request"


def said_of(found: Imported) -> list[str]:
    """Sentences on what was not taken, or taken otherwise."""
    options = [str(one) for one in found.ignored if one.option.startswith("-")]
    others = [str(one) for one in found.ignored if not one.option.startswith("-")]
    ignored = [f"Ignored options: {_listed(options)}."] if options else []
    left_out = [f"Left out: {_listed(others)}."] if others else []
    return [*found.faults, *found.notes, *ignored, *left_out]


def _listed(texts: list[str]) -> str:
    more = len(texts) - MAX_NAMED
    return ", ".join(texts[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
