"""A curl command, as API documentations print them, to a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

from httpstep.core.importing.bodies import Piece, escaped, urlencoded
from httpstep.core.importing.imported import Ignored, Imported
from httpstep.core.importing.request import Said, request_of
from httpstep.core.importing.shell import curloptions, pasted
from httpstep.core.importing.shell.words import Words
from httpstep.core.regex import regex
from httpstep.core.step.spec import Pair

MAX_COMMAND_CHARACTERS: Final = 1024 * 1024
MAX_SHOWN: Final = 60
_ALIAS: Final = regex(r"\b(?:curl|iwr|irm)\s[^\n'\"]{0,200}?-(?:Uri|Headers|Method|Body|ContentType|UseBasicParsing)\s")
_CMDLET: Final = regex(r"\bInvoke-(?:WebRequest|RestMethod)\b", re.IGNORECASE)
OF_POWERSHELL: Final = (
    "This is PowerShell's Invoke-WebRequest, which is also called curl there and is not read. Take the cURL command of the "
    "documentation, or copy the request from the browser as cURL or as fetch."
)
_NAMES_FILE: Final = "files are not read"


def from_curl(command: str) -> Imported:
    """Reads the first curl command of any text; never raises. `faults` says what could not be understood."""
    if len(command) > MAX_COMMAND_CHARACTERS:
        return Imported(faults=("This text is too long to be a curl command.",))
    found = pasted.read(command)
    words = found.words
    if _ALIAS.search(command[:2000]) or (not words.words and _CMDLET.search(command)):
        return Imported(faults=(OF_POWERSHELL,))
    if not words.words:
        return Imported(faults=("There is no curl command here. It begins with “curl” and has an address.",))
    reading = _Reading(words.stdin)
    reading.said.notes += found.notes
    if not words.closed:
        reading.said.faults.append("A quote is opened and never closed, so the end of the command may be missing.")
    for option in _mended(curloptions.read(words.words[1:])):
        if option.name == "next":
            reading.ignore(option, curloptions.REASONS["next"])
            break
        reading.take(option)
    return reading.result(words)


def _mended(options: Iterator[curloptions.Option]) -> Iterator[curloptions.Option]:
    """No-break spaces and curly quotes at the ends of an address are a word processor's."""
    for option in options:
        is_address = option.name in ("", "url")
        yield option._replace(value=option.value.strip("“”‘’\xa0 ")) if is_address else option


