"""OAuth 2 access tokens of this process: fetched through the guarded call, kept until shortly before they expire."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Set
from dataclasses import dataclass

from httpstep.core import jsontext
from httpstep.core.errors import HttpStatusError, StepError, UnreadableAnswer
from httpstep.core.exchange import HttpResponse, RenderedRequest, Send
from httpstep.core.jsontext import Json
from httpstep.core.outcome import fallback

_EARLY = 30.0
_UNSTATED = 300.0
_MAX_TOKENS = 1000


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str
    until: float


class TokenCache:
    """Keyed by account and the whole token request, so a changed credential never meets an old token."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, account: str, request: RenderedRequest, deadline: float, send: Send, *, refused: str | None = None
    ) -> str:
        """A token for this request; `refused` is one the API no longer takes. Raises StepError."""
        name = _name(account, request)
        with self._lock:
            kept = self._kept.get(name)
        if kept is not None and kept.token != refused and self._clock() < kept.until:
            return kept.token
        token, seconds = _read(send(request, deadline), request.secrets)
        with self._lock:
            self._kept[name] = _Kept(token, self._clock() + max(0.0, seconds - _EARLY))
            while len(self._kept) > _MAX_TOKENS:
                self._kept.popitem(last=False)
        return token


def _name(account: str, request: RenderedRequest) -> str:
    parts = (account, request.method, request.url, repr(request.headers), repr(request.body))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _read(response: HttpResponse, secrets: Set[str]) -> tuple[str, float]:
    """The token and its seconds (RFC 6749, 5.1), or the reason the token address gave (5.2)."""
    if response.status != 200:
        said = fallback.reason_given(response, secrets)
        message = f"The token address answered {response.status}" + (f": {said}" if said else ".")
        raise HttpStatusError(
            message,
            reason="token_refused",
            advice="Check the client id, the client secret and the scope.",
            place="auth",
        )
    try:
        document = jsontext.loads(response.body)
    except UnreadableAnswer:
        document = None
    token = document.get("access_token") if isinstance(document, dict) else None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise StepTokenError()
    return token, _seconds(document.get("expires_in"))


def _seconds(value: Json) -> float:
    """expires_in as seconds; what is no figure, or one without end, counts as not stated."""
    try:
        seconds = float("nan" if isinstance(value, bool) else value)
    except (TypeError, ValueError, OverflowError):
        return _UNSTATED
    return seconds if math.isfinite(seconds) else _UNSTATED


class StepTokenError(HttpStatusError):
    """The token address answered 200 without a usable access token."""

    def __init__(self) -> None:
        StepError.__init__(
            self,
            "The token address gave no access token.",
            reason="token_missing",
            advice="Check the token URL.",
            place="auth",
        )
