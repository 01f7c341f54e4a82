"""The form to the step document, and so to the step; the faults back to the places they are shown at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from httpstep.core import jsontext
from httpstep.core.document import stepdocument, visible
from httpstep.core.documentreader import Fault, Reader
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json, Path
from httpstep.core.query.jsonpath import check_query
from httpstep.core.step import members
from httpstep.core.step.spec import MappingRule, Pair, RequestSpec, StepSpec
from httpstep.web.stepform import conditions
from httpstep.web.stepform.fields import PairRow, RuleRow, StepForm, Typed
from httpstep.web.stepform.inputs import ABSENT, NotTyped, inputs_of, line_path, lines_of, path_of, typed_value

_ADDRESSES_ARE_KEPT: Final = (
    "Only an admin of your account can change whom the mails go to. Save again to leave the addresses as they are."
)


def parse(form: StepForm, *, draft: bool = False) -> StepSpec | None:
    """The step the form describes. None where it is not right: then `form.faults` says what and where.

    draft: for a test, which needs no name.
    """
    form.faults = {}
    document, early = document_of(form)
    try:
        spec = visible.refuse_masked(stepdocument.parse(document, draft=draft))
    except stepdocument.DocumentError as error:
        form.note([*early, *(fault for fault in error.faults if not _is_covered(fault.place, early))])
        return None
    if early:
        form.note(early)
        return None
    return _without_blank_rows(spec)


def _is_covered(place: str, early: list[Fault]) -> bool:
    return any(place.rpartition(".")[0] == fault.place.rpartition(".")[0] for fault in early if "[" in fault.place)


def _without_blank_rows(spec: StepSpec) -> StepSpec:
    """Rows left blank are places to type in, no part of the step. They go last, so that faults keep their rows."""
    request = spec.request
    body = replace(request.body, fields=_filled(request.body.fields))
    return replace(spec, request=replace(request, headers=_filled(request.headers), body=body))


def _filled(pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
    return tuple(pair for pair in pairs if pair.name.strip() or pair.value.strip())


def document_of(form: StepForm) -> tuple[dict[str, Json], list[Fault]]:
    """The document, and what is wrong with texts that no document can hold."""
    faults: list[Fault] = []
    document = _typed_of(form, StepSpec, faults) | {"format": stepdocument.FORMAT}
    request = document["request"]
    request |= {"headers": [_pair(row) for row in form.headers], "auth": _auth(form)}
    request["body"] |= {"fields": [_pair(row) for row in form.fields], "text": _body_text(form)}
    # An address, a key and a header's name are pasted with white space around them.
    for holder, name in ((document, "key"), (request, "url"), *((header, "name") for header in request["headers"])):
        holder[name] = holder[name].strip()
    request["url"] = "".join(map(str.strip, request["url"].splitlines()))  # its box shows all of it in several lines
    for name in ("success_when", "expired_when"):
        document[name] = conditions.document_of(getattr(form, name), name, faults)
    if why := form.error_message.strip():
        document["error_message"] = conditions.place_of(why, "error_message", faults)
    if form.emails_kept is not None and tuple(form.emails) != form.emails_kept:
        faults.append(Fault("alert_emails", _ADDRESSES_ARE_KEPT))
    if form.mapping_set:
        document["mapping"] = [_rule(row, index, faults) for index, row in enumerate(form.rules)]
    return document, faults


def _typed_of(typed: Typed, described: type, faults: list[Fault], place: str = "") -> dict[str, Json]:
    """What was typed for the members of an object, and beside it what the form has no input for."""
    document = _kept(typed.kept)
    for one in inputs_of(described):
        try:
            value = one.read(getattr(typed, one.name))
        except NotTyped as error:
            faults.append(Fault(f"{place}.{one.place}".strip("."), str(error)))
            value = one.kind.write(one.default)
        holder = document
        for name in one.way[:-1]:
            if not isinstance(holder.get(name), dict):
                holder[name] = {}
            holder = holder[name]
        if value is not ABSENT:
            holder[one.way[-1]] = value
    return document


def _kept(text: str) -> dict[str, Json]:
    try:
        kept = jsontext.loads(text)
    except UnreadableAnswer:
        return {}
    return kept if isinstance(kept, dict) else {}


def _pair(row: PairRow) -> dict[str, Json]:
    return _typed_of(row, Pair, [])


def _auth(form: StepForm) -> dict[str, Json]:
    """Members typed for another type are kept where they were typed, so that switching back finds them."""
    parameters = _parameters(form.auth_parameters)
    texts = {member: text for member, text in form.auth.items() if text}
    return {"type": form.auth_type, **texts, **({"parameters": parameters} if parameters else {})}


def _parameters(text: str) -> Json:
    """name=value, one a line; or the JSON of them, where a line cannot hold one."""
    if text.lstrip().startswith("["):
        return typed_value(text)
    pairs = (line.partition("=") for line in text.splitlines() if line.strip())
    return [{"name": name.strip(), "value": value.strip()} for name, _, value in pairs]


def typed_parameters(parameters: Sequence[tuple[str, str]]) -> str:
    """Further fields of a token request as they are typed."""
    text = "\n".join(f"{name}={value}" for name, value in parameters)
    rows: list[Json] = [{"name": name, "value": value} for name, value in parameters]
    return text if _parameters(text) == rows else jsontext.dumps_text(rows)


TEXT_MODES: Final = ("raw", "graphql")
"""The modes whose text is no JSON; the form has one of each."""


def ends_in_crlf(text: str) -> bool:
    """Whether most lines do: the form has one end for all."""
    return text.count("\r\n") * 2 > text.count("\n")


def mixes_line_ends(text: str) -> bool:
    return 0 < text.count("\r\n") < text.count("\n")


def _body_text(form: StepForm) -> str:
    if form.body_mode == "raw" and form.line_ends == "crlf":
        return form.raw_text.replace("\n", "\r\n")
    if form.body_mode in TEXT_MODES:
        return form.raw_text
    return form.json_text if form.body_mode == "json" else form.json_text or form.raw_text


def _rule(row: RuleRow, index: int, faults: list[Fault]) -> dict[str, Json]:
    document = _typed_of(row, MappingRule, faults, f"mapping[{index}]")
    source = _source(row)
    if isinstance(source, str):
        faults.append(Fault(f"mapping[{index}].path", source))
        return document | {"path": []}
    return document | source


def _source(row: RuleRow) -> dict[str, Json] | str:
    """The member that says where a rule reads, or a sentence about what was typed."""
    text = row.source
    if not text:
        return "Say where in the answer the value is, like $['data']['id'], or remove the row."
    if not text.startswith("$"):
        return {"call": text}
    if row.kind == "jsonpath":
        return {"jsonpath": text}
    path = path_of(text)
    if path is not None:
        return {"path": list(path)}
    return check_query(text) or {"jsonpath": text}


# ---------------------------------------------------------------- parts of a form that need not be right as a whole


def dictionaries_of(form: StepForm) -> list[Path]:
    """The objects that are marked as dictionaries, as far as their lines are paths."""
    return [path for path in map(line_path, lines_of(form.dictionaries)) if path is not None]


def request_of(form: StepForm) -> RequestSpec:
    """The request as far as it is typed, for looking at only: which attributes it uses, which host it calls."""
    return members.read(RequestSpec, Reader(document_of(form)[0]["request"], "request", []))


def rule_of(row: RuleRow) -> MappingRule | None:
    """The rule of one row, None where it is not right."""
    faults: list[Fault] = []
    document = _rule(row, 0, faults)
    try:
        return None if faults else stepdocument.parse_rules([document])[0]
    except stepdocument.DocumentError:
        return None
