"""Where a step names an attribute or a secret, and the same step with an attribute under another name.

All texts count, also those that are not sent just now (a body's text while its mode is `query`): what is hidden
today is shown again tomorrow.
"""

from __future__ import annotations

from collections.abc import Callable, Set

from msgspec.structs import replace

from httpstep.core.inserting.placeholders import (
    SECRET_PREFIX,
    Placeholder,
    PlaceholderFault,
    names_in,
    scan,
)
from httpstep.core.step.spec import (
    MappingRule,
    Pair,
    RequestSpec,
    StepSpec,
)

Change = Callable[[str], str]


def placeholders_of(spec: StepSpec) -> frozenset[str]:
    """The names between the braces of a step's request and of its queries, `secret.` names included."""
    queries = (rule.jsonpath for rule in spec.mapping or () if rule.jsonpath)
    return frozenset(name for text in (*_texts(spec.request), *queries) for name in names_in(text))


def secrets_of(spec: StepSpec) -> frozenset[str]:
    """The secrets a step names, without `secret.`."""
    return frozenset(
        name.removeprefix(SECRET_PREFIX) for name in placeholders_of(spec) if name.startswith(SECRET_PREFIX)
    )


def meant(name: str, known: Set[str]) -> str:
    """The attribute a placeholder reads: itself or, where it walks into one, its longest leading part that is known."""
    parts = name.split(".")
    leading = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((part for part in leading if part in known), name)


def uses(spec: StepSpec, attribute: str, known: Set[str]) -> bool:
    """Whether the step's request reads that attribute, whole or a part of it."""
    return any(meant(name, known) == attribute for name in placeholders_of(spec))


def renamed(spec: StepSpec, old: str, new: str, known: Set[str]) -> StepSpec:
    """The step with `new` wherever it reads or gives `old`; {{old.part}} becomes {{new.part}}."""

    def change(text: str) -> str:
        return _replaced(text, old, new, known)

    mapping = None if spec.mapping is None else renamed_rules(spec.mapping, old, new)
    if mapping is not None:
        mapping = tuple(replace(rule, jsonpath=change(rule.jsonpath)) if rule.jsonpath else rule for rule in mapping)
    return replace(spec, request=_changed(spec.request, change), mapping=mapping)


def renamed_rules(rules: tuple[MappingRule, ...], old: str, new: str) -> tuple[MappingRule, ...]:
    return tuple(replace(rule, attribute=new) if rule.attribute == old else rule for rule in rules)


def _texts(request: RequestSpec) -> list[str]:
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    _changed(request, note)
    return found


def _changed(request: RequestSpec, change: Change) -> RequestSpec:
    """The request with every text changed that may hold a placeholder."""

    def pairs(rows: tuple[Pair, ...]) -> tuple[Pair, ...]:
        return tuple(replace(row, name=change(row.name), value=change(row.value)) for row in rows)

    body = request.body
    parameters = tuple((name, change(value)) for name, value in request.auth.parameters)
    return replace(
        request,
        url=change(request.url),
        headers=pairs(request.headers),
        auth=replace(
            request.auth,
            texts={name: change(text) for name, text in request.auth.texts.items()},
            parameters=parameters,
        ),
        body=replace(
            body,
            fields=pairs(body.fields),
            text=change(body.text),
            variables=change(body.variables),
            content_type=change(body.content_type),
        ),
    )


def _replaced(text: str, old: str, new: str, known: Set[str]) -> str:
    """A text with faulty placeholders, which is not sent as it is, stays as it was typed."""
    if "{{" not in text:
        return text
    try:
        pieces = scan(text)
    except PlaceholderFault:
        return text
    return "".join(
        "{{" + new + piece.name[len(old) :] + (f"|{piece.conversion}" if piece.conversion else "") + "}}"
        if isinstance(piece, Placeholder) and meant(piece.name, known) == old
        else piece.source
        for piece in pieces
    )
