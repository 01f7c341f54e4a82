"""How much a page asks of the database: a fixed number of statements, whatever the account has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from httpstep.extensions import db
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Web
from tests.web.screen import open_step

LIST, EDITOR, FRAGMENT = 4, 8, 6
MOVES = ("map:$['a']", "add_rule", "preview", "add_header", "mark:$['b']", "accept", "reset_mail", "format_json")
PARTS = ("values", "usage", "budget", "drift")


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    """The statements that are executed inside, those that begin or end a transaction left out."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SELECT pg_", "SET ", "SHOW ")):
            found.append(" ".join(statement.split()))

    with house.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def asked(house: House, act: Callable[[], Any]) -> list[str]:
    with statements(house) as found:
        assert act().status_code < 500
    return found


def test_a_page_asks_a_fixed_number_of_questions(make_house: Callable[..., House]) -> None:
    house = make_house(ThirdParty(*[answer(200, {"a": 1, "b": {"2026-01-01": 1, "2026-01-02": 2}})] * 3))
    web = Web(house)
    house.put(document(mapping=[{"path": ["a"], "attribute": "a"}]))
    bob = web.as_("bob")
    screen = open_step(bob)
    assert screen.fragment("test").status_code == 200
    seen: list[dict[str, list[str]]] = []
    for number in (1, 40):
        for index in range(number):
            house.put(document(f"other-{index}", mapping=[{"path": ["x"], "attribute": f"x{index}"}]))
        found = {"/steps": asked(house, lambda: bob.get("/steps")), "editor": asked(house, lambda: bob.get("/steps/1"))}
        found |= {part: asked(house, lambda part=part: screen.fragment(part)) for part in PARTS}
        found |= {move: asked(house, lambda move=move: screen.move(move)) for move in MOVES}
        seen.append(found)
    few, many = ({name: len(asked_for) for name, asked_for in found.items()} for found in seen)
    assert few == many
    assert many["/steps"] <= LIST
    assert many["editor"] <= EDITOR
    assert {name: count for name, count in many.items() if name not in ("/steps", "editor") and count > FRAGMENT} == {}
