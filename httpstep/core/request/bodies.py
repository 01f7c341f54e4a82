"""The body of one request: the fields with their values, and the bytes with the content type that goes with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Final, NamedTuple

from httpstep.core import jsontext
from httpstep.core.errors import InvalidRequest, UnreadableAnswer
from httpstep.core.inserting.encoders import FORM_TYPE, form, json_value, text_of
from httpstep.core.inserting.jsonbodies import JsonBodyFault, compile_json, render_json
from httpstep.core.inserting.multipart import multipart
from httpstep.core.inserting.placeholders import CACHED_LENGTH, Placeholder, PlaceholderFault, scan
from httpstep.core.inserting.texts import MAX_BODY_BYTES, body_bytes, filled, filled_header, too_large
from httpstep.core.inserting.values import OverLimit, Position, Values
from httpstep.core.inserting.xmlbodies import escaped, is_xml, places
from httpstep.core.jsontext import Json
from httpstep.core.masking.redaction import is_credential_header
from httpstep.core.regex import regex
from httpstep.core.step.spec import Body, Pair

Rows = Sequence[tuple[str, str]]
JSON_TYPE: Final = "application/json"
_EMPTY: Final[tuple[Json, ...]] = (None, "", [], {})


class RenderedBody(NamedTuple):
    data: bytes | None = None
    content_type: str | None = None
    warnings: tuple[str, ...] = ()


def rendered_body(body: Body, rows: Rows, values: Values) -> RenderedBody:
    """rows: the fields that are sent in the body. Raises InvalidRequest."""
    if body.mode == "query" and rows:
        return RenderedBody(body_bytes(form(rows), "body.fields"), FORM_TYPE)
    if body.mode == "multipart" and rows:
        text, content_type = multipart(rows)
        return RenderedBody(body_bytes(text, "body.fields"), content_type, _files(body.fields))
    if body.mode == "json":
        return _json(body.text, values)
    if body.mode == "graphql":
        return _graphql(body, values)
    if body.mode == "raw" and body.text:
        return _raw(body, values)
    return RenderedBody()


# ---------------------------------------------------------------- fields


def field_rows(body: Body, values: Values) -> list[tuple[str, str]]:
    """The fields as they are sent: a list as one row or one for each item, an empty one left out where it says so.

    What proves who calls is noted as a secret in `values`. Raises InvalidRequest.
    """
    pairs: list[tuple[str, str]] = []
    length = 0
    for index, field in enumerate(body.fields):
        if not field.name and not field.value:
            continue
        for pair in _pairs(field, index, body.lists, values):
            length += len(pair[0]) + len(pair[1])
            if length > MAX_BODY_BYTES:
                raise too_large("body.fields")
            pairs.append(pair)
    return pairs


def _pairs(field: Pair, index: int, lists: str, values: Values) -> Iterator[tuple[str, str]]:
    words = f"the field “{field.name}”"
    name = filled(field.name, values, Position(f"body.fields[{index}].name", words), MAX_BODY_BYTES)
    place = Position(f"body.fields[{index}].value", words)
    alone = _alone(field.value)
    value = values.json(alone, place) if alone else filled(field.value, values, place, MAX_BODY_BYTES)
    for item in _items(value, lists):
        text = text_of(item)
        if field.when_empty == "leave_out" and (item in _EMPTY or not text):
            continue
        if is_credential_header(name):
            values.credential(text)
        bracketed = lists == "brackets" and isinstance(value, list) and not name.endswith("[]")
        yield f"{name}[]" if bracketed else name, text


def _alone(template: str) -> Placeholder | None:
    """The placeholder, where the template is nothing else."""
    if not template.startswith("{{"):
        return None
    try:
        pieces = scan(template)
    except PlaceholderFault:
        return None
    return pieces[0] if len(pieces) == 1 and isinstance(pieces[0], Placeholder) else None


def _items(value: Json, lists: str) -> list[Json]:
    return value if isinstance(value, list) and lists != "json" else [value]


def _files(fields: Sequence[Pair]) -> tuple[str, ...]:
    """curl's way to name a file."""
    return tuple(
        f"The field “{field.name}” is sent with the text “{field.value}”: files cannot be sent yet."
        for field in fields
        if field.value.startswith("@") and "." in field.value
    )


# ---------------------------------------------------------------- texts


