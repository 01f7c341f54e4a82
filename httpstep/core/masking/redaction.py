"""Nothing secret in what is kept, shown or mailed: every known value is masked, however it was encoded.

What is found of a secret: as it is, and all in small or in capital letters; percent- and form-encoded (any set of
characters, either hex case, up to three times over); as the inside of a JSON string, any set of characters as \\u00XX or
\\xXX; in HTML, any set of characters as an entity; in hex; in quoted-printable; in Base64 and its URL form, broken into lines or not, at any of
the three alignments, so also inside a Basic credential. Mixtures too: each character is looked for in each of its spellings.

What is not: another mixture of small and capital letters, a secret backwards or in pieces (a soft line break of
quoted-printable makes two), Base64 of Base64, hex with separators, hashes, compressed or encrypted data; and in UTF-16
the secret as it is, and no other spelling.

A secret of one to three characters is masked only where it stands alone, not next to a letter or digit: inside words
it would hide most of a text, and tell by the holes what it is.
"""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from httpstep.core.masking.textviews import (
    Span,
    View,
    with_plain_letters,
    without_line_breaks,
)

MASK: Final = "••••"
MASKED_SENTENCE: Final = (
    f"The credential here is masked ({MASK}), as it is shown to whoever may not edit the step. "
    "Put the credential itself in its place, best as {{secret.NAME}}."
)

_SHORT: Final = 4
_LAYERS: Final = 3
_ALWAYS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "cookie2", "set-cookie2"})
_TELLING: Final = re.compile(
    r"api-?_?key|auth-?_?key|access-?_?key|auth-?_?token|access-?_?token|private-?_?token|session-?_?token|security-?_?token|"
    r"^(?:x-)?token$|secret|passw",
    re.IGNORECASE,
)
_NAME_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_CREDENTIALS: Final = re.compile(
    "token|secret|password|passwd|pwd|passphrase|passcode|pin|otp|sig|signature|auth|authorization|cookie|jwt|bearer|"
    "credentials?|apikey|appkey|appid|accesskey|sid|sessionid"
)
_KINDS_OF_KEY: Final = re.compile(
    "api|app|access|auth|private|secret|client|subscription|consumer|account|master|admin|license|session|shared|"
    "signing|encryption|service"
)
_SCHEME: Final = re.compile(
    r"(?:basic|bearer|digest|token|apikey|api-key|key|negotiate|hmac|oauth|zoho-oauthtoken|sso-key|genie-?key|bot|jwt)[ =]+",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"[A-Za-z0-9]+")
_SEPARATORS: Final = tuple(map(chr, (*range(0x1C, 0x20), *range(0xE000, 0xF900))))
"""In no spelling of any other character, and no letter, digit, line break or escape."""
_IN_NUMBERS: Final = frozenset("0123456789+-.eE ")
_RUNS: Final = re.compile(r"[A-Za-z0-9]+|\\+|.", re.DOTALL)


class _Needle(NamedTuple):
    """`anchor`: letters and digits that every pattern of `text` has in it; where it is not there is nothing to find,
    and no pattern to be made."""

    anchor: str
    text: str
    is_base64: bool


def redact(text: str, secrets: AbstractSet[str]) -> str:
    """`text` with every secret masked as ••••; overlapping ones as one."""
    if not secrets or not text:
        return text
    spans = _spans(text, _needles(frozenset(secrets)))
    return _masked(text, _merged(spans)) if spans else text


def redact_all(texts: Sequence[str], secrets: AbstractSet[str]) -> list[str]:
    """Each of the texts as `redact` gives it, all searched as one text, so that many cost no more than a long one."""
    if not secrets or not texts:
        return list(texts)
    between = next(char for char in _SEPARATORS if not any(char in secret for secret in secrets))
    spans = _spans(between.join(texts), _needles(frozenset(secrets)))
    if not spans:
        return list(texts)
    whole = _masked(between.join(texts), _merged(spans)).split(between)
    if len(whole) == len(texts):
        return whole  # none of the texts has it in itself
    found, masked, start = deque(_merged(spans)), [], 0
    for text in texts:
        end = start + len(text)
        inside: list[Span] = []
        while found and found[0][0] < end:
            first, last = found.popleft()
            inside.append((first - start, last - start))
        masked.append(_masked(text, inside) if inside else text)
        start = end + len(between)
    return masked


def margin(secrets: AbstractSet[str]) -> int:
    """So many characters hold any spelling of a secret: 32 for each byte, of which percent-encoding thrice takes 27."""
    return max((32 * len(secret.encode("utf-8", "replace")) for secret in secrets), default=0)


def may_be_number(secrets: AbstractSet[str]) -> bool:
    """Whether one of the secrets, or a spelling of one, may be read as a number of JSON or as a part of one."""
    return any(_IN_NUMBERS.issuperset(needle.text) for needle in _needles(frozenset(secrets)))


def _spans(text: str, needles: Sequence[_Needle]) -> list[Span]:
    """Where secrets are in the text, in no order."""
    spans = _found(needles, text)
    view = View(text)
    while view.depth < _LAYERS and (plainer := with_plain_letters(view)):
        view = plainer
        spans += [view.back(span) for span in _found(needles, view.text)]
    if unbroken := without_line_breaks(view):
        in_base64 = (needle for needle in needles if needle.is_base64)
        spans += [unbroken.back(span) for span in _found(in_base64, unbroken.text)]
    return spans


