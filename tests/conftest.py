"""Fixtures that every folder uses, and the list of what could not be run here.

Nothing large is imported here at the start: a test of `core` needs neither the application nor a database, and whoever
runs one file wants its answer at once. tests/test_loop.py holds that.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from httpstep.core.exchange import Send
    from tests.house import House
    from tests.mailbox import Inbox
    from tests.services import Nginx, PostgreSQL, Redis
    from tests.sweeps import Sweep

LONGEST = (
    "tests/browser/test_accessibility.py", "tests/faults/test_waiting_calls.py", "tests/browser/test_testing.py",
    "tests/faults/test_killed.py", "tests/faults/test_killed_upgrade.py", "tests/test_rasa_action_server.py",
    "tests/test_fault_after_the_answer.py", "tests/faults/test_read_only.py", "tests/faults/test_storage.py",
    "tests/test_idempotency.py", "tests/browser/test_drafts.py", "tests/browser/test_see_the_answer.py", "tests/test_alert_mail.py",
    "tests/test_nightly.py", "tests/web/test_prefix.py", "tests/test_mail_server.py", "tests/browser/test_log.py",
    "tests/web/test_incoming.py", "tests/test_generated_client.py", "tests/test_client.py",
)  # fmt: skip
"""The files that take longest, which several processes begin first: the last to end would be waited for alone."""
ABSENT = pytest.StashKey[dict[str, str]]()
IN_PART = pytest.StashKey[dict[str, str]]()
"""Sweep -> how much of it was run; see tests/sweeps.py."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole-sweeps", action="store_true", help="run all of every sweep (tests/sweeps.py)")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ABSENT], config.stash[IN_PART] = {}, {}
    config.addinivalue_line("markers", "sqlite_only(why): not again on PostgreSQL, which would tell nothing more")


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Before a module that uses hypothesis is imported, which is when its tests take their settings."""
    chosen = collector.config.getoption("--hypothesis-profile")
    if chosen is None and isinstance(collector, pytest.Module) and b"hypothesis" in collector.path.read_bytes():
        _the_same_every_time()


def pytest_collection_finish() -> None:
    """What was imported and collected is there until the end: the garbage collector looks at it no more."""
    gc.freeze()


def pytest_make_parametrize_id(val: object) -> str | None:
    """A text of a megabyte would be the name of its test, which processes tell each other again and again."""
    if not isinstance(val, (str, bytes)) or len(val) <= 100:
        return None
    begins = val[:60] if isinstance(val, str) else val[:60].decode("latin-1")
    return f"{begins.encode('unicode_escape').decode()}... of {len(val)}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        places = {name: place for place, name in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(LONGEST)))


@cache
def _the_same_every_time() -> None:
    """Of two runs of the same code both pass or both fail: what chance finds is found while somebody looks for it
    (`--hypothesis-profile default`)."""
    import hypothesis

    hypothesis.settings.register_profile("the same every time", derandomize=True, deadline=None)
    hypothesis.settings.load_profile("the same every time")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What was absent for one of several processes of tests, or run in part, is told to the one that writes the summary.

    hypothesis would be imported for its own lines of the summary (half a second), also where no test used it.
    """
    plugins = session.config.pluginmanager
    if "hypothesis" not in sys.modules and not plugins.has_plugin("dsession"):
        plugins.unregister(name="hypothesispytest")
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["absent"] = session.config.stash[ABSENT]
        session.config.workeroutput["in part"] = session.config.stash[IN_PART]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    said = getattr(node, "workeroutput", {})
    node.config.stash[ABSENT].update(said.get("absent", {}))
    node.config.stash[IN_PART].update(said.get("in part", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for name, why in config.stash[ABSENT].items():
        terminalreporter.write_line(f"NOT RUN HERE: the tests on {name}, because {why}")
    if parts := config.stash[IN_PART]:
        each = "; ".join(f"{name} {portion}" for name, portion in sorted(parts.items()))
        terminalreporter.write_line(f"RUN IN PART, and whole with `make test SWEEP=whole`: {each}")


@pytest.fixture
def sweep(request: pytest.FixtureRequest) -> Sweep:
    from tests.sweeps import Sweep

    config = request.config
    return Sweep(request.node.name, config.stash[IN_PART], whole=config.getoption("--whole-sweeps"))


def _started(config: pytest.Config, name: str, start: Callable[[], Any]) -> Any:
    from tests.services import Absent

    try:
        return start()
    except Absent as absent:
        config.stash[ABSENT][name] = str(absent)
        return None


def _closed(house: House) -> None:
    """Close its connections, after whatever of its own still uses them: a thread that comes later opens another one."""
    from httpstep.extensions import db

    ends = time.monotonic() + 20
    while at_work := [thread for thread in threading.enumerate() if thread.name.startswith("httpstep-")]:
        at_work[0].join(max(0.0, ends - time.monotonic()))
        assert not at_work[0].is_alive(), f"{at_work[0].name} has still something to do"
    with house.app.app_context():
        assert db.engine.pool.checkedout() == 0, "a connection was not given back"  # type: ignore[attr-defined]
        db.engine.dispose()


@pytest.fixture(scope="session")
def postgresql(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL | None]:
    from tests.house import House
    from tests.services import PostgreSQL

    service = _started(pytestconfig, "PostgreSQL", PostgreSQL)
    if service is not None:
        first = House(tmp_path_factory.mktemp("first"), DATABASE_URL=service.new_database())
        _closed(first)
    yield service
    if service is not None:
        service.stop()


@pytest.fixture(scope="session")
def redis_server(pytestconfig: pytest.Config) -> Iterator[Redis | None]:
    from tests.services import Redis

    service = _started(pytestconfig, "Redis", Redis)
    yield service
    if service is not None:
        service.stop()


@pytest.fixture
def nginx(pytestconfig: pytest.Config) -> Iterator[Nginx]:
    from tests.services import Nginx

    service = _started(pytestconfig, "nginx", Nginx)
    if service is None:
        pytest.skip("nginx is not here; the summary names it")
    yield service
    service.stop()


@pytest.fixture
def needed_redis(redis_server: Redis | None) -> Redis:
    if redis_server is None:
        pytest.skip("Redis is not here; the summary names it")
    return redis_server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever stands on the database runs on both kinds of it. A module says SQLITE_ONLY with the reason where not, and
    so does the mark sqlite_only of a test."""
    if "database" in metafunc.fixturenames:
        only = hasattr(metafunc.module, "SQLITE_ONLY") or metafunc.definition.get_closest_marker("sqlite_only")
        metafunc.parametrize("database", ["sqlite"] if only else ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The variables that choose the database."""
    if request.param == "sqlite":
        yield {}
        return
    service: PostgreSQL | None = request.getfixturevalue("postgresql")
    if service is None:
        pytest.skip("PostgreSQL is not here; the summary names it")
    url = service.new_database()
    yield {"DATABASE_URL": url}
    service.drop(url)


@pytest.fixture
def make_house(tmp_path: Path, database: dict[str, str]) -> Iterator[Callable[..., House]]:
    """make_house(send, VARIABLE="value"): an application on this test's data folder and database; migrate: see House."""
    from tests.house import House

    made: list[House] = []

    def make(send: Send | None = None, *, migrate: bool = False, **variables: str) -> House:
        made.append(House(tmp_path / "data", send, migrate=migrate, **(database | variables)))
        return made[-1]

    yield make
    for house in made:
        _closed(house)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    from tests.mailbox import open_inbox

    with open_inbox() as box:
        yield box
