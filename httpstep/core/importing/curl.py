"""A curl command, as API documentations print them, to a request, and a request to a curl command."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from httpstep.core.importing import curloptions, shellwords
from httpstep.core.importing.curlbody import Piece, escaped, urlencoded
from httpstep.core.importing.curlcredentials import Credential, credentials_of, with_secrets
from httpstep.core.importing.curlrequest import Ignored, Said, request_of
from httpstep.core.importing.curlwriting import to_curl
from httpstep.core.step.spec import Pair, RequestSpec

__all__ = ["Credential", "CurlResult", "Ignored", "from_curl", "to_curl", "with_secrets"]

MAX_COMMAND_CHARACTERS: Final = 1024 * 1024
_NAMES_FILE: Final = "files are not read"


@dataclass(frozen=True)
class CurlResult:
    """What a command says. `credentials`: values that belong among the secrets, offered with a name; `with_secrets`
    puts `{{secret.NAME}}` in their place. `timeout`: seconds of --max-time. `faults`: sentences, empty if all is well.
    """

    spec: RequestSpec = field(default_factory=RequestSpec)
    ignored: tuple[Ignored, ...] = ()
    credentials: tuple[Credential, ...] = field(default=(), repr=False)
    faults: tuple[str, ...] = ()
    timeout: Decimal | None = None


def from_curl(command: str) -> CurlResult:
    """Reads the first curl command of any text; never raises. `faults` says what could not be understood."""
    if len(command) > MAX_COMMAND_CHARACTERS:
        return CurlResult(faults=("This text is too long to be a curl command.",))
    words = shellwords.split(_from_curl_on(command))
    if not words.words:
        return CurlResult(faults=("There is no curl command here. It begins with “curl” and has an address.",))
    reading = _Reading()
    if not words.closed:
        reading.said.faults.append("A quote is opened and never closed, so the end of the command may be missing.")
    for option in curloptions.read(words.words[1:]):
        if option.name == "next":
            reading.ignore(option, curloptions.REASONS["next"])
            break
        reading.take(option)
    return reading.result()


_CURL: Final = re.compile(r"(?:^|(?<=[\s;|&(/\\$`'\"]))curl(?:\.exe)?(?=\s|\^|$)", re.IGNORECASE)
_ARGUMENTS: Final = re.compile(r"curl(?:\.exe)?\s+(?:[-–—\\^'\"“‘$`{]|\S+[.:/])", re.IGNORECASE)


def _from_curl_on(command: str) -> str:
    """The text from the word curl on; prompts, `sudo`, settings of variables and sentences before it are left out."""
    places = [found.start() for found in _CURL.finditer(command)]
    chosen = next((place for place in places if _ARGUMENTS.match(command, place)), places[0] if places else None)
    return "" if chosen is None else command[chosen:]


class _Reading:
    """What each option says, one method for each action."""

    def __init__(self) -> None:
        self.said = Said()
        self._timeout: Decimal | None = None

    def result(self) -> CurlResult:
        spec, said = request_of(self.said), self.said
        return CurlResult(spec, tuple(said.ignored), credentials_of(spec), tuple(said.faults), self._timeout)

    def take(self, option: curloptions.Option) -> None:
        if not option.taken:
            self.ignore(option, curloptions.REASONS.get(option.name, ""))
        elif action := _ACTIONS.get(option.name):
            action(self, option)

    def ignore(self, option: curloptions.Option, why: str = "") -> None:
        self.said.ignored.append(Ignored(option.typed or option.value, why))

    def url(self, option: curloptions.Option) -> None:
        if self.said.url:
            self.ignore(option, "only the first address is taken")
        else:
            self.said.url = option.value.strip()

    def request(self, option: curloptions.Option) -> None:
        self.said.method = option.value.strip("= ").upper()

    def get(self, option: curloptions.Option) -> None:
        self.said.get = True

    def head(self, option: curloptions.Option) -> None:
        self.said.head = True

    def glob_off(self, option: curloptions.Option) -> None:
        self.said.glob_off = True

    def header(self, option: curloptions.Option) -> None:
        name, colon, value = option.value.partition(":")
        if option.value.startswith("@"):
            self.ignore(option, _NAMES_FILE)
        elif colon and value.strip():
            self.said.headers.append((name.strip(), value.strip()))
        elif not colon and name.rstrip().endswith(";"):
            self.said.headers.append((name.strip().rstrip(";"), ""))
        elif not colon and name.strip():
            self.said.faults.append(f"“{name.strip()[:60]}” is not a header: there is no colon in it.")

    def user_agent(self, option: curloptions.Option) -> None:
        self.said.headers.append(("User-Agent", option.value))

    def referer(self, option: curloptions.Option) -> None:
        self.said.headers.append(("Referer", option.value.removesuffix(";auto")))

    def cookie(self, option: curloptions.Option) -> None:
        if "=" in option.value:
            self.said.headers.append(("Cookie", option.value))
        else:
            self.ignore(option, _NAMES_FILE)

    def range(self, option: curloptions.Option) -> None:
        self.said.headers.append(("Range", f"bytes={option.value}"))

    def data(self, option: curloptions.Option) -> None:
        if option.value.startswith("@") and option.name != "data-raw":
            self.ignore(option, _NAMES_FILE)
        else:
            self.said.data.append(Piece(option.value, option.name == "json"))

    def data_urlencode(self, option: curloptions.Option) -> None:
        text = urlencoded(option.value)
        if text is None:
            self.ignore(option, _NAMES_FILE)
        else:
            self.said.data.append(Piece(text))

    def url_query(self, option: curloptions.Option) -> None:
        text = option.value[1:] if option.value.startswith("+") else urlencoded(option.value)
        if text is None:
            self.ignore(option, _NAMES_FILE)
        else:
            self.said.query.append(text)

    def form(self, option: curloptions.Option) -> None:
        name, equals, value = option.value.partition("=")
        is_simple = option.name == "form-string" or not (value.startswith(("@", "<", "(")) or ";type=" in value)
        if not equals or not name or not is_simple:
            self.ignore(option, "files and parts of a form are not sent")
            return
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        self.said.form.append(Pair(escaped(name), escaped(value)))

    def user(self, option: curloptions.Option) -> None:
        self.said.user = option.value

    def bearer(self, option: curloptions.Option) -> None:
        self.said.bearer = option.value

    def max_time(self, option: curloptions.Option) -> None:
        try:
            seconds = Decimal(option.value)
        except InvalidOperation:
            seconds = Decimal(0)
        if 0 < seconds <= 60:
            self._timeout = seconds
        else:
            self.ignore(option, "a call takes at most 60 seconds")


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
