"""Two edits at the same moment: one after the other, on PostgreSQL too, so that neither is lost and none fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from httpstep.core.step.spec import StepSpec
from httpstep.storage import flows, steps
from tests.fakes import ThirdParty
from tests.house import House, document

MakeHouse = Callable[..., House]


def both(house: House, edit: Callable[[str], object]) -> list[str]:
    """What comes of an edit that two make at once: "done" or the name of the exception, in alphabetical order."""
    came: list[str] = []
    together = threading.Barrier(2)

    def make(name: str) -> None:
        with house.app.app_context():
            together.wait(10)
            try:
                edit(name)
                came.append("done")
            except Exception as error:
                came.append(type(error).__name__)

    threads = [threading.Thread(target=make, args=(name,)) for name in ("First", "Second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return sorted(came)


@pytest.fixture
def slow_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each edit takes a while between what it reads and what it writes, so that both would read before either writes."""
    taken, listed = steps.keys_taken, flows.listed

    def slow_keys(account_id: int) -> set[str]:
        found = taken(account_id)
        time.sleep(0.3)
        return found

    def slow_list(account_id: int) -> list[flows.Flow]:
        found = listed(account_id)
        time.sleep(0.3)
        return found

    monkeypatch.setattr(steps, "keys_taken", slow_keys)
    monkeypatch.setattr(flows, "listed", slow_list)


@pytest.mark.usefixtures("slow_edits")
def test_of_two_that_save_the_same_version_of_a_step_the_second_is_told(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    owner = house.account()
    with house.app.app_context():
        row = steps.find(owner, "order-status")
        assert row is not None
        step_id, spec = row.id, steps.document_of(row)
    came = both(
        house,
        lambda name: steps.save(owner, replace(spec, name=name), by=name, now=1.0, step_id=step_id, version=1),
    )
    assert came == ["Conflict", "done"]


@pytest.mark.usefixtures("slow_edits")
def test_of_two_that_save_the_same_version_of_a_flow_the_second_is_told(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    owner, flow_id = house.account(), house.flow("order-status")
    with house.app.app_context():
        row = flows.get(owner, flow_id)
        assert row is not None
        spec = flows.spec_of(row)
    came = both(
        house,
        lambda name: flows.save(owner, replace(spec, name=name), by=name, now=1.0, flow_id=flow_id, version=1),
    )
    assert came == ["Conflict", "done"]


@pytest.mark.usefixtures("slow_edits")
def test_two_new_steps_of_one_name_get_a_key_each(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    house.put(document())
    owner = house.account()
    with house.app.app_context():
        row = steps.find(owner, "order-status")
        assert row is not None
        spec = steps.document_of(row)
    assert both(house, lambda name: steps.save(owner, replace(spec, key=""), by=name, now=1.0)) == ["done", "done"]
    with house.app.app_context():
        assert len(steps.listed(owner)) == 3


@pytest.mark.usefixtures("slow_edits")
@pytest.mark.parametrize(("names", "came"), [(("A", "A"), ["done", "done"]), (("A", "B"), ["Conflict", "done"])])
def test_of_two_first_saves_of_one_draft_one_makes_the_step(
    make_house: MakeHouse, names: tuple[str, str], came: list[str]
) -> None:
    house = make_house(ThirdParty())
    owner, typed = house.account(), dict(zip(("First", "Second"), names, strict=True))
    found = both(house, lambda one: steps.save(owner, StepSpec(name=typed[one]), by=one, now=1.0, draft_id="the-draft"))
    assert found == came
    with house.app.app_context():
        assert len(steps.listed(owner)) == 1
