"""OAuth 2 access tokens: fetched through the guarded call, one for all processes, kept until shortly before they expire."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Set
from typing import Protocol

from httpstep.core import jsontext
from httpstep.core.errors import HttpStatusError, StepError, TimedOut, UnreadableAnswer
from httpstep.core.exchange import HttpResponse, RenderedRequest, Send
from httpstep.core.jsontext import Json
from httpstep.core.outcome import fallback
from httpstep.core.private import Private

_EARLY = 30.0
_UNSTATED = 300.0
_MAX_TOKENS = 1000
_ASKED_EVERY = 0.05
_CLAIMED_BEYOND = 1.0
"""Seconds after its deadline in which a call that fetches may still write down what came."""


class Store(Protocol):
    """What the processes share (`storage.accesstokens.StoredTokens`)."""

    def get(self, name: str) -> tuple[str, float] | None: ...

    def claim(self, account_id: int, name: str, now: float, until: float) -> bool: ...

    def put(self, name: str, token: str, now: float, until: float) -> None: ...

    def release(self, name: str) -> None: ...


class _CachedToken(Private, frozen=True):
    token: str
    until: float


class TokenCache:
    """Keyed by account and the whole token request, so a changed credential never meets an old token."""

    def __init__(self, clock: Callable[[], float] = time.time, store: Store | None = None) -> None:
        """store None: the tokens of this process alone."""
        self._clock = clock
        self._store = store
        self._kept: OrderedDict[str, _CachedToken] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, account: str, request: RenderedRequest, deadline: float, send: Send, *, refused: str | None = None
    ) -> str:
        """A token for this request; `refused` is one the API no longer takes. Raises StepError."""
        name = _name(account, request)
        while True:
            if (token := self._known(name, refused)) is not None:
                return token
            if self._is_mine(account, name, deadline):
                return self._put_meanwhile(name, refused) or self._fetched(name, request, deadline, send)
            if time.monotonic() >= deadline:
                raise TimedOut(_NO_TIME, reason="timeout_waiting", advice="Look whether the token URL answers.")
            time.sleep(_ASKED_EVERY)

    def _known(self, name: str, refused: str | None) -> str | None:
        with self._lock:
            kept = self._kept.get(name)
        if kept is None or kept.token == refused or kept.until <= self._clock():
            kept = self._shared(name)
        return kept.token if kept and kept.token != refused and self._clock() < kept.until else None

    def _put_meanwhile(self, name: str, refused: str | None) -> str | None:
        """What another one fetched between our look and our claim, which then ends."""
        token = self._known(name, refused) if self._store else None
        if self._store and token is not None:
            self._store.release(name)
        return token

    def _shared(self, name: str) -> _CachedToken | None:
        found = self._store.get(name) if self._store else None
        return self._keep(name, _CachedToken(*found)) if found else None

    def _is_mine(self, account: str, name: str, deadline: float) -> bool:
        if self._store is None:
            return True
        now = self._clock()
        until = now + max(0.0, deadline - time.monotonic()) + _CLAIMED_BEYOND
        return self._store.claim(int(account), name, now, until)

    def _fetched(self, name: str, request: RenderedRequest, deadline: float, send: Send) -> str:
        made = False
        try:
            token, seconds = _read(_answer(request, deadline, send), request.secrets)
            now = self._clock()
            kept = self._keep(name, _CachedToken(token, now + max(0.0, seconds - _EARLY)))
            if self._store:
                self._store.put(name, token, now, kept.until)
            made = True
        finally:
            if self._store and not made:
                self._store.release(name)
        return token

    def _keep(self, name: str, kept: _CachedToken) -> _CachedToken:
        with self._lock:
            self._kept[name] = kept
            while len(self._kept) > _MAX_TOKENS:
                self._kept.popitem(last=False)
        return kept


_NO_TIME = "The time was up while another call was still fetching the access token."


def _answer(request: RenderedRequest, deadline: float, send: Send) -> HttpResponse:
    """What the token address says, asked once more with the credential in its other spelling where it knows no such client."""
    response = send(request, deadline)
    if request.otherwise is not None and _knows_no_client(response):
        response = send(request.otherwise, deadline)
    return response


def _knows_no_client(response: HttpResponse) -> bool:
    return response.status == 401 or (response.status == 400 and b'"invalid_client"' in response.body)


def _name(account: str, request: RenderedRequest) -> str:
    parts = (account, request.method, request.url, repr(request.headers), repr(request.body))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _read(response: HttpResponse, secrets: Set[str]) -> tuple[str, float]:
    """The token and its seconds (RFC 6749, 5.1), or the reason the token address gave (5.2)."""
    if not 200 <= response.status < 300:
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
    """The token address answered without a usable access token."""

    def __init__(self) -> None:
        StepError.__init__(
            self,
            "The token address gave no access token.",
            reason="token_missing",
            advice="Check the token URL.",
            place="auth",
        )
