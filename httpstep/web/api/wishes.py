"""How a bot's platform wants to be answered: by the query of an execute call, or by a header where it has no query.

?names=flat      X-Names: flat      plain names and values (`core.outcome.flat`)
&lists=text      X-Lists: text      with them, a list as one text; else as JSON
?extra=ignore    X-Extra: ignore    members of the body that are not execute's are passed over
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import g, request

from httpstep.core.jsontext import Json
from httpstep.core.outcome.flat import LISTS, flat
from httpstep.web.problems import Problem

NAMES: Final = ("flat",)
EXTRA: Final = ("ignore",)
_WORDS: Final = {"names": NAMES, "lists": tuple(LISTS), "extra": EXTRA}


def _wishes() -> dict[str, str]:
    """What this request wishes, by the names of the query. Read once: it is asked for at each step of an execution."""
    if "wishes" not in g:
        told = {name: request.args.get(name, request.headers.get(f"X-{name.capitalize()}")) for name in _WORDS}
        g.wishes = {name: wish for name, wish in told.items() if wish is not None}
    wishes: dict[str, str] = g.wishes
    return wishes


def require_known(next_: str) -> None:
    """Raises the 400 for a wish that there is none of: it would be answered otherwise than the bot expects."""
    for name, wish in _wishes().items():
        if wish not in (words := _WORDS[name]):
            detail = f'"{name}" may be {" or ".join(words)}, not "{wish[:50]}".'
            raise Problem(400, "Malformed Request", detail, next=next_)
    if "lists" in _wishes() and not wants_flat():
        raise Problem(400, "Malformed Request", '"lists" goes with names=flat alone.', next=next_)


def wants_flat() -> bool:
    return _wishes().get("names") == "flat"


def ignores_extra() -> bool:
    return _wishes().get("extra") == "ignore"


def answered(answer: dict[str, Json], known: Iterable[str]) -> dict[str, Json]:
    """The answer as this request wants it. known: the attributes that the step or flow may give."""
    return flat(answer, _wishes().get("lists", "json"), known) if wants_flat() else answer
