"""A curl command, as API documentations print them, to a request, and a request to a curl command."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Final
from urllib.parse import unquote

from httpstep.core import curloptions, shellwords
from httpstep.core.curlbody import Piece, body_of, escaped, fields_of, urlencoded
from httpstep.core.curlcredentials import Credential, credentials_of, with_secrets
from httpstep.core.curlwriting import to_curl
from httpstep.core.headers import OWN, name_fault
from httpstep.core.model import METHODS, Auth, Body, Pair, RequestSpec

__all__ = ["Credential", "CurlResult", "Ignored", "from_curl", "to_curl", "with_secrets"]

MOST_CHARACTERS: Final = 1024 * 1024
_NAMES_FILE: Final = "files are not read"
_BRACED: Final = re.compile(r"(?<!\{)\{([A-Za-z_][A-Za-z0-9_.-]{0,99})\}(?!\})")
_METHODS_WITH_BODY: Final = ("POST", "PUT", "PATCH")


@dataclass(frozen=True)
class Ignored:
    """An option that was not taken over; `option` as typed ("-k"), `why` a phrase, may be empty."""

    option: str
    why: str = ""

    def __str__(self) -> str:
        return self.option


@dataclass(frozen=True)
class CurlResult:
    """What a command says. `credentials`: values that belong among the secrets, offered with a name; `with_secrets`
    puts `{{secret.NAME}}` in their place. `timeout`: seconds of --max-time. `faults`: sentences, empty if all is well.
    """

    spec: RequestSpec = RequestSpec()
    ignored: tuple[Ignored, ...] = ()
    credentials: tuple[Credential, ...] = field(default=(), repr=False)
    faults: tuple[str, ...] = ()
    timeout: Decimal | None = None


def from_curl(command: str) -> CurlResult:
    """Reads the first curl command of any text; never raises. `faults` says what could not be understood."""
    if len(command) > MOST_CHARACTERS:
        return CurlResult(faults=("This text is too long to be a curl command.",))
    words = shellwords.split(_from_curl_on(command))
    if not words.words:
        return CurlResult(faults=("There is no curl command here. It begins with “curl” and has an address.",))
    reading = _Reading()
    if not words.closed:
        reading.faults.append("A quote is opened and never closed, so the end of the command may be missing.")
    for option in curloptions.read(words.words[1:]):
        if option.name == "next":
            reading.ignore(option, curloptions.REASONS["next"])
            break
        reading.take(option)
    return reading.result()


_CURL: Final = re.compile(r"(?:^|(?<=[\s;|&(/\\$`'\"]))curl(?:\.exe)?(?=\s|\^|$)", re.IGNORECASE)


def _from_curl_on(command: str) -> str:
    """The text from the word curl on, prompts, `sudo` and settings of variables before it left out."""
    found = _CURL.search(command)
    return command[found.start() :] if found else ""


class _Reading:
    """Gathers what the options say, then makes a request of it."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._ignored: list[Ignored] = []
        self._method = ""
        self._url = ""
        self._headers: list[tuple[str, str]] = []
        self._data: list[Piece] = []
        self._query: list[str] = []
        self._form: list[Pair] = []
        self._user: str | None = None
        self._bearer = ""
        self._get = self._head = self._glob_off = False
        self._timeout: Decimal | None = None

    # ------------------------------------------------------------ options

    def take(self, option: curloptions.Option) -> None:
        if not option.taken:
            self.ignore(option, curloptions.REASONS.get(option.name, ""))
        elif action := _ACTIONS.get(option.name):
            action(self, option)

    def ignore(self, option: curloptions.Option, why: str = "") -> None:
        self._ignored.append(Ignored(option.typed or option.value, why))

    def url(self, option: curloptions.Option) -> None:
        if self._url:
            self.ignore(option, "only the first address is taken")
        else:
            self._url = option.value.strip()

    def request(self, option: curloptions.Option) -> None:
        self._method = option.value.strip("= ").upper()

    def get(self, option: curloptions.Option) -> None:
        self._get = True

    def head(self, option: curloptions.Option) -> None:
        self._head = True

    def glob_off(self, option: curloptions.Option) -> None:
        self._glob_off = True

    def header(self, option: curloptions.Option) -> None:
        name, colon, value = option.value.partition(":")
        if option.value.startswith("@"):
            self.ignore(option, _NAMES_FILE)
        elif colon and value.strip():
            self._headers.append((name.strip(), value.strip()))
        elif not colon and name.rstrip().endswith(";"):
            self._headers.append((name.strip().rstrip(";"), ""))
        elif not colon and name.strip():
            self.faults.append(f"“{name.strip()[:60]}” is not a header: there is no colon in it.")

    def user_agent(self, option: curloptions.Option) -> None:
        self._headers.append(("User-Agent", option.value))

    def referer(self, option: curloptions.Option) -> None:
        self._headers.append(("Referer", option.value.removesuffix(";auto")))

    def cookie(self, option: curloptions.Option) -> None:
        if "=" in option.value:
            self._headers.append(("Cookie", option.value))
        else:
            self.ignore(option, _NAMES_FILE)

    def range(self, option: curloptions.Option) -> None:
        self._headers.append(("Range", f"bytes={option.value}"))

    def data(self, option: curloptions.Option) -> None:
        if option.value.startswith("@") and option.name != "data-raw":
            self.ignore(option, _NAMES_FILE)
        else:
            self._data.append(Piece(option.value, option.name == "json"))

    def data_urlencode(self, option: curloptions.Option) -> None:
        text = urlencoded(option.value)
        if text is None:
            self.ignore(option, _NAMES_FILE)
        else:
            self._data.append(Piece(text))

    def url_query(self, option: curloptions.Option) -> None:
        text = option.value[1:] if option.value.startswith("+") else urlencoded(option.value)
        if text is None:
            self.ignore(option, _NAMES_FILE)
        else:
            self._query.append(text)

    def form(self, option: curloptions.Option) -> None:
        name, equals, value = option.value.partition("=")
        is_simple = option.name == "form-string" or not (value.startswith(("@", "<", "(")) or ";type=" in value)
        if not equals or not name or not is_simple:
            self.ignore(option, "files and parts of a form are not sent")
            return
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        self._form.append(Pair(escaped(name), escaped(value)))

    def user(self, option: curloptions.Option) -> None:
        self._user = option.value

    def bearer(self, option: curloptions.Option) -> None:
        self._bearer = option.value

    def max_time(self, option: curloptions.Option) -> None:
        try:
            seconds = Decimal(option.value)
        except InvalidOperation:
            seconds = Decimal(0)
        if 0 < seconds <= 60:
            self._timeout = seconds
        else:
            self.ignore(option, "a call takes at most 60 seconds")

    # ------------------------------------------------------------ the request

    def result(self) -> CurlResult:
        method = self._chosen_method()
        url, auth = self._url_and_auth()
        headers, content_type = self._kept_headers()
        body, url = self._body(method, url, content_type)
        if content_type and not self._says_type(body, content_type):
            headers.append(Pair("Content-Type", escaped(content_type)))
        auth, headers = _lifted(auth, headers)
        spec = RequestSpec(method, url, tuple(headers), auth, body)
        return CurlResult(
            spec, tuple(self._ignored), credentials_of(spec), tuple(self.faults), self._timeout
        )

    def _chosen_method(self) -> str:
        has_data = bool(self._data or self._form)
        method = self._method or ("HEAD" if self._head else "POST" if has_data and not self._get else "GET")
        if method in METHODS:
            return method
        self.faults.append(f"The method “{method[:20]}” cannot be sent. It must be one of {', '.join(METHODS)}.")
        return "POST" if has_data else "GET"

    def _url_and_auth(self) -> tuple[str, Auth]:
        url = self._url
        if not url:
            self.faults.append("There is no address in this command.")
        elif not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://|\{\{", url):
            url = f"http://{url}"
        user = self._user
        if found := re.match(r"([A-Za-z]+://)([^/?#@]*)@", url):
            url = found[1] + url[found.end() :]
            user = user if user is not None else unquote(found[2])
        if not self._glob_off:
            url = _BRACED.sub(r"{{\1}}", url)
        if self._bearer:
            return escaped(url), Auth("bearer", token=escaped(self._bearer))
        if user is None:
            return escaped(url), Auth()
        name, _, password = user.partition(":")
        return escaped(url), Auth("basic", username=escaped(name), password=escaped(password))

    def _kept_headers(self) -> tuple[list[Pair], str]:
        """The headers that may be sent, and the content type, which is none of them."""
        kept: list[Pair] = []
        content_type = ""
        for name, value in self._headers:
            if name.lower() == "content-type":
                content_type = value
            elif name.lower() in OWN or name_fault(name):
                self._ignored.append(Ignored(f"-H {name[:60]}", "httpstep sends this itself or not at all"))
            else:
                kept.append(Pair(name, escaped(value)))
        if any(piece.json for piece in self._data) and all(pair.name.lower() != "accept" for pair in kept):
            kept.append(Pair("Accept", "application/json"))
        return kept, content_type

    def _body(self, method: str, url: str, content_type: str) -> tuple[Body, str]:
        url = _with_query(url, "&".join(self._query))
        if self._form and not self._data:
            return Body("query", tuple(self._form), "auto" if method in _METHODS_WITH_BODY else "body"), url
        if not self._data:
            return Body(), url
        if self._get or self._head and not self._method:
            text = "&".join(piece.text for piece in self._data)
            fields = fields_of(text)
            if fields is None:
                return Body(), _with_query(url, text)
            return Body("query", fields, "url" if method in _METHODS_WITH_BODY else "auto"), url
        if not any(piece.text for piece in self._data):
            return Body(), url
        body, self._type_is_said = body_of(
            self._data, content_type, fields_in_body=method not in _METHODS_WITH_BODY
        )
        return body, url

    _type_is_said = False

    def _says_type(self, body: Body, content_type: str) -> bool:
        is_form = content_type.lower().startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
        return self._type_is_said or (body.mode == "query" and is_form)


