"""The documents that make an account: of attributes, steps and flows, alone, in lists, and together in an account's export.

A document says by its `format` what it is of; without one it is of a step. What is wrong with any of them is a sentence
that begins with where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from httpstep.core.document import stepdocument, visible
from httpstep.core.document.entrydocuments import ATTRIBUTE, secret_name_fault
from httpstep.core.document.flowdocument import FLOW
from httpstep.core.document.kind import DocumentError, DocumentKind
from httpstep.core.documentreader import Fault, Reader
from httpstep.core.inserting.secrethosts import literal_origin
from httpstep.core.jsontext import Json

MAX_DOCUMENTS: Final = 5000
ACCOUNT_FORMAT: Final = "httpstep-account/1"
STEP: Final = stepdocument.STEP
KINDS: Final[dict[str, DocumentKind[Any]]] = {kind.what: kind for kind in (ATTRIBUTE, STEP, FLOW)}
"""By their words, in the order in which they are written: a flow needs its steps."""
_NAMES: Final = {"attribute": "name"}
_LISTS: Final = {"attributes": "attribute", "steps": "step", "flows": "flow"}
_NEEDS_KEY: Final = "Give it a key: without one it would be another {what} each time."

Named = tuple[str, str]
"""What it is, and its key (of an attribute its name)."""


class Document(Struct, frozen=True):
    """where: the file it stands in, and the place in it. value: what its kind reads. written: the same as JSON."""

    where: str
    what: str
    value: Any
    written: dict[str, Json]

    @classmethod
    def of(cls, what: str, value: Any, where: str = "") -> Document:
        return cls(where, what, value, KINDS[what].write(value))

    @property
    def named(self) -> Named:
        return self.what, getattr(self.value, _NAMES.get(self.what, "key"))


class SecretNote(Struct, frozen=True):
    """What an export says of a secret. hosts: None where it may be sent anywhere, from before there were lists."""

    name: str
    hosts: tuple[str, ...] | None


class Unusable(Exception):
    """Documents that cannot be taken. sentences: what is wrong with each, in their order."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__(" ".join(self.sentences))


def read_all(sources: Iterable[tuple[str, Json]]) -> dict[Named, Document]:
    """The documents of some files, each with where it stands: one document, or a list of them. Raises Unusable."""
    return _collected(_items(sources))


def read_account(where: str, document: Json) -> tuple[dict[Named, Document], list[SecretNote]]:
    """The documents of an account's export, and what it says of its secrets. Raises Unusable."""
    root = Reader(document, "", [], what="account")
    if root.raw("format") != ACCOUNT_FORMAT:
        raise Unusable([f"{where}: This is no export of an account: its “format” is not {ACCOUNT_FORMAT}."])
    root.raw("account")
    lists = {name: root.take(name, "array", []) for name in _LISTS}
    secrets = root.each("secrets", _secret, MAX_DOCUMENTS)
    root.end()
    if root.faults:
        raise Unusable(f"{where}: {told(fault)}" for fault in root.faults)
    items = (
        (f"{where}, {name}[{index}]", what, item)
        for name, what in _LISTS.items()
        for index, item in enumerate(lists[name])
    )
    return _collected(items), list(secrets)


def write_account(slug: str, name: str, documents: Iterable[Document], secrets: Iterable[SecretNote]) -> Json:
    """The export of an account. `read_account` takes it."""
    whole: dict[str, Json] = {"format": ACCOUNT_FORMAT, "account": {"slug": slug, "name": name}}
    whole |= {member: [] for member in _LISTS}
    members = {what: member for member, what in _LISTS.items()}
    for one in documents:
        whole[members[one.what]].append(one.written)
    whole["secrets"] = [{"name": one.name, "hosts": None if one.hosts is None else list(one.hosts)} for one in secrets]
    return whole


def told(fault: Fault) -> str:
    return f"{fault.place}: {fault.message}" if fault.place else fault.message


_Item = tuple[str, str | None, Json]
"""Where it stands, what it is of (None: as it says itself), and the document."""


def _items(sources: Iterable[tuple[str, Json]]) -> Iterator[_Item]:
    for where, content in sources:
        if isinstance(content, list):
            yield from ((f"{where}, document {index + 1}", None, item) for index, item in enumerate(content))
        else:
            yield where, None, content


def _collected(items: Iterable[_Item]) -> dict[Named, Document]:
    found: dict[Named, Document] = {}
    sentences: list[str] = []
    for index, (where, what, item) in enumerate(items):
        if index == MAX_DOCUMENTS:
            raise Unusable([f"There are more than {MAX_DOCUMENTS:,} documents.", *sentences])
        try:
            one = _read(where, what or _kind_of(item).what, item)
        except DocumentError as error:
            sentences += (f"{where}: {told(fault)}" for fault in error.faults)
            continue
        if one.named in found:
            sentences.append(f"{where}: The {one.what} “{one.named[1]}” is in {found[one.named].where} already.")
        found.setdefault(one.named, one)
    if sentences:
        raise Unusable(sentences)
    return found


def _kind_of(item: Json) -> DocumentKind[Any]:
    """Raises DocumentError."""
    if not isinstance(item, Mapping):
        return STEP  # which says what it is not
    format_ = item.get("format", STEP.format)
    if format_ == ACCOUNT_FORMAT:
        raise DocumentError([Fault("format", "This is the export of an account, which `import` takes.")])
    for kind in KINDS.values():
        if kind.format == format_:
            return kind
    known = ", ".join(kind.format for kind in KINDS.values())
    raise DocumentError([Fault("format", f"“format” must be one of: {known}.")])


def _read(where: str, what: str, item: Json) -> Document:
    value = KINDS[what].read(item)
    if what == STEP.what:
        visible.refuse_masked(value)
    one = Document.of(what, value, where)
    if not one.named[1]:
        raise DocumentError([Fault("key", _NEEDS_KEY.format(what=what))])
    return one


def _secret(value: Json, place: str, faults: list[Fault]) -> SecretNote:
    reader = Reader(value, place, faults)
    name, hosts = reader.text("name"), reader.raw("hosts")
    reader.end()
    if sentence := secret_name_fault(name):
        reader.fault("name", sentence)
    if hosts is None:
        return SecretNote(name, None)
    if not isinstance(hosts, list) or not all(isinstance(host, str) and literal_origin(host) for host in hosts):
        reader.fault("hosts", "“hosts” must be a list of hosts like https://api.example.com, or null.")
        return SecretNote(name, ())
    return SecretNote(name, tuple(hosts))
