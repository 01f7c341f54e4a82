"""What was put up with on the way of a call is said wherever the call is seen, masked, and costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from httpstep.extensions import db
from httpstep.storage.tables import BudgetHit
from tests.house import House, document
from tests.transport.conftest import Peer
from tests.web.conftest import Web
from tests.web.screen import new_step, put_secret

SQLITE_ONLY = "what is said of a call is decided above the database"
Make = Callable[..., House]
AGAIN = "127.0.0.1 closed the connection that was kept open, so the GET was sent again on a new one."
NO_CODING = "The answer says Content-Encoding: utf-8, which is not a coding: read as plain."


def careless(peer: Peer) -> None:
    """Answers the first request of a connection and drops the second; calls a charset a coding."""
    peer.read_request()
    peer.answer(b'{"a": 1}', headers="Content-Encoding: utf-8\r\n")
    peer.read_request()


def web_near(make_house: Make) -> Web:
    return Web(make_house(ALLOW_NETWORKS="127.0.0.0/8"))


def spent(house: House) -> int:
    with house.app.app_context():
        return db.session.scalar(select(func.count()).select_from(BudgetHit)) or 0


def test_the_log_of_a_bots_call_says_it_and_the_budget_pays_for_one(make_house: Make, serve: Any) -> None:
    server, web = serve(careless), web_near(make_house)
    web.house.put(document(url=server.url("/orders"), retries=2))
    for _ in range(2):
        assert web.house.execute().json["attributes"] == {"a": 1}
    assert len(server.requests) == 3
    assert spent(web.house) == 2
    second, first = web.house.logs()
    assert first["notes"] == [NO_CODING]
    assert second["notes"] == [AGAIN, NO_CODING]
    assert [len(log["tries"]) for log in (first, second)] == [1, 1]
    bob = web.as_("bob")
    for seen in (bob.htmx("GET", "/logs/2").text, bob.get("/steps/1/logs/2").text):
        assert seen.count(AGAIN) == seen.count(NO_CODING) == 1


def test_the_test_panel_says_it(make_house: Make, serve: Any) -> None:
    server, web = serve(careless), web_near(make_house)
    screen = new_step(web.as_("bob"), url=server.url("/orders")).press("test")
    assert NO_CODING in screen.text and AGAIN not in screen.text
    screen.press("test")
    assert AGAIN in screen.text and NO_CODING in screen.text
    assert spent(web.house) == 2


def test_a_failed_call_says_it_too(make_house: Make, serve: Any) -> None:
    def handler(peer: Peer) -> None:
        peer.read_request()
        if peer.number == 1:
            peer.answer(b'{"a": 1}')
            peer.read_request()

    web = web_near(make_house)
    web.house.put(document(url=serve(handler).url("/orders")))
    web.house.execute()
    assert web.house.execute().json["outcome"] == "network_error"
    assert web.house.logs()[0]["notes"] == [AGAIN]


def test_a_note_masks_the_secret_that_an_answer_echoes(make_house: Make, serve: Any) -> None:
    def handler(peer: Peer) -> None:
        peer.read_request()
        peer.answer(b'{"a": 1}', headers="Content-Encoding: tok-1a2b3c4d5e6f\r\n")

    web = web_near(make_house)
    put_secret(web, "TOKEN", "tok-1a2b3c4d5e6f")
    headers = [{"name": "X-Api-Key", "value": "{{secret.TOKEN}}"}]
    web.house.put(document(url=serve(handler).url("/orders"), headers=headers))
    assert web.house.execute().json["outcome"] == "success"
    log = web.house.logs()[0]
    (note,) = log["notes"]
    assert "which is not a coding" in note
    assert "1a2b3c4d5e" not in str(log)


def test_a_log_without_notes_has_none(make_house: Make, serve: Any, peers: Any) -> None:
    web = web_near(make_house)
    web.house.put(document(url=serve(peers.answering(b'{"a": 1}')).url("/orders")))
    web.house.execute()
    assert web.house.logs()[0]["notes"] == []
    assert "data-note" not in web.as_("bob").htmx("GET", "/logs/1").text
