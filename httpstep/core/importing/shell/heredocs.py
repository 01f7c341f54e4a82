"""Here-documents of a POSIX shell: the text between <<WORD and WORD (POSIX.1-2017, Shell Command Language, 2.7.4)."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from httpstep.core.regex import regex

_HERE: Final = regex(r"<<(?!<)(-?)[ \t]*(\\?)(['\"]?)(\w+)\3")
_CAT: Final = regex(r"\s*cat\s*<<(-?)[ \t]*(['\"]?)(\w+)\2[ \t]*\n((?:.*?\n)??)[ \t]*\3\s*", re.DOTALL)
_TABS: Final = regex(r"^\t+", re.MULTILINE)


class Opening(Struct, frozen=True):
    """`end`: where it ends. strips_tabs: those in front of each line (<<-). is_literal: nothing in it is filled in."""

    word: str
    end: int
    strips_tabs: bool
    is_literal: bool


def opening(text: str, at: int) -> Opening | None:
    found = _HERE.match(text, at)
    return Opening(found[4], found.end(), bool(found[1]), bool(found[2] or found[3])) if found else None


class Document(Struct, frozen=True):
    """rest: what follows the command, on its own line and behind the document. is_closed: whether its end was found."""

    text: str
    rest: str
    is_closed: bool


def read(text: str, at: int, here: Opening) -> Document:
    """The document whose first line follows the line of `at`."""
    end = re.compile(rf"^[ \t]*{re.escape(here.word)}[ \t]*$", re.MULTILINE)
    start = text.find("\n", at) + 1
    found = end.search(text, start) if start else None
    written = text[start : found.start() if found else len(text)] if start else ""
    rest = text[at : max(start - 1, at)] + (text[found.end() :] if found else "")
    return Document(_TABS.sub("", written) if here.strips_tabs else written, rest, found is not None)


def printed(command: str) -> str | None:
    """What `cat <<WORD …` prints, without its last line breaks; None where it is another command."""
    found = _CAT.fullmatch(command)
    return None if found is None else (_TABS.sub("", found[4]) if found[1] else found[4]).rstrip("\n")
