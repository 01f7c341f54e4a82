"""E-mail addresses of alerts, as they may be saved: one plain address each, nothing that could reach a mail's header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from httpstep.core.inserting.urlhosts import UrlFault, ascii_host
from httpstep.core.regex import regex

MAX_ADDRESSES: Final = 10
_MAX_JUDGED: Final = 100
"""However many were pasted, so many get a sentence of their own."""
_LOCAL_CHARACTERS: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL: Final = regex(rf"{_LOCAL_CHARACTERS}(\.{_LOCAL_CHARACTERS})*")


def is_address(text: str) -> bool:
    """A dot-atom, `@` and a host name with a dot in it (RFC 5321, 4.1.2), at most 254 characters.

    No display names, quotes, bracketed addresses or letters beyond ASCII before the `@`; names that only a company's
    own network knows (`ops@mail.local`) are good.
    """
    local, _, domain = text.rpartition("@")
    if not _LOCAL.fullmatch(local) or len(local) > 64 or len(text) > 254 or "." not in domain.rstrip("."):
        return False
    try:
        return "_" not in ascii_host(domain) and not re.fullmatch(r"[0-9.]+", domain)
    except UrlFault:
        return False


def deliverable(address: str) -> str:
    """The address as mail servers take it: no dot at its end (RFC 5321, 4.1.2), and international letters by IDNA 2008
    (RFC 5891): mail libraries write those of 2003, where straße is the domain of somebody else, strasse."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{ascii_host(domain).rstrip('.')}"
    except UrlFault:
        return address


def faults_in(addresses: Sequence[str]) -> list[tuple[int, str]]:
    """(index, sentence) for each address that is invalid, doubled or one too many. Case does not tell two apart."""
    faults: list[tuple[int, str]] = []
    seen: set[str] = set()
    for index, address in enumerate(addresses[:_MAX_JUDGED]):
        if not is_address(address):
            faults.append((index, f"“{_shown(address)}” is not an e-mail address."))
        elif address.casefold() in seen:
            faults.append((index, f"“{_shown(address)}” is there twice."))
        seen.add(address.casefold())
    if len(addresses) > MAX_ADDRESSES:
        sentence = f"At most {MAX_ADDRESSES} addresses can be alerted; there are {len(addresses)}."
        faults.append((MAX_ADDRESSES, sentence))
    return faults


def _shown(address: str) -> str:
    flat = "".join(char if char.isprintable() else " " for char in address).strip()
    return flat if len(flat) <= 60 else flat[:57] + "…"
