"""Where saved steps send their secrets: what the list of a secret from before there were lists is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from httpstep.core.inserting.placeholders import SECRET_PREFIX, names_in
from httpstep.core.inserting.secrethosts import Hosts, literal_origin
from httpstep.core.request.requestcheck import sent_texts
from httpstep.core.step.spec import StepSpec


def hosts_of_steps(specs: Iterable[StepSpec]) -> dict[str, Hosts]:
    """For each secret that is sent by one of these steps, the origins it goes to; None where one of them varies."""
    found: dict[str, Hosts] = {}
    for spec in specs:
        for name, origin in _destinations(spec):
            known = found.get(name, ())
            found[name] = None if known is None or origin is None else tuple(dict.fromkeys((*known, origin)))
    return found


def _destinations(spec: StepSpec) -> Iterator[tuple[str, str | None]]:
    """(secret, origin): what asks for an OAuth 2 token goes to its address, and the token to the step's."""
    request = spec.request
    for place, text in sent_texts(request):
        called = [request.url]
        if request.auth.type == "oauth2_client_credentials" and place.startswith("auth."):
            called.append(request.auth["token_url"])
        for name in names_in(text):
            if name.startswith(SECRET_PREFIX):
                yield from ((name.removeprefix(SECRET_PREFIX), literal_origin(url)) for url in called)
