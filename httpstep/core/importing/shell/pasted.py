"""Finds the curl command in any text, mends what word processors did to it, and cuts it by the shell it is written for."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Final, NamedTuple

from httpstep.core.importing.shell import posix, windows
from httpstep.core.importing.shell.words import Words, ansi_c
from httpstep.core.regex import regex

INVISIBLE: Final = regex("[\u200b\u200e\u200f\u2060\ufeff]")
"""Characters that web pages and word processors put between others, and that nobody sees. The joiners of emoji and of
some scripts (U+200C, U+200D) are not among them."""


class Command(NamedTuple):
    """`words` without any if there is no curl command. `before`: the text in front of it. notes: what was mended."""

    words: Words
    before: str = ""
    notes: tuple[str, ...] = ()


def read(text: str) -> Command:
    """The first curl command of `text`."""
    text = _PROMPTS.sub(r"\1", text.replace("\r\n", "\n").replace("\r", "\n"))
    seen = INVISIBLE.sub("", text)
    notes = ("Invisible characters stood in this text. They are left out.",) if seen != text else ()
    start = _start(seen)
    if start is None:
        return Command(Words(), notes=notes)
    command, before = seen[start:], seen[:start]
    if command[4:5].isspace() and (piped := _CAT.search(before[-MAX_BEFORE:])):
        command = f"curl {piped[1]}{command[4:]}"
    words = _split(command, before)
    if words.stdin is None:
        words.stdin = _printed(before[-MAX_BEFORE:])
    return Command(words, before, notes)


MAX_BEFORE: Final = 100_000
_CAT: Final = regex(r"(?:^|[\s;&|(])cat[ \t]*(?:-[ \t]*)?(<<-?[ \t]*\\?(['\"]?)\w+\2)[ \t]*\|[ \t]*$")
_PRINTS: Final = regex(r"(?:^|[\n;&(]|\$ )[ \t]*(?=(?:echo|printf)[ \t])")


def _printed(before: str) -> str | None:
    """What `echo '…' |` or `printf '…' |` in front of the command pipes into it; None where the text does not say."""
    starts = [found.end() for found in _PRINTS.finditer(before)]
    if not starts or not before.rstrip().endswith("|"):
        return None
    said = posix.split(before[starts[-1] :], _variables(before[: starts[-1]]))
    if said.rest.strip() != "|" or said.commands or said.redirected or not said.closed:
        return None
    command, *words = said.words
    if command == "printf":
        return _formatted(words)
    options = list(takewhile(_ECHO_OPTION.fullmatch, words))
    text = " ".join(words[len(options) :])
    flags = "".join(options)
    return (ansi_c(text) if "e" in flags else text) + ("" if "n" in flags else "\n")


_ECHO_OPTION: Final = regex(r"-[neE]+")


def _formatted(words: list[str]) -> str | None:
    """What printf writes of a text without a conversion, or of one %s and its text."""
    match words:
        case [text] if "%" not in text:
            return ansi_c(text)
        case ["%s" | "%s\\n" as form, text]:
            return text + form[2:].replace("\\n", "\n")
    return None


_PROMPTS: Final = regex(r"([`^][ \t]*\n)[ \t]*(?:>>|More\?)[ \t]*")
"""Of PowerShell and the command prompt, in front of a line that goes on."""
_CURL: Final = regex(r"(?:^|(?<=[\s;|&(/\\$`'\">]))curl(?:\.exe)?(?=\s|\^|$)", re.IGNORECASE)
_ARGUMENTS: Final = regex(
    r"curl(?:\.exe)?[\s\\^`]+(?:[-‐‑‒–—―−]{1,2}[A-Za-z0-9:#%]|[\"'“‘$`{<]|\S+[.:/]\S|localhost\b)", re.IGNORECASE
)
_BEGINS: Final = regex(r"\s*(?:[$#>%]\s*)?curl(?:\.exe)?\s*(?:\S+\s*)?", re.IGNORECASE)


def _start(text: str) -> int | None:
    """Where the word curl stands that has an option or an address behind it; prompts, `sudo`, settings of variables
    and sentences are left out."""
    places = (found.start() for found in _CURL.finditer(text))
    chosen = next((place for place in places if _ARGUMENTS.match(text, place)), None)
    if chosen is None and _BEGINS.fullmatch(text):
        found = _CURL.search(text)
        chosen = found.start() if found else None
    return chosen


_CARETS: Final = regex(r"\^[ \t]*\n")
_IN_CARETS: Final = regex(r"(?:^|\s)\^\"")
_BACKTICKS: Final = regex(r"`[ \t]*\n")
_SINGLE_QUOTE: Final = regex(r"\s'|\\[ \t]*\n")
_DOUBLED: Final = regex(r'[{:,\[]\s{0,9}""[^",]')
_OF_POWERSHELL: Final = regex(r"`|(?<![\w\\])\$(?:env:)?[A-Za-z_]")
"""A variable or an escape, in a command whose quotes are not those of the command prompt."""
_EXE: Final = regex(r"curl\.exe\b", re.IGNORECASE)


_CLOSERS: Final = {"(": ")", "`": "`"}
"""Around a command: $(…), (…), `…` of a shell or of a text with marks."""


def _split(command: str, before: str) -> Words:
    known, closer = _variables(before), _CLOSERS.get(before[-1:], "")
    if _IN_CARETS.search(command):
        return windows.split(command, known)
    if _CARETS.search(command):
        joined = _CARETS.sub("\\\\\n", command)
        return posix.split(joined, known) if _SINGLE_QUOTE.search(command) else windows.split(command, known)
    is_exe, is_single = _EXE.match(command) is not None, _SINGLE_QUOTE.search(command) is not None
    has_variable = '\\"' not in command and _OF_POWERSHELL.search(command) is not None
    is_powershell = (is_single or has_variable) and "\\\n" not in command and "--%" not in command
    if _BACKTICKS.search(command) or (is_exe and is_powershell):
        return posix.split(command, known, powershell=True, closer=closer.strip("`"))
    if (is_exe or _DOUBLED.search(command) or windows.VARIABLE.search(command)) and not is_single:
        return windows.split(command, known)
    return posix.split(command, known, closer=closer)


_SETTING: Final = regex(
    r"(?:^|(?<=[\s;$]))(?:export[ \t]+)?(?:\$env:|\$)?([A-Za-z_]\w{0,99})[ \t]?=[ \t]?"
    r"('[^'\n]{0,4096}'|\"[^\"$`\n]{0,4096}\"|[^\s;&|'\"$`<>]{1,4096})(?=[\s;]|$)"
)


def _variables(before: str) -> dict[str, str]:
    """What the text in front of the command sets: TOKEN=abc, export TOKEN='abc', $env:TOKEN = "abc"."""
    return {found[1]: found[2].strip("'\"") for found in _SETTING.finditer(before)}
