"""The contract as a page prints it: every address with what it takes and gives, and every shape with its members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.jsontext import Json


class Words(Struct, frozen=True):
    """A type in words, such as "list of " before the shape Log. shape: the name of one further down, or ""."""

    text: str
    shape: str = ""


class Field(Struct, frozen=True):
    """One member of a shape, or one parameter of an address. where: "path", "query", "header", "" for a member."""

    name: str
    type: tuple[Words, ...]
    required: bool
    text: str
    where: str = ""


class Shape(Struct, frozen=True):
    """either: the shapes of which it is one; then it has no members of its own."""

    name: str
    text: str
    fields: tuple[Field, ...]
    either: tuple[str, ...]
    example: str


class Answer(Struct, frozen=True):
    status: str
    text: str
    type: tuple[Words, ...]


class Operation(Struct, frozen=True):
    """own: the path with what the reader has in the place of its variable parts."""

    method: str
    path: str
    own: str
    summary: str
    text: str
    parameters: tuple[Field, ...]
    body: tuple[Words, ...]
    answers: tuple[Answer, ...]


def operations(contract: Mapping[str, Any], own: Mapping[str, str]) -> list[Operation]:
    """In the contract's order. own: what stands for a variable part of a path, such as "flows/{key}": "flows/my-flow"."""
    return [
        _operation(method.upper(), path, _filled(path, own), about)
        for path, methods in contract["paths"].items()
        for method, about in methods.items()
    ]


def shapes(contract: Mapping[str, Any]) -> list[Shape]:
    """By name."""
    return [_shape(name, schema) for name, schema in sorted(contract["components"]["schemas"].items())]


def _filled(path: str, own: Mapping[str, str]) -> str:
    for part, value in own.items():
        path = path.replace(part, value)
    return path


def _operation(method: str, path: str, own: str, about: Mapping[str, Any]) -> Operation:
    parameters = (
        _field(one["name"], one["schema"] | one, one["required"], one["in"]) for one in about.get("parameters", ())
    )
    answers = (Answer(status, _plain(one["description"]), _content(one)) for status, one in about["responses"].items())
    return Operation(
        method, path, own, about.get("summary", about["operationId"]), _plain(about.get("description", "")), tuple(parameters),
        _content(about.get("requestBody", {})), tuple(answers),
    )  # fmt: skip


def _content(described: Mapping[str, Any]) -> tuple[Words, ...]:
    return tuple(words for one in described.get("content", {}).values() for words in _type(one["schema"]))


def _shape(name: str, schema: Mapping[str, Any]) -> Shape:
    required = schema.get("required", ())
    fields = (_field(member, one, member in required) for member, one in schema.get("properties", {}).items())
    either = tuple(_name(one) for one in schema.get("oneOf", ()) if "$ref" in one)
    example = jsontext.dumps_text(schema["examples"][0]) if schema.get("examples") else ""
    return Shape(name, schema.get("description", ""), tuple(fields), either, example)


def _field(name: str, schema: Mapping[str, Any], required: bool, where: str = "") -> Field:
    told = [schema.get("description", "")]
    if "default" in schema:
        told.append(f"Without it: {jsontext.dumps_text(schema['default'])}")
    return Field(name, tuple(_type(schema)), required, _plain(". ".join(one.rstrip(".") for one in told if one)), where)


def _plain(text: str) -> str:
    """A description without the marks of code, which the contract has in Markdown."""
    return text.replace("`", "")


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


_NAMES = {"string": "text", "boolean": "true or false", "number": "number", "integer": "whole number", "null": "null"}


def _type(schema: Mapping[str, Any]) -> Iterator[Words]:
    if "$ref" in schema:
        yield Words("", _name(schema))
    elif alternatives := schema.get("oneOf") or schema.get("anyOf"):
        for place, one in enumerate(alternatives):
            yield from ([Words(" or ")] if place else [])
            yield from _type(one)
    elif "const" in schema or "enum" in schema:
        yield Words(" | ".join(map(_literal, schema.get("enum") or [schema["const"]])))
    elif not schema.get("type"):
        yield Words("any JSON")
    else:
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        for place, kind in enumerate(kinds):
            yield from ([Words(" or ")] if place else [])
            yield from _of_kind(kind, schema)


def _of_kind(kind: str, schema: Mapping[str, Any]) -> Iterator[Words]:
    if kind == "array":
        yield Words("list of ")
        yield from _type(schema.get("items", {}))
    elif kind == "object":
        members = ", ".join(schema.get("properties", {}))
        yield Words(f"object of {members}" if members else "object of names and values")
    else:
        yield Words(_NAMES[kind])


def _literal(value: Json) -> str:
    return jsontext.dumps_text(value)
