"""What is looked for of a secret: its spellings, each as a pattern. `redaction` says which ones there are."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from httpstep.core.regex import regex

SHORT: Final = 4
"""Characters from which a secret is looked for everywhere, inside of words too."""
_WORDS: Final = regex(r"[A-Za-z0-9]+")
_RUNS: Final = regex(r"[A-Za-z0-9]+|\\+|.", re.DOTALL)


class Needle(NamedTuple):
    """`anchor`: letters and digits that every pattern of `text` has in it; where it is not there is nothing to find,
    and no pattern to be made."""

    anchor: str
    text: str
    is_base64: bool


@lru_cache(maxsize=128)
def needles_of(secrets: frozenset[str]) -> tuple[Needle, ...]:
    texts = {spelling for secret in secrets for spelling in (secret, secret.strip()) if spelling}
    long = [text for text in texts if len(text) >= SHORT]
    cores = {core for text in long for core in _base64_cores(text)}
    texts |= {spelling for text in long for spelling in (text.lower(), text.upper(), *_hex(text))}
    return (*(_needle(text, False) for text in texts), *(_needle(core, True) for core in cores))


def _hex(text: str) -> tuple[str, str]:
    digits = text.encode("utf-8", "replace").hex()
    return digits, digits.upper()


def _needle(text: str, is_base64: bool) -> Needle:
    return Needle(max(_WORDS.findall(text), key=len, default=""), text, is_base64)


@lru_cache(maxsize=256)
def pattern_of(needle: Needle) -> re.Pattern[str]:
    """A Base64 core takes one more character at each end, and the padding: they hold the rest of the secret's bits."""
    pattern = "".join(_spellings(run, before) for before, run in pairwise(["", *_RUNS.findall(needle.text)]))
    if needle.is_base64:
        pattern = "[A-Za-z0-9+/_-]?" + pattern + "[A-Za-z0-9+/_-]?(?:=|%3[dD]){0,2}"
    elif len(needle.text) < SHORT:
        pattern = f"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
    return re.compile(pattern)


def _base64_cores(text: str) -> Iterator[str]:
    """The part of the text's Base64 that is the same whatever stands before and after it, for each alignment."""
    data = text.encode("utf-8", "replace")
    for before in range(3):
        first = (before * 8 + 5) // 6
        last = (before + len(data)) * 8 // 6
        core = base64.b64encode(bytes(before) + data).decode()[first:last]
        yield core
        if "+" in core or "/" in core:
            yield core.replace("+", "-").replace("/", "_")


def _spellings(run: str, before: str) -> str:
    """A pattern for letters and digits (where they were encoded, `textviews` has read them), a run of backslashes, or one other character.

    Backslashes are taken possessively (`{n,m}+`), and a run takes those that escape what comes after it: were there
    two ways to share them out, a text full of them would have no end of ways to match.
    """
    if run.isascii() and run.isalnum():
        return run
    if run[0] == "\\":
        return f"{_BACKSLASH}{{{len(run)},{16 * len(run)}}}+"
    return _other(run, "0" if before.startswith("\\") else "1")


@lru_cache(maxsize=1024)
def _other(char: str, least: str) -> str:
    """A pattern for one character in all its spellings; `least`: how many backslashes an escape of JSON needs."""
    escape = f"{_BACKSLASH}{{{least},8}}+"
    utf8 = char.encode("utf-8", "replace")
    units = char.encode("utf-16-be", "replace")
    plain = [
        re.escape(char),
        "".join(_percent(byte) for byte in utf8),
        "".join(f"={_any_case(f'{byte:02x}')}" for byte in utf8),
        _numeric_entity(char),
        *(f"&(?:amp;)?{name};" for name in _ENTITIES.get(char, ())),
    ]
    if not char.isascii():
        plain.append(re.escape(utf8.decode("latin-1")))
    if char == " ":
        plain.append(r"\+")
    if char in _BEGIN_SPELLINGS:
        plain.append(plain.pop(0))  # it begins longer spellings of itself, and at a secret's end those are meant
    spellings = [*plain, "".join(f"{escape}u{_any_case(units[at : at + 2].hex())}" for at in range(0, len(units), 2))]
    if char <= "\xff":
        spellings.append(f"{escape}x{_any_case(f'{ord(char):02x}')}")
    if char in _ESCAPES:
        spellings.append(escape + _ESCAPES[char])
    if char in _ESCAPED_AS_THEY_ARE and least != "0":
        spellings += [escape + spelling for spelling in plain]
    return f"(?:{'|'.join(spellings)})"


def _percent(byte: int) -> str:
    return f"%(?:25){{0,2}}{_any_case(f'{byte:02x}')}"


def _numeric_entity(char: str) -> str:
    return rf"&(?:amp;)?#(?:0{{0,6}}{ord(char)}|[xX]0{{0,6}}{_any_case(f'{ord(char):x}')});"


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


_BACKSLASH: Final = rf"(?:\\|{_percent(92)}|{_numeric_entity(chr(92))})"
_ESCAPES: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_BEGIN_SPELLINGS: Final = frozenset("&%=")
_ESCAPED_AS_THEY_ARE: Final = frozenset("\"/'")
_ENTITIES: Final = {'"': ("quot",), "&": ("amp",), "<": ("lt",), ">": ("gt",), "'": ("apos",)}
