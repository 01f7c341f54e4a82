r"""Splits a command line into its words, as a POSIX shell would; PowerShell's too, which differs little.

'…', "…", $'…' (ANSI C escapes), $"…", \ before a character or a line break, comments, redirections, here-documents.
`$NAME` and `${NAME}` become placeholders: what stands there is not known here. PowerShell: ` for \, '' inside '…'.

The command ends at an unquoted ; | & < > or line break, unless what follows plainly belongs to it: an address without
quotes (?a=1&b=2), a placeholder (<TOKEN>), an option on the next line whose backslash was lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from httpstep.core.importing.shell import heredocs
from httpstep.core.importing.shell.curloptions import wants_value
from httpstep.core.importing.shell.words import Words, ansi_c, closing, placeholder
from httpstep.core.regex import regex

_VARIABLE: Final = regex(
    r"\$(?:env:)?(?:([A-Za-z_][A-Za-z0-9_]{0,99})|\{(?:env:)?([A-Za-z_][A-Za-z0-9_]{0,99})\})", re.IGNORECASE
)
_WITH_DEFAULT: Final = regex(r"\$\{([A-Za-z_]\w{0,99}):?-([^{}$`'\"]{0,999})\}")
_WORKED_OUT: Final = regex(r"\$\{[A-Za-z_#!][^{}\s]{0,99}\}")
_PLAIN: Final = regex(r"[^\s'\"\\$`;|&<>#“”„‘’]+")
_IN_QUOTES: Final = regex(r'[^"\\$`]+')
_ENDS: Final = ";|&<>\n"
MAX_AHEAD: Final = 10_000
"""Characters that the other end of a curly quote or of $(…) is looked for."""
MAX_OPEN: Final = 50
"""So many $( and “ without an end, and no further one is looked for."""
_CURLY: Final = {"“": '”“"', "”": '”"', "„": '“”"', "‘": "’‘'", "’": "’'"}
_SPACED_CONTINUATION: Final = regex(r"[\\`][ \t\xa0]+\n")
_HOLE: Final = regex(r"<[A-Za-z][\w .:/-]{0,60}>")
_FLATTENED: Final = regex(r"(?:[\\`]|(?<=\n)>)[ \t]+(?=[-–—−]{1,2}[A-Za-z]|['\"]?https?://)")
"""A line break that was lost behind its backslash, and the prompt of a line that goes on."""
_GOES_ON: Final = regex(r"\s*(?:[\\`>]\s*)?(?:([-–—−]{1,2}[A-Za-z])|(['\"]?https?://))")
_REDIRECTION: Final = regex(r"(?:&>>?|>>?&?|<&?)[ \t]*(?:&?\d+|[^\s;|&<>]+)")


def split(command: str, known: Mapping[str, str], *, powershell: bool = False, closer: str = "") -> Words:
    """The words of the first command. known: variables of the shell that the text sets before. closer: the bracket or
    quote around the command at which it ends, "" where there is none."""
    return _Posix(command, known, powershell, closer).split()


class _Posix:
    def __init__(self, text: str, known: Mapping[str, str], powershell: bool, closer: str = "") -> None:
        self._text = text
        self._known = known
        self._at = 0
        self._here: heredocs.Opening | None = None
        self._open = 0
        self._escape = "`" if powershell else "\\"
        self._closer = closer
        self._escaped = '"\\$`'
        self._result = Words()

    def split(self) -> Words:
        result = self._result
        while (word := self._word()) is not None:
            result.words.append(word)
        result.rest = self._text[self._at + self._is_closed() :]
        if self._here:
            self._read_here_document(self._here)
        return result

    def _word(self) -> str | None:
        """The next word, None at the end of the command."""
        self._skip_space()
        if self._at >= len(self._text) or self._is_closed() or self._is_end(""):
            return None
        pieces: list[str] = []
        start = self._at
        while self._at < len(self._text):
            char = self._text[self._at]
            if (
                char.isspace()
                or self._is_closed()
                or (char in _ENDS and self._is_end(self._text[start : min(self._at, start + 1000)]))
            ):
                break
            pieces.append(self._piece(char))
        return "".join(pieces)

    def _is_closed(self) -> bool:
        """Whether the bracket or quote closes here that was opened before the command."""
        return bool(self._closer) and self._text.startswith(self._closer, self._at)

    def _is_end(self, word: str) -> bool:
        """Whether the command ends here. word: what stands of the word so far, as typed."""
        text, at = self._text, self._at
        if text[at] not in _ENDS or _HOLE.match(text, at):
            return False
        after = text[at + 1 : at + 2]
        in_address = "://" in word or "?" in word
        if text[at] in "&;|" and in_address and after and (after.isalnum() or after in "_%$<{[.-"):
            return text[at] == "|" and "=" not in word
        return True

    def _skip_space(self) -> None:
        text = self._text
        while self._at < len(text):
            if text.startswith(("\\\n", "`\n"), self._at):
                self._at += 2
            elif text[self._at] == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            elif text[self._at] == "\n" and not self._here and (end := self._goes_on()):
                self._at = end
            elif text[self._at].isspace() and text[self._at] != "\n":
                self._at += 1
            elif trailing := _SPACED_CONTINUATION.match(text, self._at) or _FLATTENED.match(text, self._at):
                self._at = trailing.end()
            elif not self._redirected():
                return

    def _goes_on(self) -> int:
        """Where the command goes on behind this line break, although no backslash says so; 0 where it does not."""
        words = self._result.words
        if found := _GOES_ON.match(self._text, self._at):
            is_option = found[1] is not None
            return found.start(1) if is_option else 0 if any("://" in word for word in words) else found.start(2)
        is_value = len(words) > 1 and words[-1][:1] in "-–—" and len(words[-1]) > 1 and wants_value(words[-1])
        return self._at + 1 if is_value else 0

    def _redirected(self) -> bool:
        """Skips where the output goes; notes a here-document, whose text follows the line."""
        if here := heredocs.opening(self._text, self._at):
            self._here, self._at = here, here.end
            return True
        if self._text.startswith("<<<", self._at):
            self._at += 3
            self._result.stdin = (self._word() or "") + "\n"
            return True
        if _HOLE.match(self._text, self._at):
            return False
        found = _REDIRECTION.match(self._text, self._at)
        if found is None or found[0][0] == "<":
            return False
        self._at = found.end()
        number = self._result.words.pop() if self._result.words[-1:] in (["1"], ["2"]) else ""
        self._result.redirected.append(number + found[0])
        return True

    def _read_here_document(self, here: heredocs.Opening) -> None:
        found = heredocs.read(self._text, self._at, here)
        self._result.closed &= found.is_closed
        self._result.rest = found.rest
        self._result.stdin = found.text if here.is_literal else self._filled_in(found.text)

    def _filled_in(self, document: str) -> str:
        """What a shell fills into a here-document: as inside "…", where a quote is a character like others."""
        inner = _Posix(document, self._known, powershell=False)
        inner._escaped = "\\$`"
        pieces: list[str] = []
        while inner._at < len(document):
            pieces.append(inner._piece_in_quotes(document[inner._at]))
        self._result.commands += inner._result.commands
        return "".join(pieces)

    def _piece(self, char: str) -> str:
        text, start = self._text, self._at
        if char == "'":
            return self._single_quoted(start + 1)
        if char == '"':
            return self._double_quoted(start + 1)
        if char in _CURLY:
            return self._curly_quoted(char, start + 1)
        if text.startswith("$'", start):
            return self._ansi_quoted(start + 2)
        if text.startswith('$"', start):
            return self._double_quoted(start + 2)
        if char == "$":
            return self._variable()
        if char == self._escape or (char == "\\" and text.startswith("\\\n", start)):
            self._at = start + 2
            return "" if text[start + 1 : start + 2] == "\n" else text[start + 1 : start + 2]
        if char == "`":
            return self._substitution(text.find("`", start + 1))
        if char == "<" and (hole := _HOLE.match(text, start)):
            self._at = hole.end()
            return hole[0]
        found = _PLAIN.match(text, start)
        end = found.end() if found else start + 1
        close = text.find(self._closer, start, end) if self._closer else -1
        self._at = close if close > start else end
        return text[start : self._at]

    def _single_quoted(self, start: int) -> str:
        taken = self._until("'", start)
        while self._escape == "`" and self._text.startswith("'", self._at):
            taken += "'" + self._until("'", self._at + 1)
        return taken

    def _curly_quoted(self, char: str, start: int) -> str:
        """A word processor's quotes; one that is not closed is a character like others."""
        if char == "“" and (nested := self._closing("“”", start)) >= 0:
            self._at = nested + 1
            return self._text[start:nested]
        ends = [end for close in _CURLY[char] if (end := self._text.find(close, start, start + MAX_AHEAD)) >= 0]
        self._at = start
        return self._until(self._text[min(ends)], start) if ends else char

    def _until(self, quote: str, start: int) -> str:
        end = self._text.find(quote, start)
        if end < 0:
            self._result.closed = False
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
                if self._escape == "`" and text.startswith('"', self._at):
                    self._at += 1
                    pieces.append('"')
                    continue
                return "".join(pieces)
            pieces.append(self._piece_in_quotes(char))
        self._result.closed = False
        return "".join(pieces)

    def _piece_in_quotes(self, char: str) -> str:
        if char == self._escape:
            return self._escaped_in_quotes()
        if char == "$":
            return self._variable()
        if char == "`":
            return self._substitution(self._text.find("`", self._at + 1))
        found = _IN_QUOTES.match(self._text, self._at)
        start, self._at = self._at, found.end() if found else self._at + 1
        return self._text[start : self._at]

    def _escaped_in_quotes(self) -> str:
        after = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if after == "\n":
            return ""
        if self._escape == "`":
            return {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}.get(after, after)
        return after if after and after in self._escaped else "\\" + after

    def _ansi_quoted(self, start: int) -> str:
        text = self._text
        end = start
        while end < len(text) and text[end] != "'":
            end += 2 if text[end] == "\\" else 1
        if end >= len(text):
            self._result.closed = False
        self._at = end + 1
        return ansi_c(text[start:end])

    def _variable(self) -> str:
        if self._text.startswith("$(", self._at):
            return self._substitution(self._closing("()", self._at + 2))
        if found := _VARIABLE.match(self._text, self._at):
            self._at = found.end()
            return placeholder(found[1] or found[2], self._known)
        if found := _WITH_DEFAULT.match(self._text, self._at):
            self._at = found.end()
            return self._known.get(found[1], found[2])
        if found := _WORKED_OUT.match(self._text, self._at):
            return self._substitution(found.end() - 1)
        self._at += 1
        return "$"

    def _closing(self, pair: str, at: int) -> int:
        """Where the bracket or quote of `pair` closes that was opened before `at`; -1 where it does not."""
        end = closing(self._text, at, pair, MAX_AHEAD) if self._open < MAX_OPEN else -1
        self._open += end < 0
        return end

    def _substitution(self, end: int) -> str:
        """A command inside the command, up to `end`: a here-document that cat prints is its text, others are noted."""
        start = self._at
        if end < 0:
            self._at = start + 1
            return self._text[start]
        self._at = end + 1
        typed = self._text[start : end + 1]
        if typed[0] == "$" and (printed := heredocs.printed(typed[2:-1])) is not None:
            return printed
        self._result.commands.append(typed)
        return typed
