"""How the text of a variable becomes its value. Each parser raises ValueError with what is accepted, or Unusable."""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from httpstep.core.addresses import AddressPolicy
from httpstep.core.document.addressees import is_address
from httpstep.core.private import Private
from httpstep.core.regex import regex


class Unusable(ValueError):
    """The parser's own sentence in the place of "… cannot be used. Accepted: …". It holds nothing of a secret value."""


class SmtpServer(Private, frozen=True):
    """Where mail goes. tls: "none", "starttls" (verified) or "tls" (from the first byte, verified)."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: str = "none"


_HOST = regex(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_MAX_FOLDER_BYTES = 3000
"""Of Linux's 4,096 for a path: what lies in the folder has a name as well."""
_FEWEST_CHARACTERS = 6
"""Different ones, in 16 that chance has chosen."""
_ODD_ADDRESS = regex(r"[\s?#\\<>\"{}|^`\x00-\x1f\x7f]")
_TIME_OF_DAY = regex(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_PATH = regex(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*")


def text(value: str) -> str:
    return value


def listen(value: str) -> str:
    """ "*" is every address of this machine, as it is for other servers."""
    host, _, port = value.rpartition(":")
    good_port = port.isascii() and port.isdigit() and 0 < int(port) < 65536
    if not good_port or not (host == "*" or _HOST.fullmatch(host) or _is_ipv6(host)):
        raise ValueError("an address and a port, such as 127.0.0.1:8080, [::1]:8080 or *:8080")
    return f"0.0.0.0:{port}" if host == "*" else value


def _is_ipv6(host: str) -> bool:
    try:
        return host[:1] + host[-1:] == "[]" and ip_address(host[1:-1]).version == 6
    except ValueError:
        return False


def whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isdigit() or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def time_of_day(value: str) -> str:
    if value != "off" and not _TIME_OF_DAY.fullmatch(value):
        raise ValueError("a time in UTC, such as 02:00, or off")
    return value


def one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in words:
            raise ValueError("one of: " + ", ".join(words))
        return value

    return parse


def database_url(value: str) -> str:
    accepted = "sqlite:///path or postgresql+psycopg://user:password@host:port/database"
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError(accepted)
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError(f"{accepted}; the port is a number, and @ : / in a password are written %40 %3A %2F") from None
    if url.port is not None and not 0 < url.port < 65536:
        raise ValueError(f"{accepted}; the port is a number from 1 to 65535")
    if value.startswith("postgresql") and not (url.database and (url.host or "host" in url.query)):
        raise ValueError(accepted)
    return value


def ratelimit_url(value: str) -> str:
    accepted = "redis://host:port/number, or nothing for the database"
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("redis", "rediss") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if value != "database" and not good:
        raise ValueError(accepted)
    return value


def base_url(value: str) -> str:
    accepted = "the address people open, such as https://steps.example.com or https://example.com/steps"
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(accepted) from None
    if "@" in parts.netloc:  # not shown: it may be a password
        raise Unusable(f"it must hold no user and no password. Accepted: {accepted}.")
    if parts.scheme not in ("http", "https") or not parts.hostname or _ODD_ADDRESS.search(value):
        raise ValueError(accepted)
    if not _PATH.fullmatch(path := parts.path.rstrip("/")):
        raise Unusable(f"its path may hold letters, digits and -._~ between single slashes. Accepted: {accepted}.")
    return f"{parts.scheme}://{parts.netloc}{path}"


def networks(value: str) -> AddressPolicy:
    try:
        return AddressPolicy.parse(value)
    except ValueError as error:
        raise Unusable(str(error)) from None


def ports(value: str) -> frozenset[int]:
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and 0 < int(part[:6]) < 65536 for part in parts):
        raise ValueError("numbers from 1 to 65535, separated by commas, such as 9200, 5984")
    return frozenset(map(int, parts))


def smtp(value: str) -> SmtpServer:
    accepted = "smtp://user:password@host:587?tls=starttls (tls: none, starttls or tls)"
    try:
        parts = urlsplit(value)
        port = parts.port
        asked = parse_qs(parts.query, keep_blank_values=True)
    except ValueError:
        raise ValueError(accepted) from None
    tls = asked.get("tls", ["tls" if parts.scheme == "smtps" else "none"])[-1]
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or tls not in ("none", "starttls", "tls"):
        raise ValueError(accepted)
    _check_smtp_parameters(parts, asked)
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return SmtpServer(parts.hostname, port or {"none": 25, "starttls": 587, "tls": 465}[tls], user, password, tls)


def _check_smtp_parameters(parts: SplitResult, asked: Mapping[str, list[str]]) -> None:
    """A misspelt or forgotten parameter must not send the mail, and the password with it, without encryption."""
    if "@" in parts.query:  # a "?" within the password, so what reads as a parameter is a part of it
        raise Unusable('a "?" in the user or the password is written %3F.')
    for name in asked:
        if name != "tls":
            raise Unusable(f'the parameter "{name}" is unknown. The only one is tls: none, starttls or tls.')
    if parts.scheme == "smtps" and asked.get("tls", ["tls"])[-1] != "tls":
        raise Unusable("smtps:// means tls=tls. Write smtp:// for another tls.")
    if parts.scheme == "smtp" and parts.username and "tls" not in asked and not is_this_machine(parts.hostname or ""):
        raise Unusable(
            "user and password would be sent without encryption. "
            "Write tls=starttls, tls=tls, or tls=none to send it in the clear: smtp://user:password@host?tls=starttls."
        )


def is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def address(value: str) -> str:
    if not (is_address(value) or is_address(f"{value}.local")):  # the mail server may be known by one word
        raise ValueError("one e-mail address, such as httpstep@example.com")
    return value


def sender(value: str) -> str:
    """An address, or one with a name before it: httpstep <httpstep@example.com>."""
    named = re.fullmatch(r"[^<>\r\n\0,]*<([^<>]*)>", value)
    address(named[1] if named else value)
    return value


def certificates(value: str) -> str:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        load_pem_x509_certificates(Path(value).read_bytes())
    except (OSError, ValueError):
        raise ValueError("the path of a readable file with certificates in PEM form") from None
    return value


def folder(value: str) -> str:
    """A folder that can be written, or made: what is there of the path says so before anything is written."""
    accepted = "Accepted: the path of a folder that can be written, or made."
    if value.startswith("~"):
        raise Unusable(f"“~” is a shell's word and is not understood here. {accepted}")
    if len(os.fsencode(value)) > _MAX_FOLDER_BYTES or any(len(os.fsencode(part)) > 255 for part in Path(value).parts):
        raise Unusable(f"the path is too long. {accepted}")
    if not value.isprintable():
        raise Unusable(f"the path has characters that cannot be shown. {accepted}")
    path = Path(value).absolute()
    there = next((one for one in (path, *path.parents) if os.path.lexists(one)), path)
    if not os.path.isdir(there):  # noqa: PTH112 - Path.is_dir raises where a link leads to what may not be looked into
        raise Unusable(f"{there} is not a folder. {accepted}")
    if not os.access(there, os.W_OK | os.X_OK):
        raise Unusable(f"{there} cannot be written. {accepted}")
    return value


def long_secret(value: str) -> str:
    guessed = value.lower() in ("change-me-please", "your-secret-key!")
    if len(value) < 16 or guessed or len(set(value)) < _FEWEST_CHARACTERS:
        raise ValueError("at least 16 random characters")
    return value


def vault_keys(value: str) -> tuple[str, ...]:
    from cryptography.fernet import Fernet

    keys = tuple(part.strip() for part in value.replace("\n", ",").split(",") if part.strip())
    accepted = "Fernet keys (32 bytes in URL-safe Base64), newest first, separated by commas"
    try:
        for key in keys:
            Fernet(key.encode())
        guessed = any(len(set(urlsafe_b64decode(key))) < _FEWEST_CHARACTERS for key in keys)
    except ValueError:
        raise ValueError(accepted) from None
    if not keys or guessed:
        raise ValueError(accepted)
    return keys