def redact_bytes(data: bytes, secrets: AbstractSet[str]) -> bytes:
    """`data` with every secret masked; bytes that are not UTF-8 stay. Secrets written in UTF-16 are found as they are."""
    if not secrets or not data:
        return data
    text = data.decode("utf-8", "surrogateescape")
    redacted = redact(text, secrets)
    if redacted != text:
        data = redacted.encode("utf-8", "surrogateescape")
    if b"\0" in data:
        for secret in sorted((secret for secret in secrets if len(secret) >= _SHORT), key=len, reverse=True):
            for encoding in ("utf-16-le", "utf-16-be"):
                data = _replaced_units(data, secret.encode(encoding, "replace"), MASK.encode(encoding))
    return data


def _replaced_units(data: bytes, wanted: bytes, mask: bytes) -> bytes:
    """Replaces only where a 16-bit unit begins, so that one byte order is never taken for the other."""
    pieces: list[bytes] = []
    done = start = 0
    while (found := data.find(wanted, start)) >= 0:
        start = found + 1
        if found % 2 == 0:
            pieces += (data[done:found], mask)
            done = start = found + len(wanted)
    return b"".join((*pieces, data[done:]))


def redact_pairs(pairs: Iterable[tuple[str, str]], secrets: AbstractSet[str]) -> tuple[tuple[str, str], ...]:
    """Header rows with secrets masked in names and values.

    The values of Authorization, Cookie and Set-Cookie, and of names like X-Api-Key, X-Auth-Token and
    Client-Secret are always masked, known secret or not; the scheme ("Bearer") stays.
    """
    return tuple((redact(name, secrets), _pair_value(name, value, secrets)) for name, value in pairs)


def is_credential_header(name: str) -> bool:
    """Whether a header of this name carries what proves who calls."""
    return name.lower() in _ALWAYS or _TELLING.search(name) is not None


def is_credential_name(name: str) -> bool:
    """Whether a header, a parameter or a member of that name is likely to hold a credential: a wider net than
    `is_credential_header`, for what is only hidden from view."""
    if is_credential_header(name):
        return True
    words = [word.lower() for word in _NAME_WORDS.findall(name)]
    if words[-1:] == ["key"]:
        return len(words) == 1 or _KINDS_OF_KEY.fullmatch(words[-2]) is not None
    return words[-2:] == ["session", "id"] or (bool(words) and _CREDENTIALS.fullmatch(words[-1]) is not None)


def without_scheme(value: str) -> str:
    """The value of an Authorization header without "Bearer" and its like."""
    found = _SCHEME.match(value)
    return value[found.end() :] if found else value


def _pair_value(name: str, value: str, secrets: AbstractSet[str]) -> str:
    if not is_credential_header(name):
        return redact(value, secrets)
    rest = without_scheme(value)
    return value[: len(value) - len(rest)] + MASK if rest else value


def _found(needles: Iterable[_Needle], text: str) -> list[Span]:
    return [
        found.span()
        for needle in needles
        if needle.anchor in text
        for found in _pattern(needle.text, needle.is_base64).finditer(text)
    ]


def _masked(text: str, spans: Iterable[Span]) -> str:
    """The text with these spans masked, which are in order and apart."""
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        pieces += (text[done:start], MASK)
        done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _merged(spans: list[Span]) -> Iterator[Span]:
    spans.sort()
    start, end = spans[0]
    for next_start, next_end in spans[1:]:
        if next_start > end:
            yield start, end
            start, end = next_start, next_end
        else:
            end = max(end, next_end)
    yield start, end


# ---------------------------------------------------------------- what to look for


@lru_cache(maxsize=128)
def _needles(secrets: frozenset[str]) -> tuple[_Needle, ...]:
    texts = {spelling for secret in secrets for spelling in (secret, secret.strip()) if spelling}
    long = [text for text in texts if len(text) >= _SHORT]
    cores = {core for text in long for core in _base64_cores(text)}
    texts |= {spelling for text in long for spelling in (text.lower(), text.upper(), *_hex(text))}
    return (*(_needle(text, False) for text in texts), *(_needle(core, True) for core in cores))


def _hex(text: str) -> tuple[str, str]:
    digits = text.encode("utf-8", "replace").hex()
    return digits, digits.upper()


def _needle(text: str, is_base64: bool) -> _Needle:
    return _Needle(max(_WORDS.findall(text), key=len, default=""), text, is_base64)


@lru_cache(maxsize=256)
def _pattern(text: str, is_base64: bool) -> re.Pattern[str]:
    """A Base64 core takes one more character at each end, and the padding: they hold the rest of the secret's bits."""
    pattern = "".join(_spellings(run, before) for before, run in pairwise(["", *_RUNS.findall(text)]))
    if is_base64:
        pattern = "[A-Za-z0-9+/_-]?" + pattern + "[A-Za-z0-9+/_-]?(?:=|%3[dD]){0,2}"
    elif len(text) < _SHORT:
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