class _Reading:
    """What each option says, one method for each action. stdin: what the command reads there, None if it is not known."""

    def __init__(self, stdin: str | None = None) -> None:
        self.said = Said()
        self._stdin = stdin
        self._timeout: Decimal | None = None

    def result(self, words: Words) -> Imported:
        said = self.said
        said.faults += [
            f"“{_short(one)}” is filled in by a shell and cannot be taken over. Put the value itself in its place."
            for one in dict.fromkeys(words.commands)
        ]
        said.ignored += [Ignored(_short(one), _OF_THE_ANSWER) for one in words.redirected]
        said.ignored += _left(words.rest)
        if not said.glob_off and (several := _SEVERAL.search(said.url)):
            said.notes.append(
                f"curl makes several requests of {_short(several[0])}. A step makes one, with the address as it stands."
            )
        spec = request_of(said)
        return said.imported(spec, timeout=self._timeout)

    def take(self, option: curloptions.Option) -> None:
        if action := _ACTIONS.get(option.name):
            action(self, option)
        elif not option.is_known:
            why = f"curl has no such option, so “{_short(option.value)}” is not sent either" if option.value else ""
            self.ignore(option, why)
        elif option.name not in _AS_IT_IS:
            self.ignore(option, curloptions.REASONS.get(option.name, ""))

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
        name, colon, value = option.value.replace("\xa0", " ").partition(":")
        if option.value.startswith("@"):
            self.ignore(option, _NAMES_FILE)
        elif colon and value.strip():
            self.said.headers.append((name.strip(), value.strip()))
        elif colon and name.strip():
            self.said.dropped.append(name.strip())
        elif not colon and name.rstrip().endswith(";"):
            self.said.headers.append((name.strip().rstrip(";"), ""))
        elif not colon and name.strip():
            self.said.faults.append(f"“{name.strip()[:60]}” is not a header: there is no colon in it.")

    def user_agent(self, option: curloptions.Option) -> None:
        self.said.lone["User-Agent"] = option.value

    def referer(self, option: curloptions.Option) -> None:
        self.said.lone["Referer"] = option.value.removesuffix(";auto")

    def cookie(self, option: curloptions.Option) -> None:
        if "=" in option.value:
            self.said.cookies.append(option.value)
        else:
            self.ignore(option, _NAMES_FILE)

    def range(self, option: curloptions.Option) -> None:
        start = option.value.strip()
        self.said.lone["Range"] = f"bytes={start}-" if start.isdigit() else f"bytes={start}"

    def data(self, option: curloptions.Option) -> None:
        self.said.has_body = True
        if not option.value.startswith("@") or option.name == "data-raw":
            self.said.data.append(Piece(option.value, option.name == "json"))
        elif option.value != "@-" or self._stdin is None:
            self.ignore(option, self._unread(option))
        else:
            keeps_lines = option.name in ("data-binary", "json")
            text = self._stdin if keeps_lines else self._stdin.replace("\n", "")
            self.said.data.append(Piece(text, option.name == "json"))

    def _unread(self, option: curloptions.Option) -> str:
        """Why the text of a file is not in the body."""
        if option.value == "@-":
            return "what is piped into the command is not read"
        return f"files are not read; put the text of “{_short(option.value[1:])}” into the body"

    def data_urlencode(self, option: curloptions.Option) -> None:
        self.said.has_body = True
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

    def upload(self, option: curloptions.Option) -> None:
        self.said.uploads = True
        self.ignore(option, f"files are not sent; put the text of “{_short(option.value)}” into the body")

    def form(self, option: curloptions.Option) -> None:
        self.said.has_body = True
        name, equals, value = option.value.partition("=")
        is_simple = option.name == "form-string" or not (value.startswith(("@", "<", "(", "=")) or ";type=" in value)
        if not equals or not name or not is_simple:
            what = (
                "is a file: files cannot be sent yet"
                if value.startswith(("@", "<"))
                else "has parts of its own, which are not sent"
            )
            self.ignore(option, f"the part “{_short(name)}” {what}")
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


_SEVERAL: Final = regex(r"(?<!\{)\{[^{},]{0,99},[^{}]{0,99}\}|\[(?:\d+-\d+|[a-z]-[a-z])(?::\d+)?\]", re.IGNORECASE)
_AS_IT_IS: Final = frozenset({"location", "location-trusted", "basic"})
"""No action: a step follows redirects and speaks Basic anyway."""
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
    "upload-file": _Reading.upload,
    "form": _Reading.form,
    "form-string": _Reading.form,
    "user": _Reading.user,
    "oauth2-bearer": _Reading.bearer,
    "max-time": _Reading.max_time,
}


# ---------------------------------------------------------------- around the command


MAX_REST: Final = 100_000


def _left(rest: str) -> Iterator[Ignored]:
    """What stands behind the command, comments left out."""
    lines = [line for line in rest.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    text = " ".join(" ".join(lines).split()) if len(rest) <= MAX_REST else rest[:MAX_SHOWN]
    if not text.strip(";&\\` "):
        return
    if _SECOND.search(text):
        yield Ignored(_short(text), "only the first command is taken")
    elif text[0] == "|":
        yield Ignored(_short(text), _OF_THE_ANSWER)
    else:
        yield Ignored(_short(text), "this text behind the command is not read")


_OF_THE_ANSWER: Final = "what is done with the answer belongs to the bot"
_SECOND: Final = regex(r"(?:^|[\s;&|(])curl(?:\.exe)?\s")


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
