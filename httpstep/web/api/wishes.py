"""How a bot's platform wants to be answered: by the query of an execute call, or by a header where it has no query.

?names=flat      X-Names: flat      plain names and values (`core.outcome.flat`)
&lists=text      X-Lists: text      with them, a list as one text; else as JSON
?extra=ignore    X-Extra: ignore    members of the body that are not execute's are passed over
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flask import Request
from msgspec import Struct

from httpstep.core.jsontext import Json
from httpstep.core.outcome.flat import LISTS, flat
from httpstep.web.problems import Problem

NAMES: Final = ("flat",)
EXTRA: Final = ("ignore",)
_WORDS: Final = {"names": NAMES, "lists": tuple(LISTS), "extra": EXTRA}
_HEADERS: Final = {name: f"HTTP_X_{name.upper()}" for name in _WORDS}
"""As WSGI has them."""


class Wishes(Struct, frozen=True):
    """told: what the request says, by the names of the query. errors: its word for how a failure is answered."""

    told: dict[str, str]
    errors: str = ""

    @classmethod
    def of(cls, request: Request) -> Wishes:
        environ = request.environ
        query = request.args if environ.get("QUERY_STRING") else {}
        told = {name: query.get(name, environ.get(header)) for name, header in _HEADERS.items()}
        return cls({name: wish for name, wish in told.items() if wish is not None}, query.get("errors", ""))

    def require_known(self, next_: str) -> None:
        """Raises the 400 for a wish that there is none of: it would be answered otherwise than the bot expects."""
        for name, wish in self.told.items():
            if wish not in (words := _WORDS[name]):
                detail = f'"{name}" may be {" or ".join(words)}, not "{wish[:50]}".'
                raise Problem(400, "Malformed Request", detail, next=next_)
        if "lists" in self.told and not self.flat:
            raise Problem(400, "Malformed Request", '"lists" goes with names=flat alone.', next=next_)

    @property
    def flat(self) -> bool:
        return self.told.get("names") == "flat"

    @property
    def ignores_extra(self) -> bool:
        return self.told.get("extra") == "ignore"

    def answered(self, answer: dict[str, Json], known: Iterable[str]) -> dict[str, Json]:
        """The answer as this request wants it. known: the attributes that the step or flow may give."""
        return flat(answer, self.told.get("lists", "json"), known) if self.flat else answer
