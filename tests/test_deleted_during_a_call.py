"""A step that is deleted while it is called: neither waits for the other for ever, and nobody's edit is deleted with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import delete, select

from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.storage import deleting, steps
from httpstep.storage.database import writing
from httpstep.storage.tables import Step
from tests.fakes import ThirdParty, answer
from tests.house import House, document

MakeHouse = Callable[..., House]


def test_a_step_deleted_as_its_call_ends_is_deleted_and_the_call_answered(make_house: MakeHouse) -> None:
    held, faults = threading.Event(), list[Exception]()

    def deleting() -> None:
        """As `deleting.remove`: the step's row is taken first, and what hangs on it a moment later."""
        try:
            with house.app.app_context(), writing() as connection:
                connection.execute(select(Step.id).with_for_update())
                held.set()
                time.sleep(1.3)  # longer than PostgreSQL takes to look for a deadlock: it ends the one who waited last
                connection.execute(delete(Step))
        except Exception as error:
            faults.append(error)

    deleter = threading.Thread(target=deleting)

    def third(_request: RenderedRequest) -> HttpResponse:
        deleter.start()
        assert held.wait(60)
        return answer(200, {"a": 1})

    house = make_house(ThirdParty(third))
    house.put(document())
    got = house.execute()
    deleter.join(90)
    assert (got.status_code, got.json["outcome"], faults) == (200, "success", [])
    assert house.execute().status_code == 404


def test_a_version_that_was_edited_meanwhile_is_not_deleted(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    house.put(document(name="Edited"))
    with house.app.app_context(), pytest.raises(steps.Conflict):
        deleting.remove(house.account(), "order-status", version=1)
    assert house.call("DELETE", "/steps/order-status", headers={"If-Match": '"1"'}).status_code == 412
    assert house.call("GET", "/steps/order-status").json["name"] == "Edited"
    assert house.call("DELETE", "/steps/order-status", headers={"If-Match": '"2"'}).status_code == 204


def test_an_address_with_an_empty_key_is_no_other_address(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document("execute"))
    assert house.call("DELETE", "/steps//execute").status_code == 404
    assert house.call("GET", "/steps/execute").status_code == 200
