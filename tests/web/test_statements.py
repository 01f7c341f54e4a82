"""How much a page asks of the database: a fixed number of statements, whatever the account has, and none while it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import before_render_template, template_rendered
from sqlalchemy import event

from httpstep.extensions import db
from httpstep.storage import database, sqlitefile
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.web.conftest import Browser, Web
from tests.web.screen import Screen, new_step, open_step

LIST, EDITOR, FRAGMENT, TEST, AFTER_A_TEST = 6, 9, 7, 10, 2
"""A test of a draft also lets go of steps that were deleted long ago."""
BESIDE = ("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SELECT pg_", "SET ", "SHOW ")
MOVES = ("map:$['a']", "add_rule", "preview", "add_header", "mark:$['b']", "accept", "reset_mail", "format_json")
PARTS = ("values", "usage", "budget", "drift")
FLOW: dict[str, Any] = {"name": "Both", "step": ["1", "2"], "when": ["", ""], "attribute": ["", ""], "value": ["", ""]}


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    """The statements that are executed inside, by SQLAlchemy and by the driver; those that begin or end a transaction
    or take a lock are left out."""
    found: list[str] = []

    def note(statement: str) -> None:
        if not statement.startswith(BESIDE) and not statement.endswith("FOR KEY SHARE"):
            found.append(" ".join(statement.split()))

    def by_sqlalchemy(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        note(statement)

    def by_the_driver(dialect: Any, driver: Any, statement: str, values: Any) -> list[Any]:
        note(statement)
        return run(dialect, driver, statement, values)

    with house.app.app_context():
        engine = db.engine
    place, name = (sqlitefile, "run") if engine.dialect.name == "sqlite" else (database, "_run")
    run = getattr(place, name)
    setattr(place, name, by_the_driver)
    event.listen(engine, "before_cursor_execute", by_sqlalchemy)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", by_sqlalchemy)
        setattr(place, name, run)


@contextmanager
def drawn(house: House) -> Iterator[dict[str, int]]:
    """How many statements each template that is rendered inside executes."""
    found: dict[str, int] = {}
    with statements(house) as executed:
        begun: list[int] = []

        def begin(*_: Any, **__: Any) -> None:
            begun.append(len(executed))

        def end(*_: Any, template: Any, **__: Any) -> None:
            found[template.name] = found.get(template.name, 0) + len(executed) - begun.pop()

        with before_render_template.connected_to(begin), template_rendered.connected_to(end):
            yield found


def asked(house: House, act: Callable[[], Any]) -> list[str]:
    with statements(house) as found:
        assert act().status_code < 500
    return found


@pytest.fixture
def shop(make_house: Callable[..., House]) -> tuple[House, Browser, Screen]:
    """A step that was tested once, opened by an editor."""
    house = make_house(ThirdParty(*[answer(200, {"a": 1, "b": {"2026-01-01": 1, "2026-01-02": 2}})] * 9))
    web = Web(house)
    house.put(document(mapping=[{"path": ["a"], "attribute": "a"}]))
    bob = web.as_("bob")
    screen = open_step(bob).set("value:order.id", "A-7")
    assert screen.fragment("test").status_code == 200
    return house, bob, screen


def acts(bob: Browser, screen: Screen) -> dict[str, Callable[[], Any]]:
    """Every kind of page and fragment of steps and flows."""
    flow = FLOW | {"csrf_token": screen.get("csrf_token")}
    found: dict[str, Callable[[], Any]] = {
        "/steps": lambda: bob.get("/steps"),
        "editor": lambda: bob.get("/steps/1"),
        "logs": lambda: bob.get("/steps/1/logs"),
        "flow": lambda: bob.get("/flows/new"),
        "flow move": lambda: bob.htmx("POST", "/flows/new/move", data=flow | {"op": "up:1"}),
        "flow values": lambda: bob.htmx("POST", "/flows/new/values", data=flow),
        "flow budget": lambda: bob.get("/flows/new/budget"),
    }
    found |= {part: lambda part=part: screen.fragment(part) for part in PARTS}
    return found | {move: lambda move=move: screen.move(move) for move in MOVES}


def test_a_page_asks_a_fixed_number_of_questions(shop: tuple[House, Browser, Screen]) -> None:
    house, bob, screen = shop
    seen: list[dict[str, list[str]]] = []
    for number in (1, 40):
        for index in range(number):
            house.put(document(f"other-{index}", mapping=[{"path": ["x"], "attribute": f"x{index}"}]))
        seen.append({name: asked(house, act) for name, act in acts(bob, screen).items()})
    few, many = ({name: len(asked_for) for name, asked_for in found.items()} for found in seen)
    assert few == many
    assert many["/steps"] <= LIST
    assert many["editor"] <= EDITOR
    assert many["flow"] <= EDITOR
    pages = ("/steps", "editor", "flow")
    assert {name: count for name, count in many.items() if name not in pages and count > FRAGMENT} == {}


def fewest(house: House, act: Callable[[], object]) -> list[str]:
    """Of two times: what a process does once in so many seconds falls into one of them at most."""
    return min(asked(house, act), asked(house, act), key=len)


def test_one_test_asks_ten_questions_whatever_the_account_has(shop: tuple[House, Browser, Screen]) -> None:
    """From the session to the panel: what is gathered, written before and after the call, and shown."""
    house, bob, screen = shop
    seen: list[int] = []
    for number in (1, 40):
        for index in range(number):
            house.put(document(f"other-{index}", mapping=[{"path": ["x"], "attribute": f"x{index}"}]))
        screen.fragment("test")  # an edit makes the next call read the account's defaults once
        seen.append(len(fewest(house, lambda: screen.fragment("test"))))
    screen.press("save")
    screen = open_step(bob).set("value:order.id", "A-7")
    screen.fragment("test")
    found = fewest(house, lambda: screen.fragment("test"))
    assert [*seen, len(found)] == [seen[0]] * 3
    assert len(found) <= TEST, found


def test_a_test_of_a_step_that_was_never_saved_asks_as_few(make_house: Callable[..., House]) -> None:
    house = make_house(ThirdParty(*[answer(200, {"a": 1})] * 3))
    screen = new_step(Web(house).as_("bob"), url="https://api.example/a")
    assert screen.fragment("test").status_code == 200
    found = fewest(house, lambda: screen.fragment("test"))
    assert len(found) <= TEST + 3, found  # whether the draft is a step already, before the call and after it


@pytest.mark.sqlite_only("who asks is the same on either database; the counts are held on both")
def test_what_a_test_shows_is_asked_for_once(shop: tuple[House, Browser, Screen]) -> None:
    house, _, screen = shop
    found = asked(house, lambda: screen.fragment("test"))
    ended = max(place for place, statement in enumerate(found) if statement.startswith(("UPDATE", "DELETE", "INSERT")))
    assert [
        statement for statement in found[:ended] if statement.startswith("SELECT steps.id, steps.account_id")
    ] == found[1:2]
    assert len(found[ended + 1 :]) <= AFTER_A_TEST, found[ended + 1 :]


@pytest.mark.sqlite_only("who asks is the same on either database; the counts are held on both")
def test_no_template_asks_the_database(shop: tuple[House, Browser, Screen]) -> None:
    house, bob, screen = shop
    house.put(document("other", name="Other"))
    with drawn(house) as found:
        for act in acts(bob, screen).values():
            assert act().status_code == 200
        for more in (
            lambda: screen.fragment("test"), lambda: screen.fragment("save"), lambda: screen.fragment("save"),
            lambda: bob.htmx("POST", "/flows/new/test", data=FLOW | {"csrf_token": screen.get("csrf_token")}), lambda: bob.post("/flows/new", data=FLOW | {"op": "test"}),
            lambda: bob.get("/logs/1"), lambda: bob.get("/steps/1/logs/1"), lambda: bob.get("/flows"),
        ):  # fmt: skip
            assert more().status_code in (200, 409)
    assert len(found) > 15
    assert {name: count for name, count in found.items() if count} == {}