_ACTIONS: Final[dict[str, Callable[[_Reading, curloptions.Option], None]]] = {
    "": _Reading.url,
    "url": _Reading.url,
    "request": _Reading.request,
    "get": _Reading.get,
    "head": _Reading.head,
    "globoff": _Reading.glob_off,
    "header": _Reading.header,
    "user-agent": _Reading.user_agent,
    "referer": _Reading.referer,
    "cookie": _Reading.cookie,
    "range": _Reading.range,
    "data": _Reading.data,
    "data-ascii": _Reading.data,
    "data-binary": _Reading.data,
    "data-raw": _Reading.data,
    "json": _Reading.data,
    "data-urlencode": _Reading.data_urlencode,
    "url-query": _Reading.url_query,
    "form": _Reading.form,
    "form-string": _Reading.form,
    "user": _Reading.user,
    "oauth2-bearer": _Reading.bearer,
    "max-time": _Reading.max_time,
}
"""--location, --location-trusted and --basic have no action: a step follows redirects and speaks Basic anyway."""


def _with_query(url: str, query: str) -> str:
    if not query:
        return url
    address, _, fragment = url.partition("#")
    separator = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{separator}{escaped(query)}" + (f"#{fragment}" if fragment else "")


def _lifted(auth: Auth, headers: Sequence[Pair]) -> tuple[Auth, list[Pair]]:
    """A Bearer or Basic header as the step's authentication, where the command has no other."""
    rows = [pair for pair in headers if pair.name.lower() == "authorization"]
    if auth.type != "none" or len(rows) != 1:
        return auth, list(headers)
    scheme, _, rest = rows[0].value.partition(" ")
    lifted: Auth | None = None
    if scheme.lower() == "bearer" and rest.strip():
        lifted = Auth("bearer", token=rest.strip())
    elif scheme.lower() == "basic":
        lifted = _from_basic(rest.strip())
    if lifted is None:
        return auth, list(headers)
    return lifted, [pair for pair in headers if pair is not rows[0]]


def _from_basic(credential: str) -> Auth | None:
    try:
        user, colon, password = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    if not colon or not (user + password).isprintable():
        return None
    return replace(Auth("basic"), username=escaped(user), password=escaped(password))
