"""Configuration: every variable the operator may set, read once, checked before anything starts.

Each variable may also be given as <NAME>_FILE, the path of a file whose content is the value.
`.env.example` is this table in the operator's words; a test keeps the two alike.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from cryptography.x509 import load_pem_x509_certificates

from httpstep.core.addresses import AddressPolicy


class ConfigError(Exception):
    """A variable has a value that cannot be used. The text names the variable and what is accepted."""


class _Unusable(ValueError):
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


def _text(value: str) -> str:
    return value


def _listen(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("an address and a port, such as 127.0.0.1:8080")
    return value


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not value.isdigit() or not low <= int(value) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(value)

    return parse


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in words:
            raise ValueError("one of: " + ", ".join(words))
        return value

    return parse


def _database_url(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("sqlite:///path or postgresql+psycopg://user:password@host/database")
    return value


def _ratelimit_url(value: str) -> str:
    if value != "database" and not value.startswith(("redis://", "rediss://")):
        raise ValueError("redis://host:port/number, or nothing for the database")
    return value


def _base_url(value: str) -> str:
    accepted = "the address people open, such as https://steps.example.com or https://example.com/steps"
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValueError(accepted) from None
    if "@" in parts.netloc:  # not shown: it may be a password
        raise _Unusable(f"it must hold no user and no password. Accepted: {accepted}.")
    if parts.scheme not in ("http", "https") or not parts.hostname or _ODD_ADDRESS.search(value):
        raise ValueError(accepted)
    if not _PATH.fullmatch(path := parts.path.rstrip("/")):
        raise _Unusable(f"its path may hold letters, digits and -._~ between single slashes. Accepted: {accepted}.")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _networks(value: str) -> AddressPolicy:
    try:
        return AddressPolicy.parse(value)
    except ValueError as error:
        raise _Unusable(str(error)) from None


def _smtp(value: str) -> SmtpServer:
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
        raise _Unusable('a "?" in the user or the password is written %3F.')
    for name in asked:
        if name != "tls":
            raise _Unusable(f'the parameter "{name}" is unknown. The only one is tls: none, starttls or tls.')
    if parts.scheme == "smtps" and asked.get("tls", ["tls"])[-1] != "tls":
        raise _Unusable("smtps:// means tls=tls. Write smtp:// for another tls.")
    if parts.scheme == "smtp" and parts.username and "tls" not in asked and not _is_this_machine(parts.hostname or ""):
        raise _Unusable(
            "user and password would be sent without encryption. "
            "Write tls=starttls, tls=tls, or tls=none to send it in the clear: smtp://user:password@host?tls=starttls."
        )


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _address(value: str) -> str:
    if "@" not in value or any(c in value for c in "\r\n\0,"):
        raise ValueError("one e-mail address, such as httpstep@example.com")
    return value


def _certificates(value: str) -> str:
    try:
        load_pem_x509_certificates(Path(value).read_bytes())
    except (OSError, ValueError):
        raise ValueError("the path of a readable file with certificates in PEM form") from None
    return value


def _folder(value: str) -> str:
    """A folder that can be written, or made: what is there of the path says so before anything is written."""
    path = Path(value).absolute()
    there = next((one for one in (path, *path.parents) if os.path.lexists(one)), path)
    if not os.path.isdir(there):  # noqa: PTH112 - Path.is_dir raises where a link leads to what may not be looked into
        raise _Unusable(f"{there} is not a folder. Accepted: the path of a folder that can be written, or made.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise _Unusable(f"{there} cannot be written. Accepted: the path of a folder that can be written, or made.")
    return value


def _long_secret(value: str) -> str:
    if len(value) < 16 or value.lower() in ("change-me-please", "your-secret-key!"):
        raise ValueError("at least 16 random characters")
    return value


def _vault_keys(value: str) -> tuple[str, ...]:
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


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its name without the prefix, how a text becomes its value, the default, and whether to mask it."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    help: str
    secret: bool = False


VARIABLES: tuple[Variable, ...] = (
    Variable("LISTEN", _listen, "127.0.0.1:8080", "address and port to listen on"),
    Variable("DATA", _folder, "./data", "folder of the database, the keys and the backups"),
    Variable("DATABASE_URL", _database_url, "", "SQLite in the data folder unless set; postgresql+psycopg://…", True),
    Variable("RATELIMIT_URL", _ratelimit_url, "database", "where calls are counted; redis://…", True),
    Variable("ADMIN_EMAIL", _address, "", "with ADMIN_PASSWORD: the first user, instead of /setup"),
    Variable("ADMIN_PASSWORD", _text, "", "see ADMIN_EMAIL", True),
    Variable(
        "ALLOW_NETWORKS", _networks, AddressPolicy.parse(""), "networks and hosts steps may call although private"
    ),
    Variable("SMTP_URL", _smtp, None, "mail server; without it mail is off", True),
    Variable("MAIL_FROM", _address, "", "sender of alert mails"),
    Variable("BASE_URL", _base_url, "", "the address people open, used in mails and links; it may have a path"),
    Variable("PROXY_HOPS", _whole(0, 10), 0, "how many proxies in front set X-Forwarded-For"),
    Variable("SECRET_KEY", _long_secret, "", "signs cookies; generated in the data folder unless set", True),
    Variable("WORKERS", _whole(1, 64), 0, "server processes; from the machine unless set"),
    Variable("THREADS", _whole(4, 1024), 64, "threads of each process"),
    Variable("CA_FILE", _certificates, "", "a further certificate authority to trust, PEM"),
    Variable("VAULT_KEYS", _vault_keys, (), "encrypt secrets, newest first; generated unless set", True),
    Variable("IN_FLIGHT", _whole(1, 1000), 10, "calls at once per account"),
    Variable("LOG_FORMAT", _one_of("text", "json"), "text", "form of the log lines"),
)


@dataclass(frozen=True, slots=True)
class Config:
    """The values, one attribute per variable in lower case. `given`: the names that were set, for `config show`."""

    listen: str
    data: Path
    database_url: str = field(repr=False)
    ratelimit_url: str = field(repr=False)
    admin_email: str
    admin_password: str = field(repr=False)
    allow_networks: AddressPolicy
    smtp_url: SmtpServer | None
    mail_from: str
    base_url: str
    proxy_hops: int
    secret_key: str = field(repr=False)
    workers: int
    threads: int
    ca_file: str
    vault_keys: tuple[str, ...] = field(repr=False)
    in_flight: int
    log_format: str
    given: Mapping[str, str] = field(repr=False)


def _raw(name: str, environ: Mapping[str, str]) -> str | None:
    value, path = environ.get(name), environ.get(f"{name}_FILE")
    if value and path:
        raise ConfigError(f"{name} and {name}_FILE are both set; set one of them.")
    if not path:
        return value or None
    try:
        content = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}_FILE names a file that cannot be read: {path} ({error}).") from None
    if not content:  # taken for unset, a key that did not arrive would be made anew, and what it encrypted be lost
        raise ConfigError(f"{name}_FILE names a file that is empty: {path}.")
    return content


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """Read all variables. Raises ConfigError naming the variable and what is accepted, never its secret value."""
    values: dict[str, Any] = {}
    given: dict[str, str] = {}
    for variable in VARIABLES:
        name = f"HTTPSTEP_{variable.name}"
        raw = _raw(name, environ)
        if raw is None:
            values[variable.name.lower()] = variable.default
            continue
        try:
            values[variable.name.lower()] = variable.parse(raw)
        except _Unusable as error:
            raise ConfigError(f"{name}: {error}") from None
        except ValueError as error:
            shown = "its value" if variable.secret else f'"{raw}"'
            raise ConfigError(f"{name}: {shown} cannot be used. Accepted: {error}.") from None
        given[name] = _masked(variable, raw) if variable.secret else raw
    _refuse_unknown(environ)
    values["data"] = Path(values["data"]).resolve()
    values["database_url"] = values["database_url"] or f"sqlite:///{values['data'] / 'httpstep.db'}"
    values["workers"] = values["workers"] or max(2, min(4, os.cpu_count() or 2))
    _check_together(values)
    return Config(given=given, **values)


_ADDRESS = re.compile(r"(\w[\w+.-]*://)(?:([^:/?#@]*)(:[^/?#@]*)?@)?([^?#@]*(?:\?tls=\w+)?)")


def _masked(variable: Variable, raw: str) -> str:
    """An address without its password; all of it where a password might stand anywhere else in it."""
    found = _ADDRESS.fullmatch(raw) if variable.name.endswith("_URL") else None
    if found is None:
        return "••••"
    scheme, user, password, rest = found.groups()
    who = "" if user is None else f"{user}:••••@" if password else "••••@"  # one alone may be a token
    return f"{scheme}{who}{rest}"


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {f"HTTPSTEP_{v.name}" for v in VARIABLES} | {f"HTTPSTEP_{v.name}_FILE" for v in VARIABLES}
    unknown = sorted(name for name in environ if name.startswith("HTTPSTEP_") and name not in known)
    if unknown:
        known_endings = sorted(name.removeprefix("HTTPSTEP_") for name in known)  # all begin alike, which says nothing
        near = get_close_matches(unknown[0].removeprefix("HTTPSTEP_"), known_endings, 1)
        meant = f" Did you mean HTTPSTEP_{near[0]}?" if near else ""
        raise ConfigError(f"Unknown variable {unknown[0]}.{meant} The file .env.example lists the ones there are.")


def _check_together(values: Mapping[str, Any]) -> None:
    if bool(values["admin_email"]) != bool(values["admin_password"]):
        raise ConfigError("HTTPSTEP_ADMIN_EMAIL and HTTPSTEP_ADMIN_PASSWORD go together: set both or none.")
    if values["admin_password"] and len(values["admin_password"]) < 10:
        raise ConfigError("HTTPSTEP_ADMIN_PASSWORD is too short. Accepted: at least 10 characters.")
    if values["smtp_url"] and not values["mail_from"]:
        raise ConfigError("HTTPSTEP_MAIL_FROM is missing. Accepted with HTTPSTEP_SMTP_URL: one e-mail address.")
    if values["secret_key"] and values["secret_key"] in values["vault_keys"]:
        raise ConfigError("HTTPSTEP_SECRET_KEY and HTTPSTEP_VAULT_KEYS must not be the same.")


def shown(config: Config) -> list[tuple[str, str, str]]:
    """(name, value with secrets masked, where it comes from) of every variable, for `config show`."""
    rows = []
    for variable in VARIABLES:
        name = f"HTTPSTEP_{variable.name}"
        value = config.given.get(name)
        origin = "set" if value is not None else "default"
        if value is None:
            used = getattr(config, variable.name.lower())
            value = str(used) if isinstance(used, (str, int, Path)) else ""
        rows.append((name, value, origin))
    return rows
