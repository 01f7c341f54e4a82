"""Run a step of httpstep from a bot. One file, the standard library alone: copy it beside your bot, or install it.

    from httpstep_client import Client

    steps = Client("https://httpstep.example", "YOUR_API_KEY")
    answer = steps.execute("order-status", {"order.id": 42})
    if answer.goes_on:
        reply(answer.attributes["order.status"])

Whatever happens there is an Answer: silence, no connection, a page that is no JSON and a refusal without `next` all say
"stop". Only a mistake in the call itself raises (ValueError, TypeError). `await steps.execute_async(...)` is the same.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

MAX_SECONDS = 65.0
"""httpstep answers within 60."""
MAX_ANSWER_BYTES = 4_000_000
MAX_PAUSE_SECONDS = 5.0
"""A refusal that asks for a longer pause is given back at once: somebody is waiting in the chat."""
_TRIES = 3


@dataclass(frozen=True)
class Answer:
    """What came of a step. next: "continue" or "stop". attributes: keep the values you had for what is not in it.

    outcome: as httpstep says it, or "refused" (a problem without one) or "no_answer". status: of httpstep's answer, 0
    where none came. body: all that it said.
    """

    next: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    outcome: str = "no_answer"
    message: str | None = None
    structure_changed: bool = False
    status: int = 0
    request_id: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def goes_on(self) -> bool:
        return self.next == "continue"


class Client:
    """base_url: where httpstep is opened, with its path if it has one. key: an API key with the scope execute."""

    def __init__(self, base_url: str, key: str, *, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"base_url must be like https://httpstep.example, not {base_url!r}")
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("key must be an API key as httpstep showed it")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path, self._key = parts.path.rstrip("/"), key
        self._tls = (tls or ssl.create_default_context()) if self._secure else None

    def execute(
        self,
        step: str,
        attributes: Mapping[str, Any] | None = None,
        *,
        timeout: float = MAX_SECONDS,
        idempotency_key: str | None = None,
        request_id: str | None = None,
    ) -> Answer:
        """Run a step. timeout: seconds for all of it, to the end of the answer (the look-up of the name aside). idempotency_key: makes a repetition safe;
        only then is a call sent again that may have arrived."""
        return self._run(
            f"/api/v1/steps/{quote(step, safe='')}/execute", attributes, timeout, idempotency_key, request_id
        )

    def execute_flow(
        self,
        flow: str,
        attributes: Mapping[str, Any] | None = None,
        *,
        timeout: float = MAX_SECONDS,
        idempotency_key: str | None = None,
        request_id: str | None = None,
    ) -> Answer:
        """Run a flow, as `execute` runs a step."""
        return self._run(
            f"/api/v1/flows/{quote(flow, safe='')}/execute", attributes, timeout, idempotency_key, request_id
        )

    async def execute_async(self, step: str, attributes: Mapping[str, Any] | None = None, **options: Any) -> Answer:
        """`execute`, while the event loop goes on. options: those of `execute`."""
        return await asyncio.to_thread(self.execute, step, attributes, **options)

    async def execute_flow_async(
        self, flow: str, attributes: Mapping[str, Any] | None = None, **options: Any
    ) -> Answer:
        """`execute_flow`, while the event loop goes on."""
        return await asyncio.to_thread(self.execute_flow, flow, attributes, **options)

    def _run(
        self,
        path: str,
        attributes: Mapping[str, Any] | None,
        timeout: float,
        idempotency_key: str | None,
        request_id: str | None,
    ) -> Answer:
        if not 0 < timeout <= MAX_SECONDS:
            raise ValueError(f"timeout must be more than 0 and at most {MAX_SECONDS:.0f} seconds")
        asked = {"attributes": dict(attributes or {})}
        if timeout < 60:
            asked["timeout"] = timeout  # type: ignore[assignment]
        body = json.dumps(asked, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json", "Connection": "close"}
        for name, value in (("Idempotency-Key", idempotency_key), ("X-Request-Id", request_id)):
            if value is not None:
                if not value.isascii() or not value.isprintable():
                    raise ValueError(f"{name} must be printable ASCII")
                headers[name] = value
        deadline = time.monotonic() + timeout
        for left in reversed(range(_TRIES)):
            answer, pause = self._once(path, body, headers, deadline, safe=idempotency_key is not None)
            if pause is None or not left or time.monotonic() + pause >= deadline:
                return answer
            time.sleep(pause)
        raise AssertionError("the last try always returns")

    def _once(
        self, path: str, body: bytes, headers: dict[str, str], deadline: float, *, safe: bool
    ) -> tuple[Answer, float | None]:
        """(the answer, seconds until another try is safe; None where there must be none)."""
        seconds = deadline - time.monotonic()
        sent, connection = False, self._connection(max(seconds, 0.001))
        # The limit of http.client is for each read; this one is for all of them.
        ends = threading.Timer(max(seconds, 0.001), _cut, (connection,))
        ends.daemon = True
        ends.start()
        try:
            connection.connect()
            sent = True
            connection.request("POST", self._path + path, body, headers)
            response = connection.getresponse()
            text = response.read(MAX_ANSWER_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            late = time.monotonic() >= deadline
            message = (
                f"httpstep did not answer within {seconds:.0f} s." if late else f"httpstep cannot be reached: {error}"
            )
            return Answer("stop", message=message), 0.2 if (safe or not sent) and not late else None
        finally:
            ends.cancel()
            connection.close()
        if len(text) > MAX_ANSWER_BYTES:
            return Answer("stop", message="httpstep's answer is too large.", status=response.status), None
        if response.length:  # what was announced did not all come
            return Answer(
                "stop", message="httpstep's answer was cut off.", status=response.status
            ), 0.2 if safe else None
        return _read(text, response.status), _pause(response, safe)

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        if self._tls is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=seconds, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=seconds)


def _cut(connection: http.client.HTTPConnection) -> None:
    if connection.sock is not None:
        with suppress(OSError):  # of the socket itself: TLS would have the reader fail in another way
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


def _pause(response: http.client.HTTPResponse, safe: bool) -> float | None:
    """A 429 made no call. Behind a 503 or 409 one may have been made: only an Idempotency-Key makes another try safe."""
    if response.status != 429 and not (safe and response.status in (409, 503)):
        return None
    asked = response.getheader("Retry-After", "")
    pause = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None
    return pause if pause is not None and pause <= MAX_PAUSE_SECONDS else None


def _read(text: bytes, status: int) -> Answer:
    """An answer of execute, or a problem (RFC 9457), which has `next` too where the step is known."""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return Answer("stop", message=f"httpstep answered {status} without JSON.", status=status)
    attributes, missing = body.get("attributes"), body.get("missing")
    return Answer(
        next="continue" if body.get("next") == "continue" else "stop",
        attributes=attributes if isinstance(attributes, dict) else {},
        missing=tuple(missing) if isinstance(missing, list) else (),
        outcome=str(body.get("outcome") or "refused"),
        message=body.get("message") or body.get("detail") or body.get("title"),
        structure_changed=body.get("structure_changed") is True,
        status=status,
        request_id=body.get("request_id"),
        body=body,
    )
