"""A JSON body laid out for reading: white space between the tokens changes, and not a character of a token.

Numbers keep their digits, strings their escapes, placeholders their spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from httpstep.core.inserting.jsonbodies import compile_json
from httpstep.core.regex import regex

_TOKEN: Final = regex(r'\s+|"(?:[^"\\]|\\.)*"|\{\{[^{}]*\}\}|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_INDENT: Final = "  "


def laid_out(text: str) -> str:
    """The same body, two spaces an indent. Raises JsonBodyFault and PlaceholderFault where it is no JSON body."""
    if not text.strip():
        return text
    compile_json(text)
    return "".join(_laid_out(token for token in _TOKEN.findall(text) if not token.isspace()))


def _laid_out(tokens: Iterator[str]) -> Iterator[str]:
    depth, before = 0, ""
    for token in tokens:
        if token in ("}", "]"):
            depth -= 1
            if before not in ("{", "["):
                yield "\n" + _INDENT * depth
        elif before in ("{", "[", ","):
            yield "\n" + _INDENT * depth
        elif before == ":":
            yield " "
        yield token
        depth += token in ("{", "[")
        before = token
