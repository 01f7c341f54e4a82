"""What people write who know other query languages, and how RFC 9535 spells it."""

from __future__ import annotations

import re
from typing import Final

from httpstep.core.regex import regex

_STRINGS: Final = regex(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_HABITS: Final = tuple(
    (regex(pattern), hint)
    for pattern, hint in (
        (r"=~\s*/?(?P<found>[^/\s)\]]*)", "A pattern is written search(@.name, '{found}') here, in the place of “=~”."),
        (r"\(\s*@\.length\s*-\s*(?P<found>\d+)\s*\)", "Counted from the end of a list, that is [-{found}]; there is no “@.length”."),
        (r"@(?P<found>(?:\.\w+)*)\.(?:length|size|count)\b(?:\(\))?", "The length of “@{found}” is written length(@{found}) here, not “@{found}.length”."),
        (r"(?P<found>\.(?:length|size|count|sum|min|max|first|last)\(\))", "There is no “{found}” here. The number of items is the rule's “how many”, the last one its “the last item”."),
        (r"\.(?P<found>\d[\w-]*)", "After a dot a name begins with a letter: write ['{found}'] for a name, or [{found}] for a place in a list."),
        (r"\.(?P<found>@[\w.:-]+)", "A name with such characters goes in brackets and quotes: ['{found}']."),
        (r"\.(?P<found>\w+[-:$][\w:$-]*)", "A name with such characters goes in brackets and quotes: ['{found}']."),
        (r"\s(?P<found>and|AND)\s", "“{found}” is written && here."),
        (r"\s(?P<found>or|OR)\s", "“{found}” is written || here."),
        (r"[\s(?](?P<found>not|NOT)\s", "“{found}” is written ! here, as in [?!@.sold]."),
        (r"\s(?P<found>in|IN|contains)\s", "There is no “{found}” here: write each comparison, with || between them."),
        (r"(?P<found>[!=]==)", "“{found}” has one “=” too many."),
        (r"[^=!<>](?P<found>=)[^=~]", "A comparison has two signs: == in the place of “{found}”."),
        (r"\[(?P<found>[A-Za-z_]\w*)\]", "A name in brackets is in quotes: ['{found}']."),
        (r"(?P<found>\[\])", "“{found}” is written [*] here: every item of a list."),
        (r"\A\$(?P<found>[A-Za-z_]\w*)", "After “$” stands a dot or a bracket: $.{found}."),
        (r"(?P<found>(?:contains|includes|like|starts_?with|ends_?with|startsWith|endsWith))\(", "There is no “{found}” here: write search(@.name, 'part of it')."),
        (r"(?P<found>\|\||&&)(?=[^\]]*\Z)(?<!\])", "“{found}” stands inside a filter, as in [?@.a == 1 && @.b == 2]."),
    )
)  # fmt: skip
_DOTTED: Final = regex(r"[A-Za-z_]\w*(?:\.(?:[A-Za-z_]\w*|\d+)|\[\d+\])*")
_COUNTED: Final = regex(r"\.(?:length|size|count)\Z")


def spelling(query: str) -> str:
    """A sentence with the right spelling for a query that cannot be read; "" where no habit is known in it."""
    bare = _without_strings(query)
    for pattern, hint in _HABITS:
        if found := pattern.search(bare):
            start, end = found.span("found")
            return hint.format(found=query[start:end])
    return ""


def _without_strings(query: str) -> str:
    """The query with what stands in quotes blotted out, and every place where it was."""
    return _STRINGS.sub(lambda found: "'" + "\0" * (len(found[0]) - 2) + "'", query)


def with_dollar(query: str) -> str:
    """The query that a path of another language means ("data.items.0.name"), "" where it is none."""
    if not _DOTTED.fullmatch(query):
        return ""
    return "$." + re.sub(r"\.(\d+)(?=\.|\[|\Z)", r"[\1]", query)


def of_nothing(query: str) -> str:
    """A sentence for a query that is right and finds nothing, "" where there is none."""
    if found := _COUNTED.search(query):
        return f" “{found[0]}” is read as a name: for the number of items, query {query[: found.start()]} and take “how many”."
    hint = spelling(query)
    return f" {hint}" if ".length" in hint else ""
