"""Where a placeholder gets its value from, for the rendering of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from httpstep.core.conversion import CannotConvert, convert
from httpstep.core.errors import InvalidRequest
from httpstep.core.inserting.encoders import text_of
from httpstep.core.inserting.placeholders import (
    NOT_FOUND,
    Placeholder,
    lookup,
)
from httpstep.core.jsontext import Json

Part = str | Placeholder
"""A compiled piece: text that goes out as it stands, or a placeholder still to be filled."""


class Position(NamedTuple):
    """Where in the request something stands: `path` for programs ("headers[2].value"), `words` for people."""

    path: str
    words: str


class Values:
    """Attributes, the catalogue's defaults and secrets, in this order of asking.

    Remembers what the redaction, the check of hosts and the preview need: the secret values that went in
    (`secrets_used`), the stored secrets by name with the words for what carries each (`carried`), and the attributes
    that were not there and are sent empty (`filled_empty`).
    """

    def __init__(
        self,
        attributes: Mapping[str, Json],
        *,
        secrets: Mapping[str, str],
        defaults: Mapping[str, Json],
        missing: Literal["error", "empty"] = "error",
    ) -> None:
        self._attributes = attributes
        self._secrets = secrets
        self._defaults = defaults
        self._missing = missing
        self.secrets_used: set[str] = set()
        self.carried: dict[str, str] = {}
        self.filled_empty: dict[str, None] = {}

    def json(self, placeholder: Placeholder, place: Position) -> Json:
        """The value, converted where its placeholder says so; null where the step sends empty what is not there.
        Raises InvalidRequest."""
        value = self._plain(placeholder, place)
        if not placeholder.conversion:
            return value
        try:
            return convert(value, placeholder.conversion)
        except CannotConvert as error:
            sentence = (
                f"The attribute “{placeholder.name}” cannot be inserted with “|{placeholder.conversion}”: {error}"
            )
            raise InvalidRequest(
                sentence,
                reason="conversion",
                advice="Correct the value that the bot sends, or take “|…” out of the braces.",
                place=place.path,
            ) from None

    def _plain(self, placeholder: Placeholder, place: Position) -> Json:
        secret = placeholder.secret
        if secret is not None:
            return self._secret(secret, place)
        value = lookup(placeholder.name, self._attributes)
        if value is NOT_FOUND:
            value = lookup(placeholder.name, self._defaults)
        if value is not NOT_FOUND:
            return value
        if self._missing == "error":
            raise InvalidRequest(
                f"The attribute “{placeholder.name}” is not there, and {place.words} needs it.",
                reason="missing_attribute",
                advice="Send the attribute with the call, give it a default under Attributes, "
                "or let the step send missing attributes empty.",
                place=place.path,
            )
        self.filled_empty[placeholder.name] = None
        return None

    def text(self, placeholder: Placeholder, place: Position) -> str:
        """The value as text outside JSON. Raises InvalidRequest."""
        return text_of(self.json(placeholder, place))

    def derived(self, placeholder: Placeholder, spelling: str) -> None:
        """`spelling` is a changed form of the placeholder's value; it is as secret as the value."""
        if placeholder.secret is not None:
            self.secrets_used.add(spelling)

    def token_of(self, name: str) -> None:
        """Notes that the request carries an access token which the stored secret `name` brings."""
        self.carried.setdefault(name, f"The access token that the secret “{name}” brings")

    def credential(self, text: str) -> str:
        """Notes `text`, which proves who calls, as a secret; returns it."""
        if text:
            self.secrets_used.add(text)
        return text

    def _secret(self, name: str, place: Position) -> str:
        if name not in self._secrets:
            raise InvalidRequest(
                f"There is no secret “{name}”, and {place.words} needs it.",
                reason="unknown_secret",
                advice="Add it under Secrets, or correct its name in the step.",
                place=place.path,
            )
        self.carried[name] = f"The secret “{name}”"
        return self.credential(self._secrets[name])


class OverLimit(Exception):
    """A text grew over its limit while it was put together."""


def joined(parts: Iterable[Any], encode: Callable[[Any], str], limit: int) -> str:
    """The parts as one text, those that are none themselves filled by `encode`. Stops with OverLimit once it has over
    `limit` characters, so that ten thousand placeholders with a large value cost no more than the limit."""
    texts: list[str] = []
    length = 0
    for part in parts:
        text = part if isinstance(part, str) else encode(part)
        length += len(text)
        if length > limit:
            raise OverLimit
        texts.append(text)
    return "".join(texts)
