"""The words of the step editor's form."""

from __future__ import annotations

from typing import Final

from httpstep.core.authentication import KINDS
from httpstep.core.conversion import CONVERSIONS
from httpstep.core.step import spec as step_spec
from httpstep.core.step.members import members_of

STEP_WORDS: Final = {
    "methods": step_spec.METHODS,
    "body_modes": step_spec.BODY_MODES,
    "lists": step_spec.LISTS,
    "when_empty": step_spec.WHEN_EMPTY,
    "escapes": step_spec.ESCAPES,
    "send_fields_in": step_spec.SEND_FIELDS_IN,
    "when_missing": step_spec.WHEN_MISSING,
    "operators": step_spec.OPERATORS,
    "conversions": CONVERSIONS,
    "labels": {one.name: one.label for one in members_of(step_spec.StepSpec)},
    "rule_labels": {one.name: one.label for one in members_of(step_spec.MappingRule)},
    "auth_kinds": KINDS,
}
"""What the form offers, from the tables that the step document is read by."""