def _raw(body: Body, values: Values) -> RenderedBody:
    content_type = filled_header("Content-Type", body.content_type, values, "body.content_type")
    place = Position("body.text", "the body")
    if body.escape == "auto" and is_xml(content_type):
        return RenderedBody(body_bytes(_xml(body.text, values, place), place.path), content_type)
    return RenderedBody(body_bytes(filled(body.text, values, place, MAX_BODY_BYTES), place.path), content_type)


def _xml(template: str, values: Values, place: Position) -> str:
    texts: list[str] = []
    length = 0
    try:
        for piece, where in places(template):
            texts.append(piece if isinstance(piece, str) else escaped(values.text(piece, place), where))
            length += len(texts[-1])
            if length > MAX_BODY_BYTES:
                raise too_large(place.path)
    except PlaceholderFault as fault:
        raise InvalidRequest(fault.sentences[0], reason="placeholder", place=place.path) from None
    return "".join(texts)


def _json(text: str, values: Values) -> RenderedBody:
    if not text.strip():
        return RenderedBody(warnings=("The JSON body is empty, so no body is sent.",))
    return RenderedBody(_json_bytes(text, values, Position("body.text", "the JSON body")), JSON_TYPE)


def _json_bytes(text: str, values: Values, place: Position) -> bytes:
    for proof in _typed_proofs(text):
        values.credential(proof)
    try:
        parts = compile_json(text)
        body = render_json(parts, lambda placeholder: values.json(placeholder, place), MAX_BODY_BYTES)
    except PlaceholderFault as fault:
        raise InvalidRequest(fault.sentences[0], reason="placeholder", place=place.path) from None
    except JsonBodyFault as fault:
        raise InvalidRequest(fault.sentence, reason="json", place=place.path) from None
    except OverLimit:
        raise too_large(place.path) from None
    return body_bytes(body, place.path)


_MEMBER: Final = regex(r'"([^"\\]{1,60})"\s*:\s*("(?:[^"\\]|\\.)+")')


def _typed_proofs(text: str) -> tuple[str, ...]:
    """What stands in a JSON text in members like "password", as it would in a header of that name: for the masks."""
    return _proofs_found(text) if len(text) <= CACHED_LENGTH else tuple(_proofs(text))


def _proofs(text: str) -> Iterator[str]:
    for name, written in _MEMBER.findall(text):
        if is_credential_header(name) and "{{" not in written:
            with suppress(UnreadableAnswer):
                yield str(jsontext.loads(written))


@lru_cache(maxsize=512)
def _proofs_found(text: str) -> tuple[str, ...]:
    return tuple(_proofs(text))


# ---------------------------------------------------------------- GraphQL


def _graphql(body: Body, values: Values) -> RenderedBody:
    if not body.text.strip():
        return RenderedBody(warnings=("The GraphQL query is empty, so no body is sent.",))
    if fault := next(graphql_faults(body), None):
        raise InvalidRequest(fault[1], reason="json", place=fault[0])
    variables = body.variables.strip()
    if variables:
        place = Position("body.variables", "the variables")
        variables = _json_bytes(variables, values, place).decode()
        if not variables.startswith("{"):
            raise InvalidRequest(_NO_OBJECT, reason="json", place=place.path)
    return RenderedBody(body_bytes(graphql_text(body.text, variables), "body.text"), JSON_TYPE)


_NO_OBJECT: Final = 'The variables are a JSON object, like {"id": {{order.id}}}.'
_IN_QUERY: Final = (
    "Values go into the variables, not into the query: declare one, as in query ($id: ID!), "
    'and write {"id": {{order.id}}} under Variables.'
)


def graphql_text(query: str, variables: str) -> str:
    r"""A GraphQL request as JSON (GraphQL over HTTP, 5.2). `\{{` in the query is a literal `{{`."""
    text = query.replace("\\{{", "{{")
    return f'{{"query":{json_value(text)}' + (f',"variables":{variables}' if variables else "") + "}"


def graphql_faults(body: Body) -> Iterator[tuple[str, str]]:
    """(place, sentence): inserted into the query, a value could change what it asks for."""
    try:
        pieces = scan(body.text)
    except PlaceholderFault as fault:
        yield from (("body.text", sentence) for sentence in fault.sentences)
        return
    if any(isinstance(piece, Placeholder) for piece in pieces):
        yield "body.text", _IN_QUERY
    if body.variables.strip() and not body.variables.lstrip().startswith("{"):
        yield "body.variables", _NO_OBJECT
