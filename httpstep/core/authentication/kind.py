"""What every kind of authentication is: its members, what may be wrong with them, and what it adds to a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import force_setattr

from httpstep.core.errors import InvalidRequest
from httpstep.core.inserting.values import Values
from httpstep.core.private import Private

_AROUND: Final = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\ufeff"


class Auth(Private, frozen=True):
    """How a step proves who calls: the type, and the texts typed for it by the names of their members.

    Texts typed for another type are kept, so that switching back finds them. A text that is empty is not kept.
    parameters: further fields of a token request, (name, value as typed).
    """

    type: str = "none"
    texts: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "texts", {name: text for name, text in self.texts.items() if text})

    def __getitem__(self, member: str) -> str:
        return self.texts.get(member, "")

    def having(self, **texts: str) -> Auth:
        """The same with other texts."""
        return Auth(self.type, {**self.texts, **texts}, self.parameters)


class Credential(Struct, frozen=True):
    """One member of a kind. secret: it proves who calls, so it is masked and best kept as a
    secret, whose name ends with its label. needed: the
    sentence where it is empty. choices: the words it may be, with their labels, the first one the default.
    takes_values: placeholders may stand in it. in_url: it is an address."""

    name: str
    label: str
    secret: bool = False
    needed: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    takes_values: bool = True
    in_url: bool = False
    help: str = ""
    placeholder: str = ""

    @property
    def default(self) -> str:
        return next(iter(self.choices), "")


class Proof(NamedTuple):
    """What authentication adds to a request: header rows, query rows, warnings."""

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


class Kind:
    """A kind of authentication: one class in one file, named in `core.authentication.KINDS`."""

    type: ClassVar[str]
    label: ClassVar[str]
    members: ClassVar[tuple[Credential, ...]] = ()
    takes_parameters: ClassVar[bool] = False

    def proof(self, auth: Auth, values: Values, token: str | None) -> Proof:
        """What goes into the request. Everything that proves who calls is noted as a secret in `values`, typed or
        stored. token: an access token that was fetched. Raises InvalidRequest."""
        return Proof()

    def faults(self, auth: Auth) -> Iterable[tuple[str, str]]:
        """(member, sentence) of what is wrong beyond empty members and placeholders."""
        return ()

    def header(self, auth: Auth) -> str:
        """The header that carries its secret members as typed, so that what a header cannot carry is said while it is
        typed; "" where none does."""
        return ""


def pasted(text: str, words: str, place: str) -> str:
    """A key or token without the blanks and line breaks that a copy brought along, seen or unseen. Raises InvalidRequest
    where nothing is left."""
    key = text.strip(_AROUND)
    if not key:
        advice = "Put it under Authentication, or let the bot send it."
        raise InvalidRequest(f"{words} is empty.", reason="auth", advice=advice, place=place)
    return key


def empty_members(kind: Kind, auth: Auth) -> Iterator[tuple[str, str]]:
    """(member, sentence) of what is needed and not there."""
    yield from ((one.name, one.needed) for one in kind.members if one.needed and not auth[one.name].strip())
