r"""Splits a pasted command line into its words, as a POSIX shell or the Windows command prompt would; never raises.

POSIX: '…', "…", $'…' (ANSI C escapes), $"…", \ before a character or a line break, comments; the command ends at an
unquoted ; | & < > or line break. `$NAME` and `${NAME}` become placeholders: what stands there is not known here.
Windows: ^ before a character or line break, "…" with \" and "" inside. A backtick before a line break (PowerShell) joins
lines too.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_WINDOWS: Final = re.compile(r"\^[ \t]*\r?\n|(?:^|\s)\^\"|\bcurl\.exe\b")
_VARIABLE: Final = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]{0,99})|\{([A-Za-z_][A-Za-z0-9_]{0,99})\})")
_SECRET_NAME: Final = re.compile(r"TOKEN|KEY|SECRET|PASS|PWD|CREDENTIAL|AUTH", re.IGNORECASE)
_ANSI: Final = re.compile(
    r"\\(?:([abeEfnrtv\\'\"?])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8}))"
)
_ANSI_LETTERS: Final = dict(zip("abeEfnrtv\\'\"?", "\a\b\x1b\x1b\f\n\r\t\v\\'\"?", strict=True))
_PLAIN: Final = re.compile(r"[^\s'\"\\$`;|&<>#]+")
_IN_QUOTES: Final = re.compile(r'[^"\\$`]+')
_ENDS: Final = ";|&<>\n"


class Words(NamedTuple):
    """`closed` is False where a quote was opened and never closed."""

    words: list[str]
    closed: bool


def split(command: str) -> Words:
    """The words of the first command in `command`."""
    command = command.replace("\r\n", "\n").replace("\r", "\n")
    if "'" not in command and '"' not in command:
        command = command.translate(_TYPOGRAPHIC)
    if _WINDOWS.search(command):
        return _split_windows(_without_carets(command))
    return _Posix(command).split()


_TYPOGRAPHIC: Final = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'"})


def _placeholder(name: str) -> str:
    return f"{{{{secret.{name}}}}}" if _SECRET_NAME.search(name) else f"{{{{{name}}}}}"


class _Posix:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._closed = True

    def split(self) -> Words:
        words: list[str] = []
        while (word := self._word()) is not None:
            words.append(word)
        return Words(words, self._closed)

    def _word(self) -> str | None:
        """The next word, None at the end of the command."""
        self._skip_space()
        if self._at >= len(self._text) or self._text[self._at] in _ENDS:
            return None
        pieces: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char.isspace() or char in _ENDS:
                break
            pieces.append(self._piece(char))
        return "".join(pieces)

    def _skip_space(self) -> None:
        text = self._text
        while self._at < len(text):
            if text.startswith(("\\\n", "`\n"), self._at):
                self._at += 2
            elif text[self._at] == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            elif text[self._at].isspace() and text[self._at] != "\n":
                self._at += 1
            elif trailing := _SPACED_CONTINUATION.match(text, self._at):
                self._at = trailing.end()
            else:
                return

    def _piece(self, char: str) -> str:
        text, start = self._text, self._at
        if char == "'":
            return self._until("'", start + 1)
        if char == '"':
            return self._double_quoted(start + 1)
        if text.startswith("$'", start):
            return self._ansi_quoted(start + 2)
        if text.startswith('$"', start):
            return self._double_quoted(start + 2)
        if char == "$":
            return self._variable()
        if char == "\\":
            self._at = start + 2
            return "" if text[start + 1 : start + 2] == "\n" else text[start + 1 : start + 2]
        found = _PLAIN.match(text, start)
        self._at = found.end() if found else start + 1
        return text[start : self._at]

    def _until(self, quote: str, start: int) -> str:
        end = self._text.find(quote, start)
        if end < 0:
            self._closed = False
            end = len(self._text)
        self._at = end + 1
        return self._text[start:end]

    def _double_quoted(self, start: int) -> str:
        text = self._text
        pieces: list[str] = []
        self._at = start
        while self._at < len(text):
            char = text[self._at]
            if char == '"':
                self._at += 1
                return "".join(pieces)
            if char == "\\":
                pieces.append(self._escaped_in_quotes())
            elif char == "$":
                pieces.append(self._variable())
            else:
                found = _IN_QUOTES.match(text, self._at)
                end = found.end() if found else self._at + 1
                pieces.append(text[self._at : end])
                self._at = end
        self._closed = False
        return "".join(pieces)

    def _escaped_in_quotes(self) -> str:
        after = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if after == "\n":
            return ""
        return after if after in ('"', "\\", "$", "`") else "\\" + after

    def _ansi_quoted(self, start: int) -> str:
        text = self._text
        end = start
        while end < len(text) and text[end] != "'":
            end += 2 if text[end] == "\\" else 1
        if end >= len(text):
            self._closed = False
        self._at = end + 1
        return _ANSI.sub(_ansi_character, text[start:end])

    def _variable(self) -> str:
        found = _VARIABLE.match(self._text, self._at)
        self._at = found.end() if found else self._at + 1
        return _placeholder(found[1] or found[2]) if found else "$"


_SPACED_CONTINUATION: Final = re.compile(r"\\[ \t]+\n")


def _ansi_character(found: re.Match[str]) -> str:
    if found[1]:
        return _ANSI_LETTERS[found[1]]
    code = int(found[2], 8) if found[2] else int(found[3] or found[4] or found[5], 16)
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"


# ---------------------------------------------------------------- Windows


def _without_carets(command: str) -> str:
    """What the command prompt hands on: outside quotes ^ takes the meaning from the next character."""
    pieces: list[str] = []
    quoted = False
    at = 0
    while at < len(command):
        char = command[at]
        if char == "^" and not quoted:
            joined = re.compile(r"\^[ \t]*\n").match(command, at)
            pieces.append(" " if joined else command[at + 1 : at + 2])
            at = joined.end() if joined else at + 2
            continue
        if char == '"':
            quoted = not quoted
        elif char == "\n" and not quoted:
            break
        pieces.append(char)
        at += 1
    return "".join(pieces)


_WINDOWS_PIECE: Final = re.compile(r'\\+(?=")|"|\s+|[^\\"\s]+|\\+')


def _split_windows(line: str) -> Words:
    """Words as Microsoft's C library cuts them: 2n backslashes before a quote are n, 2n+1 are n and a plain quote."""
    words: list[str] = []
    word: list[str] | None = None
    quoted = False
    escaped = False
    for found in _WINDOWS_PIECE.finditer(line):
        piece = found[0]
        if piece == '"' and not escaped:
            quoted, word = not quoted, word if word is not None else []
        elif piece.isspace() and not quoted:
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            before_quote = piece[0] == "\\" and line.startswith('"', found.end())
            word = [] if word is None else word
            word.append("\\" * (len(piece) // 2) if before_quote else piece)
            escaped = before_quote and len(piece) % 2 == 1
            continue
        escaped = False
    if word is not None:
        words.append("".join(word))
    return Words(words, not quoted)
