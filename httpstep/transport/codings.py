"""Content codings (RFC 9110, 8.4.1): what an answer says of its body, held against what its bytes are.

Many servers say what is not so: a charset where a coding belongs, gzip over a plain body, nothing over a gzipped one.
The bytes decide wherever they cannot be mistaken, and a note says so.
"""

from __future__ import annotations

import zlib
from typing import Final

from msgspec import Struct

from httpstep.core.errors import NetworkError
from httpstep.core.regex import regex

# x-gzip is the older name of gzip (RFC 9110, 8.4.1.3).
_UNPACKED: Final = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
# Codings of IANA's HTTP Content Coding Registry, and some met in the wild, that are never asked for.
_REFUSED: Final = frozenset(
    {
        "br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip", "aes128gcm",
        "bzip2", "x-bzip2", "lzma", "xz", "lz4", "snappy", "x-snappy", "sdch",
    }
)  # fmt: skip
# Types of a download whose very content is compressed: unpacked it would not be what was asked for.
_ARCHIVE: Final = regex(r"application/(?:(?:x-)?(?:gzip|gunzip|gtar|tar|tgz|compressed\S*)|gzipped|\S+\+gzip)")

_GZIP: Final = 16 + zlib.MAX_WBITS
_GZIP_MAGIC: Final = b"\x1f\x8b"
# Concatenated gzip members are legal (RFC 1952, 2.2); thousands of empty ones are an attack on the processor.
_MEMBERS: Final = 100
# More than these are not looked at.
_LISTED: Final = 5
_NO_TEXT: Final = regex(r"[\x00-\x08\x0e-\x1f\x7f]")
_REPEATED: Final = regex(r"[!-+\--~]{1,40}")


class Coding(Struct, frozen=True):
    """What an answer says of its body. codings: those that are some, identity left out.

    unknown: what is said and is none, "" where it is better not repeated; None where all is in order.
    """

    codings: tuple[str, ...]
    unknown: str | None
    is_archive: bool

    def may_be_packed(self, begin: bytes | bytearray) -> bool:
        """Whether a body that begins so may stand for more bytes than come."""
        return bool(self.codings) or (begin.startswith(_GZIP_MAGIC) and not self.is_archive)

    def is_over(self, begin: bytes, limit: int) -> bool:
        """Whether a body that begins so stands for more than `limit` bytes already."""
        try:
            return len(self.decoded(begin, limit)[0]) > limit
        except NetworkError:
            return False

    def is_whole(self, data: bytes, limit: int) -> bool:
        """Whether gzip data has come to its own end, which has a checksum and a length (RFC 1952, 2.3.1)."""
        try:
            return data.startswith(_GZIP_MAGIC) and bool(_inflated(data, _GZIP, limit))
        except NetworkError:
            return False

    def decoded(self, data: bytes, limit: int) -> tuple[bytes, tuple[str, ...]]:
        """The body, and a note for each deviation. A body of more than `limit` bytes may be cut after `limit` + 1.

        Raises NetworkError: broken_answer, or incomplete where the data ended in the middle.
        """
        if not data:
            return b"", ()
        body, note, is_plain = self._unpacked(data, limit)
        first = "" if self.unknown is None else _no_coding(self.unknown, is_plain)
        return body, tuple(filter(None, (first, note)))

    def _unpacked(self, data: bytes, limit: int) -> tuple[bytes, str, bool]:
        """(body, note, the body is as it came)."""
        if not self.codings:
            return self._undeclared(data, limit)
        if _is_text(data):
            return data, _but(", ".join(self.codings), "is not compressed: read as plain"), True
        if len(self.codings) > 1:
            raise _unreadable("is compressed more than once")
        if self.codings[0] in _REFUSED:
            raise _unreadable(f"is compressed with {self.codings[0]}, which was not asked for")
        return self._declared(self.codings[0], data, limit)

    def _undeclared(self, data: bytes, limit: int) -> tuple[bytes, str, bool]:
        """gzip that does not say so is unpacked if it can be: no JSON and no text begins like it."""
        if self.is_archive or not data.startswith(_GZIP_MAGIC):
            return data, "", True
        try:
            body = _inflated(data, _GZIP, limit)
        except NetworkError:
            return data, "", True
        return body, "The answer is compressed with gzip without saying so: unpacked.", False

    def _declared(self, coding: str, data: bytes, limit: int) -> tuple[bytes, str, bool]:
        is_deflate = _UNPACKED[coding] == "deflate"
        if data.startswith(_GZIP_MAGIC):
            note = _but(coding, "is compressed with gzip: unpacked") if is_deflate else ""
            return _inflated(data, _GZIP, limit), note, False
        if is_deflate:
            return _inflated(data, _deflate(data), limit), "", False
        if _GZIP_MAGIC.startswith(data):
            raise _cut_off()
        return data, _but(coding, "is not compressed with it: read as plain"), True


