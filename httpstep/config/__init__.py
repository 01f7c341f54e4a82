"""Configuration: every variable the operator may set, read once, checked before anything starts.

Each variable may also be given as <NAME>_FILE, the path of a file whose content is the value.
`.env.example` is this table in the operator's words; a test keeps the two alike.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from httpstep.config import values
from httpstep.config.values import SmtpServer as SmtpServer
from httpstep.core.addresses import AddressPolicy
from httpstep.core.private import Private
from httpstep.core.regex import regex


class StartError(Exception):
    """httpstep cannot start. The text is a sentence for the operator: what is wrong, and what to do."""


class ConfigError(StartError):
    """A variable has a value that cannot be used. The text names the variable and what is accepted."""


class Variable(Struct, frozen=True):
    """One variable: its name without the prefix, how a text becomes its value, the default, and whether to mask it."""

    name: str
    parse: Callable[[str], Any]
    default: Any
    help: str
    secret: bool = False


VARIABLES: tuple[Variable, ...] = (
    Variable("LISTEN", values.listen, "127.0.0.1:8080", "address and port to listen on"),
    Variable("DATA", values.folder, "./data", "folder of the database, the keys and the backups"),
    Variable(
        "DATABASE_URL", values.database_url, "", "SQLite in the data folder unless set; postgresql+psycopg://…", True
    ),
    Variable("RATELIMIT_URL", values.ratelimit_url, "database", "where calls are counted; redis://…", True),
    Variable("ADMIN_EMAIL", values.address, "", "with HTTPSTEP_ADMIN_PASSWORD: the first user, instead of /setup"),
    Variable("ADMIN_PASSWORD", values.text, "", "see HTTPSTEP_ADMIN_EMAIL", True),
    Variable(
        "ALLOW_NETWORKS", values.networks, AddressPolicy.parse(""), "networks and hosts steps may call although private"
    ),
    Variable("ALLOW_PORTS", values.ports, frozenset(), "ports steps may call although they are another protocol's"),
    Variable("SMTP_URL", values.smtp, None, "mail server; without it mail is off", True),
    Variable("MAIL_FROM", values.sender, "", "sender of alert mails"),
    Variable("BASE_URL", values.base_url, "", "the address people open, used in mails and links; it may have a path"),
    Variable("PROXY_HOPS", values.whole_number(0, 10), 0, "how many proxies in front set X-Forwarded-For"),
    Variable("SECRET_KEY", values.long_secret, "", "signs cookies; generated in the data folder unless set", True),
    Variable("WORKERS", values.whole_number(1, 64), 0, "server processes; from the machine unless set"),
    Variable("THREADS", values.whole_number(4, 1024), 64, "threads of each process"),
    Variable("CA_FILE", values.certificates, "", "a further certificate authority to trust, PEM"),
    Variable("VAULT_KEYS", values.vault_keys, (), "encrypt secrets, newest first; generated unless set", True),
    Variable("IN_FLIGHT", values.whole_number(1, 1000), 10, "calls at once per account"),
    Variable(
        "METRICS_TOKEN",
        values.long_secret,
        "",
        "who sends it as a bearer token may read /metrics; off unless set",
        True,
    ),
    Variable("METRICS_LISTEN", values.listen, "", "a second address, where /metrics alone is answered; off unless set"),
    Variable(
        "BACKUP_AT",
        values.time_of_day,
        "02:00",
        "when the nightly backup is made (UTC), or off; of PostgreSQL by pg_dump",
    ),
    Variable("BACKUP_KEEP", values.whole_number(1, 366), 7, "how many nightly backups are kept"),
    Variable("BACKUP_FOLDER", values.folder, "", "where they go; backups/ in the data folder unless set"),
    Variable("BACKUP_KEYS", values.one_of("yes", "no"), "yes", "whether they hold the keys that read the secrets"),
    Variable("LOG_FORMAT", values.one_of("text", "json"), "text", "form of the log lines"),
)


class Config(Private, frozen=True):
    """The values, one attribute per variable in lower case. `given`: the names that were set, for `config show`."""

    listen: str
    data: Path
    database_url: str
    ratelimit_url: str
    admin_email: str
    admin_password: str
    allow_networks: AddressPolicy
    allow_ports: frozenset[int]
    smtp_url: SmtpServer | None
    mail_from: str
    base_url: str
    proxy_hops: int
    secret_key: str
    workers: int
    threads: int
    ca_file: str
    vault_keys: tuple[str, ...]
    in_flight: int
    metrics_token: str
    metrics_listen: str
    backup_at: str
    backup_keep: int
    backup_folder: Path
    backup_keys: str
    log_format: str
    given: Mapping[str, str]


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


def overridden(environ: Mapping[str, str], variables: Mapping[str, object]) -> dict[str, str]:
    """The environment with variables that a host gives by their names in small letters, such as data="./steps"."""
    given = {f"HTTPSTEP_{name.upper()}": str(value) for name, value in variables.items() if value is not None}
    replaced = {f"{name}_FILE" for name in given} | {name.removesuffix("_FILE") for name in given}
    return {name: value for name, value in environ.items() if name not in replaced} | given


_LINE = regex(r"""(?:export\s+)?(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|((?:[^\s#"'](?:[^#]|(?<!\s)#)*)?))\s*(?:#.*)?""")


def with_env_file(environ: Mapping[str, str], file: Path = Path(".env")) -> dict[str, str]:
    """The environment with what `file` says of our variables beside it; what both have is the environment's.

    A line is NAME=value, with quotes or not, or a comment. A folder into which this user may not look has none: that is
    where root was as it called `sudo -u`. Raises ConfigError, which shows nothing of a line.
    """
    try:
        is_there = os.access(file.parent, os.X_OK) and file.is_file()
        lines = file.read_text(encoding="utf-8").splitlines() if is_there else []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read: {error}.") from None
    found: dict[str, str] = {}
    for number, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        if (read := _LINE.fullmatch(line)) is None:
            raise ConfigError(f'{file}, line {number}: this is no line of the form NAME=value or NAME="value".')
        if read[1].startswith("HTTPSTEP_"):
            found[read[1]] = read[2] or read[3] or (read[4] or "").rstrip()
    set_already = {name.removesuffix("_FILE") for name, value in environ.items() if value}
    return {name: value for name, value in found.items() if name.removesuffix("_FILE") not in set_already} | dict(
        environ
    )


def folder_of(name: str) -> Path:
    """Where "templates", "static" or "migrations" are: inside the package if it is installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return package / name if (package / name).is_dir() else package.parent / name


def load(environ: Mapping[str, str] = os.environ) -> Config:
    """Read all variables. Raises ConfigError naming the variable and what is accepted, never its secret value."""
    found: dict[str, Any] = {}
    given: dict[str, str] = {}
    for variable in VARIABLES:
        name = f"HTTPSTEP_{variable.name}"
        raw = _raw(name, environ)
        if raw is None:
            found[variable.name.lower()] = variable.default
            continue
        try:
            found[variable.name.lower()] = variable.parse(raw)
        except values.Unusable as error:
            raise ConfigError(f"{name}: {error}") from None
        except ValueError as error:
            shown = "its value" if variable.secret else f'"{raw}"'
            raise ConfigError(f"{name}: {shown} cannot be used. Accepted: {error}.") from None
        given[name] = _masked(variable, raw) if variable.secret else raw
    _refuse_unknown(environ)
    found["data"] = Path(found["data"]).resolve()
    found["database_url"] = found["database_url"] or f"sqlite:///{found['data'] / 'httpstep.db'}"
    found["backup_folder"] = Path(found["backup_folder"] or found["data"] / "backups").resolve()
    found["workers"] = found["workers"] or max(2, min(4, os.cpu_count() or 2))
    _check_together(found)
    _check_backups(found, given)
    return Config(given=given, **found)


_ADDRESS = regex(r"(\w[\w+.-]*://)(?:([^:/?#@]*)(:[^/?#@]*)?@)?([^?#@]*(?:\?tls=\w+)?)")


def _masked(variable: Variable, raw: str) -> str:
    """An address without its password; all of it where a password might stand anywhere else in it."""
    found = _ADDRESS.fullmatch(raw) if variable.name.endswith("_URL") else None
    if found is None:
        return "••••"
    scheme, user, password, rest = found.groups()
    who = "" if user is None else f"{user}:••••@" if password else "••••@"  # one alone may be a token
    return f"{scheme}{who}{rest}"


def dangers(config: Config) -> list[str]:
    """Sentences about values that can be used and may be a mistake, for the log of a start."""
    wide = [str(one) for one in config.allow_networks.networks if one.prefixlen < (8 if one.version == 4 else 7)]
    found = [f"HTTPSTEP_ALLOW_NETWORKS has {one}: steps may call nearly every private address" for one in wide]
    mail = config.smtp_url
    if mail and mail.password and mail.tls == "none" and not values.is_this_machine(mail.host):
        found.append("HTTPSTEP_SMTP_URL has tls=none: the mail server's password is sent without encryption")
    if config.base_url.startswith("http://") and not values.is_this_machine(urlsplit(config.base_url).hostname or ""):
        found.append("HTTPSTEP_BASE_URL is http: passwords, sessions and API keys are sent without encryption")
    if config.metrics_listen.startswith(("0.0.0.0:", "[::]:")) and not config.metrics_token:
        found.append(
            "HTTPSTEP_METRICS_LISTEN is every address: without HTTPSTEP_METRICS_TOKEN whoever reaches it reads"
        )
    return found


_OF_CALLERS = {"HTTPSTEP_KEY", "HTTPSTEP_URL"}
"""What a bot, whose process may be the same, has in its environment (docs/bots.md)."""


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {f"HTTPSTEP_{v.name}" for v in VARIABLES} | {f"HTTPSTEP_{v.name}_FILE" for v in VARIABLES}
    unknown = sorted(name for name in environ if name.startswith("HTTPSTEP_") and name not in known | _OF_CALLERS)
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
    if values["metrics_listen"].rpartition(":")[2] == values["listen"].rpartition(":")[2]:
        raise ConfigError("HTTPSTEP_METRICS_LISTEN has the port of HTTPSTEP_LISTEN. Accepted: another port.")


PG_DUMP = "pg_dump"


def _check_backups(values: dict[str, Any], given: Mapping[str, str]) -> None:
    """Those of PostgreSQL are made by its own tool: whoever asks for them has to have it, and without it there are none."""
    if values["database_url"].startswith("sqlite") or shutil.which(PG_DUMP):
        return
    if given.get("HTTPSTEP_BACKUP_AT", "off") != "off":
        raise ConfigError(
            "HTTPSTEP_BACKUP_AT needs pg_dump, since the data is in PostgreSQL, and there is none on the PATH. Install "
            "PostgreSQL's client (postgresql-client, as new as the server), or leave the variable out."
        )
    values["backup_at"] = "off"


def misnamed(environ: Mapping[str, str] = os.environ) -> str:
    """What to say of a first user whose variables lack their beginning; "" where there is nothing to say."""
    found = [name for name in ("ADMIN_EMAIL", "ADMIN_PASSWORD") if environ.get(name)]
    if not found:
        return ""
    meant = " and ".join(f"HTTPSTEP_{name}" for name in found)
    return f"{' and '.join(found)} {'is' if len(found) == 1 else 'are'} not read: the variables are called {meant}"


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
