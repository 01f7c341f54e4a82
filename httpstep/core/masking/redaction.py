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

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from httpstep.core.masking.needles import SHORT, Needle, needles_of, pattern_of
from httpstep.core.masking.textviews import (
    Span,
    View,
    letters_said_by,
    with_plain_letters,
    without_line_breaks,
)
from httpstep.core.regex import regex

MASK: Final = "••••"
MASKED_SENTENCE: Final = (
    f"The credential here is masked ({MASK}), as it is shown to whoever may not edit the step. "
    "Put the credential itself in its place, best as {{secret.NAME}}."
)

_LAYERS: Final = 3
_LONG: Final = 100_000
"""Characters from which it is worth while to look first which letters there are: what is that long is mostly a few of them,
again and again."""
_ALWAYS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "cookie2", "set-cookie2"})
_TELLING: Final = regex(
    r"api-?_?key|auth-?_?key|access-?_?key|auth-?_?token|access-?_?token|private-?_?token|session-?_?token|security-?_?token|"
    r"^(?:x-)?token$|secret|passw",
    re.IGNORECASE,
)
_NAME_WORDS: Final = regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_CREDENTIALS: Final = regex(
    "token|secret|password|passwd|pwd|passphrase|passcode|pin|otp|sig|signature|auth|authorization|cookie|jwt|bearer|"
    "credentials?|apikey|appkey|appid|accesskey|sid|sessionid"
)
_KINDS_OF_KEY: Final = regex(
    "api|app|access|auth|private|secret|client|subscription|consumer|account|master|admin|license|session|shared|"
    "signing|encryption|service"
)
_SCHEME: Final = regex(
    r"(?:basic|bearer|digest|token|apikey|api-key|key|negotiate|hmac|oauth|zoho-oauthtoken|sso-key|genie-?key|bot|jwt)[ =]+",
    re.IGNORECASE,
)
_SEPARATORS: Final = tuple(map(chr, (*range(0x1C, 0x20), *range(0xE000, 0xF900))))
"""In no spelling of any other character, and no letter, digit, line break or escape."""
_IN_NUMBERS: Final = frozenset("0123456789+-.eE ")


def redact(text: str, secrets: AbstractSet[str]) -> str:
    """`text` with every secret masked as ••••; overlapping ones as one."""
    if not secrets or not text:
        return text
    spans = _spans(text, needles_of(frozenset(secrets)))
    return _masked(text, _merged(spans)) if spans else text


def redact_all(texts: Sequence[str], secrets: AbstractSet[str]) -> list[str]:
    """Each of the texts as `redact` gives it, all searched as one text, so that many cost no more than a long one."""
    if not secrets or not texts:
        return list(texts)
    between = next(char for char in _SEPARATORS if not any(char in secret for secret in secrets))
    spans = _spans(between.join(texts), needles_of(frozenset(secrets)))
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
    return max([32 * len(secret.encode("utf-8", "replace")) for secret in secrets]) if secrets else 0


def may_be_number(secrets: AbstractSet[str]) -> bool:
    """Whether one of the secrets, or a spelling of one, may be read as a number of JSON or as a part of one."""
    return any(_IN_NUMBERS.issuperset(needle.text) for needle in needles_of(frozenset(secrets)))


def _spans(text: str, needles: Sequence[Needle]) -> list[Span]:
    """Where secrets are in the text, in no order."""
    plain: Sequence[Needle] = needles
    if len(text) > _LONG:
        needles = _possible(needles, letters_said_by(text, _LAYERS))
        plain = _possible(needles, letters_said_by(text, 0))
    if not needles:
        return []
    spans = _found(plain, text)
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
        for secret in sorted((secret for secret in secrets if len(secret) >= SHORT), key=len, reverse=True):
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
    return tuple(
        [(redact(name, secrets) if secrets else name, _pair_value(name, value, secrets)) for name, value in pairs]
    )


def is_credential_header(name: str) -> bool:
    """Whether a header of this name carries what proves who calls."""
    return name.lower() in _ALWAYS or (_may_tell(name.casefold()) and _TELLING.search(name) is not None)


def _may_tell(name: str) -> bool:
    """What `_TELLING` finds has one of these in it. Nearly no name has, and to search costs twenty times as much."""
    return "key" in name or "token" in name or "secret" in name or "passw" in name


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
        return redact(value, secrets) if secrets else value
    rest = without_scheme(value)
    return value[: len(value) - len(rest)] + MASK if rest else value


def _possible(needles: Iterable[Needle], letters: set[str]) -> list[Needle]:
    return [needle for needle in needles if letters.issuperset(needle.anchor)]


def _found(needles: Iterable[Needle], text: str) -> list[Span]:
    return [found.span() for needle in needles if needle.anchor in text for found in pattern_of(needle).finditer(text)]


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
