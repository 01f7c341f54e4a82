r"""Splits a command line of the Windows command prompt into its words.

Outside quotes ^ takes the meaning from the next character; inside "…" \" and "" are a quote. Chrome and Firefox write
^ before every special character, inside quotes too (^\^"), and a line break of a value as ^ and two line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from httpstep.core.importing.shell.words import Words, placeholder
from httpstep.core.regex import regex

_BROWSERS: Final = regex(r'\^\\\^"|(?:^|\s)\^"')
_JOINED: Final = regex(r"\^[ \t]*\n(\n)?")
VARIABLE: Final = regex(r"%(?![0-9A-Fa-f]{2})([A-Za-z_][A-Za-z0-9_]{1,99})%")
_PIECE: Final = regex(r'\\+(?=")|""|"|\s+|[^\\"\s]+|\\+')


def split(command: str, known: Mapping[str, str]) -> Words:
    """The words of the first command; what stands behind it is in `rest`. known: variables that the text sets before."""
    line, rest = _without_carets(command)
    result = _words_of(VARIABLE.sub(lambda found: placeholder(found[1], known), line))
    result.rest = rest
    return result


def _without_carets(command: str) -> tuple[str, str]:
    """(what the command prompt hands on, what stands behind the command)"""
    always = _BROWSERS.search(command) is not None
    pieces: list[str] = []
    quoted = in_value = False
    at = 0
    while at < len(command):
        char = command[at]
        if char == "^" and (always or not quoted):
            joined = _JOINED.match(command, at)
            taken = command[at + 1 : at + 2]
            in_value ^= taken == '"' and command[at - 1 : at] != "\\"
            pieces.append(("\n" if joined[1] and in_value else " ") if joined else taken)
            at = joined.end() if joined else at + 2
            continue
        if char == '"':
            quoted, in_value = not quoted, not in_value
        elif not quoted and not in_value and _ends(command, at):
            return "".join(pieces), command[at:]
        pieces.append(char)
        at += 1
    return "".join(pieces), ""


def _ends(command: str, at: int) -> bool:
    """Whether the command ends here: at a line break, or at & | < > after a space. In a word they are its own, as in
    an address without quotes."""
    char = command[at]
    if char == "\n":
        return re.match(r"\s*[-/]", command[at + 1 : at + 80]) is None
    return char in "&|<>" and command[at - 1 : at].isspace()


def _words_of(line: str) -> Words:
    """Words as Microsoft's C library cuts them: 2n backslashes before a quote are n, 2n+1 are n and a plain quote; ""
    inside quotes is a quote."""
    words: list[str] = []
    word: list[str] | None = None
    quoted = False
    escaped = False
    for found in _PIECE.finditer(line):
        piece = found[0]
        if piece[0] == '"' and not escaped:
            word = word if word is not None else []
            if piece == '""' and quoted:
                word.append('"')
            elif piece == '"':
                quoted = not quoted
        elif piece.isspace() and not quoted:
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            before_quote = piece[0] == "\\" and line.startswith('"', found.end())
            word = [] if word is None else word
            word.append("\\" * (len(piece) // 2) if before_quote else piece)
            quoted ^= escaped and piece == '""'
            if escaped and piece == '""':
                word[-1] = '"'
            escaped = before_quote and len(piece) % 2 == 1
            continue
        escaped = False
    if word is not None:
        words.append("".join(word))
    return Words(words, not quoted)
