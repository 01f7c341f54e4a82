"""How a step is called from the platforms that bots are built on: one table, for the page of a step and docs/bots.md.

A platform with a block for HTTP requests gets the address, the headers, the body and where each value stands in the
answer; one that runs code gets the code, most of it with `httpstep_client.py`. Each asks httpstep for an answer within
the time that the platform waits, so that the bot gets a `next` and not the platform's own error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.core.outcome.flat import plain_names
from httpstep.web.recipes import code

TOKEN: Final = "YOUR_API_KEY"


class Platform(Struct, frozen=True):
    """where: in the platform the lines go. limit: its own time limit, a sentence. seconds: asked of httpstep, None where
    its 60 fit. variable: how an attribute of the bot is written, %s its plain name. answer: how a member of the answer
    is named, %s the member. language and template: of the code, where the platform runs code."""

    name: str
    where: str
    limit: str
    seconds: int | None = None
    variable: str = ""
    answer: str = ""
    language: str = ""
    template: str = ""


# What each limit is taken from is said in docs/bots.md, below the same table.
PLATFORMS: Final = (
    Platform(
        "Typebot", "An HTTP request block: POST, with the body under Customize body, and the variables under Save in variables.",
        "It waits 10 seconds, or up to 120 where the block says so.", 8, "{{%s}}", "data.%s",
    ),
    Platform(
        "ManyChat", "An External Request: POST, with the fields under Response mapping.",
        "It waits 10 seconds.", 8, "{{%s}}", "$.%s",
    ),
    Platform(
        "Landbot", "A Webhook block: POST, with the body under Customize body, and the fields under Save responses as variables.",
        "It does not say how long it waits.", 20, "@{%s}", "%s",
    ),
    Platform(
        "Dialogflow CX", "A flexible webhook: POST, with the body as request body, and the session parameters under Response configuration.",
        "It waits 5 seconds, or up to 30 where the webhook says so.", 4, "$session.params.%s", "$.%s",
    ),
    Platform(
        "n8n", "An HTTP Request node: POST, with the body as JSON (an expression). An If node after it looks at next.",
        "It waits 300 seconds, unless Timeout says less.", None, "{{ $json.%s }}", "{{ $json.%s }}",
    ),
    Platform(
        "Rasa", "An action of your action server.", "It waits 300 seconds for an action.",
        language="python", template=code.RASA,
    ),
    Platform(
        "Botpress", "An Execute Code card.", "It has 60 seconds for a whole message; these lines take at most 25.", 20,
        language="javascript", template=code.BOTPRESS,
    ),
    Platform(
        "Chatwoot", "The webhook of an agent bot. It answers at once, and the reply follows by Chatwoot's API.",
        "It waits 5 seconds for the webhook.", language="python", template=code.CHATWOOT,
    ),
    Platform(
        "WhatsApp Cloud", "The webhook of your app at Meta. It answers at once, and the reply follows by the Cloud API.",
        "It sends an event again, for up to 7 days, where no 200 comes at once.", language="python", template=code.WHATSAPP,
    ),
    Platform(
        "python-telegram-bot", "A bot that polls.", "There is none; one slow step holds up nobody else (concurrent_updates).",
        language="python", template=code.TELEGRAM,
    ),
)  # fmt: skip


class Block(Struct, frozen=True):
    """label: what is copied where. name: in ids. language: of the text, "" for what is no program."""

    label: str
    name: str
    text: str
    language: str = ""


class Recipe(Struct, frozen=True):
    """One platform for one step. id: its name in ids."""

    id: str
    platform: Platform
    blocks: tuple[Block, ...]


def recipes(base: str, key: str, attributes: Mapping[str, Json], gives: Sequence[str]) -> list[Recipe]:
    """For one step. attributes: those it takes, with samples; gives: those that its mapping gives."""
    return [
        Recipe(
            platform.name.lower().replace(" ", "-"), platform,
            _code(platform, base, key, attributes, gives) if platform.template else _blocks(platform, base, key, attributes, gives),
        )
        for platform in PLATFORMS
    ]  # fmt: skip


def address(base: str, key: str) -> str:
    return f"{base}/api/v1/steps/{key}/execute?names=flat&extra=ignore"


def _blocks(
    platform: Platform, base: str, key: str, attributes: Mapping[str, Json], gives: Sequence[str]
) -> tuple[Block, ...]:
    """Of a block for HTTP requests."""
    variables = plain_names(attributes)
    body: dict[str, Json] = {"attributes": {name: platform.variable % variables[name] for name in attributes}}
    if platform.seconds is not None:
        body["timeout"] = platform.seconds
    read = ["next", *(f"attributes.{name}" for name in plain_names(gives).values())]
    saved = "\n".join(f"{platform.answer % member} -> {member.removeprefix('attributes.')}" for member in read)
    return (
        Block("Address, called with POST", "address", address(base, key)),
        Block("Headers", "headers", f"Authorization: Bearer {TOKEN}\nContent-Type: application/json"),
        Block("Body", "body", jsontext.dumps_text(body), "json"),
        Block("Of the answer into variables; go on where next is continue", "answer", saved),
    )


def _code(
    platform: Platform, base: str, key: str, attributes: Mapping[str, Json], gives: Sequence[str]
) -> tuple[Block, ...]:
    written = code.filled(
        platform.template, base=base, address=address(base, key), key=key, token=TOKEN, seconds=platform.seconds,
        attributes=attributes, gives=tuple(plain_names(gives).values()),
    )  # fmt: skip
    return (Block("Code", "code", written, platform.language),)