def coding_of(content_encoding: str, content_type: str) -> Coding:
    """Read the two headers of an answer; "" where one is missing. Raises NetworkError (broken_answer)."""
    media_type = content_type.partition(";")[0].strip().lower()
    is_archive = bool(_ARCHIVE.fullmatch(media_type))
    if not content_encoding:
        return Coding((), None, is_archive)
    listed = [name for part in content_encoding.lower().split(",") if (name := part.strip())]
    known = tuple(name for name in listed if name in _UNPACKED or name in _REFUSED)
    if len(known) > _LISTED:
        raise _unreadable("is compressed more than once")
    has_unknown = len(listed) > len(known) + listed.count("identity")
    return Coding(known, _repeatable(content_encoding) if has_unknown else None, is_archive)


def _inflated(data: bytes, wbits: int, limit: int) -> bytes:
    """What gzip (RFC 1952) or deflate data stands for; cut after `limit` + 1 bytes."""
    out = bytearray()
    for _ in range(_MEMBERS):
        stream = zlib.decompressobj(wbits)
        try:
            out += stream.decompress(data, limit + 1 - len(out))
        except zlib.error:
            name = "gzip" if wbits == _GZIP else "deflate"
            raise _unreadable(f"is said to be compressed with {name}, but cannot be unpacked") from None
        if len(out) > limit:
            return bytes(out)
        if not stream.eof:
            raise _cut_off()
        data = stream.unused_data
        # Padding after the last member is ignored, as gzip itself does.
        if wbits != _GZIP or not data or not _GZIP_MAGIC.startswith(data[:2]):
            return bytes(out)
    raise _unreadable("is compressed in too many parts")


def _deflate(data: bytes) -> int:
    """zlib's format (RFC 1950, 2.2), or the bare one of RFC 1951 that some servers send under the same name."""
    is_zlib = len(data) > 1 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS


def _is_text(data: bytes) -> bool:
    """Whether all of it is readable UTF-8: no compressed data of more than a few bytes is."""
    try:
        return not _NO_TEXT.search(data.decode())
    except UnicodeDecodeError:
        return False


def _no_coding(unknown: str, is_plain: bool) -> str:
    what = f"Content-Encoding: {unknown}, which" if unknown else "something in Content-Encoding that"
    return f"The answer says {what} is not a coding: {'read as plain' if is_plain else 'passed over'}."


def _but(said: str, what: str) -> str:
    return f"The answer says Content-Encoding: {said}, but {what}."


def _repeatable(value: str) -> str:
    """The header's value whole, or "": a server may echo a secret, and a part of one would not be known for it."""
    return value.strip() if _REPEATED.fullmatch(value.strip()) else ""


def _cut_off() -> NetworkError:
    return NetworkError("The answer was cut off before its end.", reason="incomplete", advice="Try again later.")


def _unreadable(what: str) -> NetworkError:
    advice = "This is a fault of the server; its operator can tell more."
    return NetworkError(f"The answer {what}.", reason="broken_answer", advice=advice)
