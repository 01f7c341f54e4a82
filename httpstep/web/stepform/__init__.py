"""The step editor's form: what is on the screen, to and from the step document. The one place that knows both.

The form is the truth on the screen. It keeps everything as it was typed, also what no document could hold, so a
form that is not right comes back unchanged. `document` makes the document of it, which `core.document.stepdocument`
judges; a fault's place ("request.headers[2].name") is the place the template shows it at.
"""

from __future__ import annotations

from httpstep.web.stepform.changes import changes
from httpstep.web.stepform.fields import ConditionRow, PairRow, RuleRow, StepForm, new_form, next_id, whole_number
from httpstep.web.stepform.inputs import starred, typed_text, typed_value
from httpstep.web.stepform.opening import of_spec, read, rows_of
from httpstep.web.stepform.parsing import dictionaries_of, document_of, parse, request_of, rule_of

__all__ = [
    "ConditionRow", "PairRow", "RuleRow", "StepForm", "changes", "dictionaries_of", "document_of", "new_form", "next_id", "of_spec", "parse", "read",
    "request_of", "rows_of", "rule_of", "starred", "typed_text", "typed_value", "whole_number",
]  # fmt: skip
