"""/metrics and /health: numbers that are right whoever is asked, and told to nobody who may not know them."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from httpstep import __version__
from httpstep.core import errors
from httpstep.execution import calls
from httpstep.extensions import db
from httpstep.storage import logs
from httpstep.storage.tables import CallCount
from httpstep.upkeep import accounts, installation
from httpstep.web.api import exposition
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.server import Server
from tests.web.conftest import Web

TOKEN = "a-long-token-of-0123456789"
MakeHouse = Callable[..., House]
_LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*)\})? (-?[0-9.e+]+)')


def scraped(house: House, token: str = TOKEN) -> dict[str, float]:
    """The samples by name and labels, each line of the document being one of the format."""
    got = house.client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert (got.status_code, got.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return samples(got.text)


def samples(text: str) -> dict[str, float]:
    assert text.endswith("\n")
    found, typed = {}, set()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            typed.add(line.split()[2])
        elif not line.startswith("# HELP "):
            read = _LINE.fullmatch(line)
            assert read and read[1] in typed, line
            found[f"{read[1]}{{{read[2]}}}" if read[2] else read[1]] = float(read[3])
    return found


def executions(outcome: str, source: str = "bot", account: str = "default") -> str:
    return f'httpstep_executions_total{{account="{account}",source="{source}",outcome="{outcome}"}}'


def refusals(reason: str, account: str = "default") -> str:
    return f'httpstep_refusals_total{{account="{account}",reason="{reason}"}}'


def test_there_is_no_such_address_unless_a_token_is_set(make_house: MakeHouse) -> None:
    assert make_house(ThirdParty()).client.get("/metrics").status_code == 404


@pytest.mark.parametrize("sent", [{}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Basic {TOKEN}"}])
@pytest.mark.sqlite_only("decided above the database")
def test_without_the_token_nothing_is_told(make_house: MakeHouse, sent: dict[str, str]) -> None:
    house = make_house(ThirdParty(), METRICS_TOKEN=TOKEN)
    got = house.client.get("/metrics", headers=sent)
    assert (got.status_code, got.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "httpstep_" not in got.text
    assert house.client.get("/metrics", headers={"Authorization": f"Bearer {house.token()}"}).status_code == 401


def test_executions_are_counted_by_outcome_and_stay_when_their_logs_go(make_house: MakeHouse) -> None:
    third = ThirdParty(answer(404, {}), errors.TimedOut("Too late.", reason="timeout_waiting"), answer(200, {"a": 1}))
    house = make_house(third, METRICS_TOKEN=TOKEN)
    house.put(document())
    house.limit(100)
    for _ in range(30):
        house.execute()
    found = scraped(house)
    assert (found[executions("success")], found[executions("http_error")], found[executions("timeout")]) == (28, 1, 1)
    assert sum(value for name, value in found.items() if name.startswith("httpstep_executions_total")) == 30
    assert len(house.logs()) == 20
    assert (
        found[f'httpstep_info{{version="{__version__}",schema="{revision(house)}",database="{dialect(house)}"}}'] == 1
    )
    assert found['httpstep_calls_in_flight{account="default"}'] == 0
    assert found["httpstep_disk_free_bytes"] > 0 and found["httpstep_database_bytes"] > 50_000


def revision(house: House) -> str:
    with house.app.app_context():
        return str(db.session.execute(db.text("SELECT version_num FROM alembic_version")).scalar())


def dialect(house: House) -> str:
    with house.app.app_context():
        return str(db.engine.dialect.name)


def test_a_process_tells_what_another_one_did(make_house: MakeHouse) -> None:
    one, two = (make_house(ThirdParty(answer(200, {"a": 1})), METRICS_TOKEN=TOKEN) for _ in range(2))
    one.put(document())
    two.tokens = one.tokens
    for house in (one, two, one):
        assert house.execute().status_code == 200
    assert scraped(one)[executions("success")] == scraped(two)[executions("success")] == 3


def test_refusals_are_counted_by_their_reason(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})), METRICS_TOKEN=TOKEN)
    house.put(document())
    house.limit(1)
    for _ in range(4):
        house.execute()
    house.execute(token="wrong")
    house.execute("nothing")
    found = scraped(house)
    assert found[executions("success")] == 1
    assert (found[refusals("rate_limit_exceeded")], found[refusals("not_found")]) == (3, 1)
    assert found[refusals("unauthorized", "")] == 1
    house.execute()
    assert scraped(house)[refusals("rate_limit_exceeded")] == 4


def test_refusals_are_written_by_the_way_and_kept_where_the_database_is_away(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})), METRICS_TOKEN=TOKEN)
    house.put(document())

    def written() -> int:
        with house.app.app_context():
            query = select(CallCount.calls).where(CallCount.kind == "refusal")
            return sum(db.session.scalars(query))

    house.execute("nothing")
    assert written() == 0, "a flood of them does not write"
    monkeypatch.setattr(calls, "REFUSALS_EVERY", 0.0)
    monkeypatch.setattr(logs, "count_refusals", _away)
    house.execute("nothing")
    assert written() == 0
    monkeypatch.undo()
    monkeypatch.setattr(calls, "REFUSALS_EVERY", 0.0)
    house.execute("nothing")
    assert written() == 3


def _away(_: object) -> None:
    raise OperationalError("", None, Exception("database is locked"))


def test_a_call_that_a_kill_ended_and_one_that_failed_inside_are_counted_too(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(RuntimeError("a bug")), METRICS_TOKEN=TOKEN)
    house.put(document())
    house.execute()
    with house.app.app_context():
        start = logs.Start(1, 1, None, 1, "r", "bot", "", "GET", 1.0, house.app.extensions["httpstep"].instance)
        assert logs.begin(start, 10) is not None
        installation.mark_interrupted(house.app)
    found = scraped(house)
    assert (found[executions("internal")], found[executions("interrupted")]) == (1, 1)


def test_the_counts_of_an_account_go_with_it(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})), METRICS_TOKEN=TOKEN)
    web = Web(house)
    other = house.token(account="other")
    house.put(document(), token=other)
    house.execute(token=other)
    assert scraped(house)[executions("success", account="other")] == 1
    with web.house.app.app_context():
        assert accounts.remove(house.account("other"))
        assert list(db.session.scalars(select(CallCount.account))) == []


def test_the_token_is_a_secret_of_the_configuration(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(), METRICS_TOKEN=TOKEN)
    ran = house.app.test_cli_runner().invoke(args=["config", "show"])
    assert "HTTPSTEP_METRICS_TOKEN" in ran.output and TOKEN not in ran.output
    assert TOKEN not in repr(house.app.config["HTTPSTEP"])


def test_a_label_cannot_end_its_line() -> None:
    metric = exposition.Metric("a_total", "counter", 'x\\y\nz "', (({"l": 'a"b\\c\nd'}, 1.5),))
    assert exposition.text([metric]) == (
        '# HELP a_total x\\\\y\\nz "\n# TYPE a_total counter\na_total{l="a\\"b\\\\c\\nd"} 1.5\n'
    )


# ---------------------------------------------------------------- health


def test_health_tells_the_operator_who_is_signed_in_how_it_is(make_house: MakeHouse) -> None:
    web = Web(make_house(ThirdParty()))
    alice = web.as_("alice").get("/health")
    said: Any = alice.json
    assert (said["status"], said["version"], said["schema"]) == ("ok", __version__, revision(web.house))
    assert said["database"]["kind"] == dialect(web.house) and said["database"]["bytes"] > 0
    assert said["disk"]["total_bytes"] > said["disk"]["free_bytes"] > 0
    assert said["mail"] == {"on": False, "waiting": 0, "failed": 0}
    assert said["budget"] == {"kept_in": "database", "answers": True}


@pytest.mark.parametrize("name", ["bob", "vera", "charlie"])
def test_health_tells_who_is_signed_in_nothing_of_other_accounts(make_house: MakeHouse, name: str) -> None:
    web = Web(make_house(ThirdParty()))
    said: Any = web.as_(name).get("/health").json
    assert said.keys() == {"status", "version", "schema", "disk", "mail"}
    assert (said["status"], said["version"], said["schema"]) == ("ok", __version__, revision(web.house))
    assert said["disk"]["total_bytes"] > said["disk"]["free_bytes"] > 0
    assert said["mail"] == {"on": False}


@pytest.mark.sqlite_only("decided above the database")
def test_health_tells_nobody_else(make_house: MakeHouse) -> None:
    assert Web(make_house(ThirdParty())).browser().get("/health").json == {"status": "ok"}


def test_a_start_warns_where_redis_is_away(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{free.getsockname()[1]}"
    with Server(tmp_path / "data", RATELIMIT_URL=url) as server:
        assert "every call and every sign-in is refused (503)" in server.log.read_text()


def test_without_redis_nobody_signs_in(make_house: MakeHouse) -> None:
    web = Web(make_house(ThirdParty(), RATELIMIT_URL="redis://127.0.0.1:1"))
    assert web.browser().sign_in("alice@example.com").status_code == 503


def test_a_host_that_mounts_it_is_warned_too(make_house: MakeHouse, caplog: pytest.LogCaptureFixture) -> None:
    house = make_house(ThirdParty(), RATELIMIT_URL="redis://127.0.0.1:1")
    installation.prepare_mounted(house.app)
    assert "Redis does not answer" in caplog.text
    house.app.extensions["httpstep.served"].close()
