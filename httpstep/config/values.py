"""How the text of a variable becomes its value. Each parser raises ValueError with what is accepted, or Unusable."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from cryptography.x509 import load_pem_x509_certificates

from httpstep.core.addresses import AddressPolicy


class Unusable(ValueError):
    """The parser's own sentence in the place of "… cannot be used. Accepted: …". It holds nothing of a secret value."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes. tls: "none", "starttls" (verified) or "tls" (from the first byte, verified)."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: str = "none"


_ODD_ADDRESS = re.compile(r"[\s?#\\<>\"{}|^`\x00-\x1f\x7f]")
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*")


def text(value: str) -> str:
    return value


def listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("an address and a port, such as 127.0.0.1:8080")
    return value


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isdigit() or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in words:
            raise ValueError("one of: " + ", ".join(words))
        return value

    return parse


def database_url(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("sqlite:///path or postgresql+psycopg://user:password@host/database")
    return value


def ratelimit_url(value: str) -> str:
    if value != "database" and not value.startswith(("redis://", "rediss://")):
        raise ValueError("redis://host:port/number, or nothing for the database")
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
    if parts.scheme == "smtp" and parts.username and "tls" not in asked and not _is_this_machine(parts.hostname or ""):
        raise Unusable(
            "user and password would be sent without encryption. "
            "Write tls=starttls, tls=tls, or tls=none to send it in the clear: smtp://user:password@host?tls=starttls."
        )


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def address(value: str) -> str:
    if "@" not in value or any(c in value for c in "\r\n\0,"):
        raise ValueError("one e-mail address, such as httpstep@example.com")
    return value


def certificates(value: str) -> str:
    try:
        load_pem_x509_certificates(Path(value).read_bytes())
    except (OSError, ValueError):
        raise ValueError("the path of a readable file with certificates in PEM form") from None
    return value


def folder(value: str) -> str:
    """A folder that can be written, or made: what is there of the path says so before anything is written."""
    path = Path(value).absolute()
    there = next((one for one in (path, *path.parents) if os.path.lexists(one)), path)
    if not os.path.isdir(there):  # noqa: PTH112 - Path.is_dir raises where a link leads to what may not be looked into
        raise Unusable(f"{there} is not a folder. Accepted: the path of a folder that can be written, or made.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise Unusable(f"{there} cannot be written. Accepted: the path of a folder that can be written, or made.")
    return value


def long_secret(value: str) -> str:
    if len(value) < 16 or value.lower() in ("change-me-please", "your-secret-key!"):
        raise ValueError("at least 16 random characters")
    return value


def vault_keys(value: str) -> tuple[str, ...]:
    from cryptography.fernet import Fernet

    keys = tuple(part.strip() for part in value.replace("\n", ",").split(",") if part.strip())
    accepted = "Fernet keys (32 bytes in URL-safe Base64), newest first, separated by commas"
    try:
        for key in keys:
            Fernet(key.encode())
    except ValueError:
        raise ValueError(accepted) from None
    if not keys:
        raise ValueError(accepted)
    return keys
