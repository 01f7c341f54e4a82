"""What an import gives, whatever it was read from: a request, what was not taken of the text, what is left to ask."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property

from msgspec import Struct, field

from httpstep.core.importing.credentials import Credential, credentials_of
from httpstep.core.importing.questions import Question, questions_of
from httpstep.core.jsontext import Json
from httpstep.core.step.spec import RequestSpec


class Ignored(Struct, frozen=True):
    """A part that was not taken over; `option` as typed ("-k"), `why` a phrase, may be empty."""

    option: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.option} ({self.why})" if self.why else self.option


class Imported(Struct, frozen=True, dict=True):
    """`faults`: sentences about what could not be understood, `notes`: about what was mended or is sent otherwise.
    `timeout`: seconds. `samples`: a value for each attribute that the text has one for."""

    spec: RequestSpec = field(default_factory=RequestSpec)
    ignored: tuple[Ignored, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    timeout: Decimal | None = None
    name: str = ""
    samples: Mapping[str, Json] = field(default_factory=dict)

    @cached_property
    def credentials(self) -> tuple[Credential, ...]:
        """Values that belong among the secrets, with the names they may get there."""
        return credentials_of(self.spec)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Placeholders of the text, where a person knows the value."""
        return questions_of(self.spec)

    @property
    def is_understood(self) -> bool:
        return bool(self.spec.url)
