"""I-Regexp (RFC 9485), matched in linear time by RE2: no pattern and no text can make it hang.

RE2 takes more than the RFC and gives some of it another meaning, so a pattern is read token by token and written as
RE2 understands it. Beyond the RFC \\d, \\w and \\s and their opposites are read, as people write them. `^` and `$`,
ordinary characters in the RFC, are refused where they were surely meant as anchors.
"""

from __future__ import annotations

import re
from typing import Final

from httpstep.core.regex import regex

MAX_PATTERN_CHARACTERS: Final = 500
_WORD: Final = r"\p{L}\p{N}_"
_OUTSIDE: Final = {".": r"[^\n\r]", "^": r"\^", "$": r"\$", r"\w": f"[{_WORD}]", r"\W": f"[^{_WORD}]"}
_IN_CLASS: Final = {r"\w": _WORD}
_CATEGORY: Final = r"\\[pP]\{(?:L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|Z[lps]?|S[ckmo]?|C[cfno]?)\}"
_ESCAPE: Final = rf"{_CATEGORY}|\\[()*+.?\[\\\]^{{|}}$/nrtdDsSwW-]"
_CHARACTER: Final = r"[^\\\[\](){}|*+?]"
_CLASS: Final = regex(rf"\[\^?(?:{_ESCAPE}|[^\\\[\]])+\]")
_TOKEN: Final = regex(rf"{_ESCAPE}|{_CHARACTER}", re.DOTALL)
_QUANTIFIER: Final = regex(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}")


class BadPattern(ValueError):
    """`str` says in a sentence what is wrong with the pattern."""


class Pattern:
    """A compiled pattern. Raises BadPattern."""

    def __init__(self, pattern: str) -> None:
        import re2  # with the first pattern: it takes a hundredth of a start, and few steps have one

        options = re2.Options()
        options.log_errors = False  # or RE2 writes every wrong pattern to standard error
        try:
            self._compiled = re2.compile(_for_re2(pattern), options)
        except (re2.error, UnicodeEncodeError) as error:
            raise BadPattern(f"RE2 cannot read it: {_reason(error)}.") from None

    def matches(self, text: str) -> bool:
        """Whether the whole text fits (RFC 9535, 2.4.6)."""
        return self._compiled.fullmatch(text) is not None

    def found_in(self, text: str) -> bool:
        """Whether any part of the text fits (RFC 9535, 2.4.7)."""
        return self._compiled.search(text) is not None


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else "it has a character that is none"


def _for_re2(pattern: str) -> str:
    """The pattern in RE2's words (RFC 9485, 5.5, and its grammar in 3). Raises BadPattern for what RE2 would take and the RFC does not."""
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        raise BadPattern(f"A pattern has at most {MAX_PATTERN_CHARACTERS} characters.")
    if pattern.startswith("^") or (pattern.endswith("$") and not pattern.endswith("\\$")):
        raise BadPattern("Patterns have no “^” and “$”: match() looks at the whole text, search() at any part.")
    written: list[str] = []
    place, repeatable = 0, False
    while place < len(pattern):
        piece, text, repeatable = _piece(pattern, place, repeatable)
        written.append(text)
        place += len(piece)
    return "".join(written)


def _piece(pattern: str, place: int, repeatable: bool) -> tuple[str, str, bool]:
    """The piece of the pattern that begins at `place`, its text for RE2, and whether a quantifier may follow."""
    if found := _QUANTIFIER.match(pattern, place):
        if not repeatable:
            raise BadPattern(f"“{found[0]}” at character {place + 1} has nothing to repeat.")
        return found[0], found[0], False
    if pattern[place] in "(|":
        return pattern[place], pattern[place].replace("(", "(?:"), False
    if pattern[place] == ")":
        return ")", ")", True
    if found := _CLASS.match(pattern, place):
        return found[0], _class_for_re2(found[0]), True
    if found := _TOKEN.match(pattern, place):
        return found[0], _OUTSIDE.get(found[0], found[0]), True
    raise BadPattern(
        f"“{pattern[place : place + 2]}” at character {place + 1} is no part of a pattern. Write “\\” before it."
    )


def _class_for_re2(written: str) -> str:
    if r"\W" in re.findall(r"\\.", written):
        raise BadPattern(r"“\W” cannot stand in square brackets.")
    return re.sub(r"\\.", lambda found: _IN_CLASS.get(found[0], found[0]), written)
