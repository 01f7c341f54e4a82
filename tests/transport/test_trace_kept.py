"""What a call saw on its way is kept: each try with its hops and times, in the row, on the pages and by API.

And of all that only the tries are calls of the budget.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from sqlalchemy import select

from httpstep.core import jsontext
from httpstep.extensions import db
from httpstep.storage.tables import BudgetHit, Log
from tests.house import House, document
from tests.transport.conftest import Peer
from tests.web.conftest import Web

TIMES = ["dns", "connect", "tls", "first_byte", "total"]
WORDS = ["name looked up", "connected", "TLS", "first byte", "total"]


def moving(peer: Peer) -> None:
    """Gives a token; is down at first; then the order has moved, and is there."""
    while request := peer.read_request():
        if b"POST /token" in request:
            peer.answer(b'{"access_token": "t"}', headers="Connection: close\r\n")
            return
        if sum(b"GET /old" in one for one in peer.server.requests) == 1:
            peer.answer(b"", "503 Service Unavailable", "Retry-After: 0\r\nConnection: close\r\n")
            return
        if b"GET /old" in request:
            peer.answer(b"", "302 Found", "Location: /new?a=1\r\n")
        else:
            peer.answer(b'{"a": 1}', headers="Content-Type: application/json\r\n")


def test_every_try_has_its_hops_and_times_wherever_a_log_is_seen(
    make_house: Callable[..., House], serve: Any, server_tls: Any, ca_file: str
) -> None:
    server = serve(moving, tls=server_tls("localhost"))
    web = Web(make_house(ALLOW_NETWORKS="127.0.0.0/8, ::1", CA_FILE=ca_file))
    token_url = server.url("/token", host="localhost")
    auth = {"type": "oauth2_client_credentials", "token_url": token_url, "client_id": "a", "client_secret": "b"}
    web.house.put(document(url=server.url("/old", host="localhost"), retries=1, auth=auth))
    answered = web.house.execute()
    assert answered.json["outcome"] == "success", answered.text

    with web.house.app.app_context():
        detail = db.session.scalars(select(Log.detail)).one()
        hits = db.session.query(BudgetHit).count()
    paths = [request.split()[1] for request in server.requests]
    assert (paths, hits) == ([b"/token", b"/old", b"/old", b"/new?a=1"], 2), "neither a token nor a redirect costs"
    first, second = tries = jsontext.loads(detail or "")["tries"]
    old, new = server.url("/old", host="localhost"), server.url("/new?a=1", host="localhost")
    address = f"127.0.0.1:{server.port}"
    common = {"method": "GET", "address": address}
    assert (first["status"], second["status"]) == (503, 200)
    assert first["hops"] == [common | {"url": old, "status": 503, "location": ""}]
    assert second["hops"] == [
        common | {"url": old, "status": 302, "location": "/new?a=1"},
        common | {"url": new, "status": 200, "location": ""},
    ]
    for one in tries:
        assert list(one["timings"]) == TIMES and all(isinstance(spent, int) for spent in one["timings"].values())
        assert one["timings"]["total"] >= one["timings"]["tls"]
    assert web.house.logs()[0]["tries"] == tries

    bob = web.as_("bob")
    for seen in (bob.htmx("GET", "/logs/1").text, bob.get("/steps/1/logs/1").text):
        tries_section = re.search(r"Tries and times.*?</details>", seen, re.DOTALL)
        assert tries_section
        text = " ".join(re.sub(r"<[^>]+>", " ", unescape(tries_section[0])).split())
        for one in (
            f"GET {old} at {address} → 503", f"GET {old} at {address} → 302", f"GET {new} at {address} → 200",
        ):  # fmt: skip
            assert one in text
        for one in tries:
            assert (
                ", ".join(f"{word} {one['timings'][name]} ms" for word, name in zip(WORDS, TIMES, strict=True)) in text
            )
