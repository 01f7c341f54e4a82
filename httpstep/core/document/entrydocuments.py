"""The entries of an account beside its steps and flows: the document of an attribute, what is sent of a secret, whose value
nothing gives back, and of a new API key. Their names and limits are the same on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.document.kind import DocumentKind
from httpstep.core.documentreader import Fault
from httpstep.core.inserting import secrethosts
from httpstep.core.inserting.placeholders import SECRET_PREFIX, is_name
from httpstep.core.jsontext import Json
from httpstep.core.private import Private
from httpstep.core.step.members import AnyValue, Flag, Text, Texts, member
from httpstep.core.step.spec import NO_DEFAULT, Missing

MAX_VALUE_CHARACTERS: Final = 10_000
MAX_SECRET_BYTES: Final = 16_384
MAX_KEY_NAME_CHARACTERS: Final = 100
_HOW: Final = "A name begins with a letter or “_” and has letters, digits, “_”, “.” and “-”, at most 100 of them."


class AttributeDocument(Struct, frozen=True):
    """sample, default: JSON values, NO_DEFAULT where there is none. in_bot: the bot has it without any step."""

    name: Annotated[str, member(Text(), required=True)] = ""
    sample: Annotated[Json | Missing, member(AnyValue(), absent=NO_DEFAULT)] = NO_DEFAULT
    default: Annotated[Json | Missing, member(AnyValue(), absent=NO_DEFAULT)] = NO_DEFAULT
    in_bot: Annotated[bool, member(Flag())] = True


class SecretDocument(Private, frozen=True):
    """hosts: where it may be sent, as typed; decided only together with the value."""

    value: Annotated[str, member(Text(), required=True)] = ""
    hosts: Annotated[
        tuple[str, ...],
        member(Texts("“hosts” must be a list of texts, one host each.", secrethosts.MAX_HOSTS), required=True),
    ] = ()

    @property
    def secret(self) -> bytes:
        return secret_bytes(self.value)

    @property
    def origins(self) -> tuple[str, ...]:
        return secrethosts.read_hosts("\n".join(self.hosts))[0]


class KeyDocument(Struct, frozen=True):
    """name: what the key is for."""

    name: Annotated[str, member(Text(strip=True), required=True)] = ""


def attribute_name_fault(name: str) -> str:
    """What is wrong with it, "" where nothing is."""
    if not name:
        return "Give the attribute a name."
    if name.startswith(SECRET_PREFIX):
        return "Names that begin with “secret.” are kept for secrets."
    return "" if is_name(name) else _HOW


def secret_name_fault(name: str) -> str:
    """The same of a secret's name, without `secret.`."""
    if not name:
        return "Give the secret a name."
    return "" if is_name(SECRET_PREFIX + name) and not name.startswith(SECRET_PREFIX) else _HOW


def secret_bytes(typed: str) -> bytes:
    """The value as typed, without the line break that copying often adds."""
    return typed.replace("\r\n", "\n").strip("\n").encode()


def secret_value_fault(value: bytes) -> str:
    if not value:
        return "Enter the value."
    return "" if len(value) <= MAX_SECRET_BYTES else "A secret has at most 16 KB."


def key_name_fault(name: str) -> str:
    if not name:
        return "Say what the key is for."
    return "" if len(name) <= MAX_KEY_NAME_CHARACTERS else f"At most {MAX_KEY_NAME_CHARACTERS} characters."


def _attribute_faults(document: AttributeDocument) -> Iterator[Fault]:
    if sentence := attribute_name_fault(document.name):
        yield Fault("name", sentence)
    for place, value in (("sample", document.sample), ("default", document.default)):
        if value is not NO_DEFAULT and _characters(value) > MAX_VALUE_CHARACTERS:
            yield Fault(place, f"At most {MAX_VALUE_CHARACTERS:,} characters.")


def _characters(value: Json) -> int:
    return len(value if isinstance(value, str) else jsontext.dumps_text(value))


def _secret_faults(document: SecretDocument) -> Iterator[Fault]:
    if sentence := secret_value_fault(document.secret):
        yield Fault("value", sentence)
    if sentence := secrethosts.read_hosts("\n".join(document.hosts))[1]:
        yield Fault("hosts", sentence)


def _key_faults(document: KeyDocument) -> Iterator[Fault]:
    if sentence := key_name_fault(document.name):
        yield Fault("name", sentence)


ATTRIBUTE: Final = DocumentKind("attribute", "httpstep-attribute/1", AttributeDocument, _attribute_faults)
SECRET: Final = DocumentKind("secret", "httpstep-secret/1", SecretDocument, _secret_faults)
KEY: Final = DocumentKind("key", "httpstep-key/1", KeyDocument, _key_faults)
