"""Nothing of a secret, of a key or of a session can be read in what lies on the disk."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path

from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.extensions import db
from httpstep.storage import catalogue, sessions, users
from tests.fakes import ThirdParty, answer
from tests.house import House, document

SQLITE_ONLY = "the files of the data folder are read"
SECRET = "sesame-open-7431-wide"
PASSWORD = "correct horse battery staple"


def lived_in(make_house: Callable[..., House]) -> tuple[House, list[str]]:
    """A house in which secrets were used in every place, answered back, failed, tested; and what must not be found."""

    def echo(request: RenderedRequest) -> HttpResponse:
        said = {"url": request.url, "headers": dict(request.headers), "token": SECRET}
        return answer(200 if "good" in request.url else 500, said)

    house = make_house(ThirdParty(echo), SMTP_URL="smtp://127.0.0.1:1", MAIL_FROM="a@b.example")
    with house.app.app_context():
        token = house.app.extensions["httpstep"].vault.encrypt(SECRET.encode())
        catalogue.put_secret(house.account(), "CRM", token, hosts=None, now=0, new=True)
        user = users.add(house.account(), "ana@example.com", PASSWORD, "admin")
        db.session.commit()
        session = sessions.begin(user.id, 1e12, user_agent="Firefox", address="127.0.0.1")
        reset = users.password_link(house.account(), user.id)
    for key in ("good", "bad"):
        house.put(
            document(
                key, method="POST", url=f"https://api.example/{key}?key={{{{secret.CRM}}}}",
                headers=[{"name": "X-Token", "value": "{{secret.CRM}}"}], alert_emails=["ops@shop.example"],
                auth={"type": "basic", "username": "u", "password": "{{secret.CRM}}"},
                body={"mode": "json", "text": '{"t": "{{secret.CRM}}"}'},
            )
        )  # fmt: skip
        assert house.execute(key, headers={"Idempotency-Key": key}).status_code == 200
    house.app.extensions["httpstep"].alerts.finish()
    assert reset is not None
    return house, [SECRET, PASSWORD, session, reset, house.token()]


def found_in(folder: Path, words: list[str]) -> list[tuple[str, str]]:
    places = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = file.read_bytes()
        if file.name.endswith(".gz"):
            content = gzip.decompress(content)
        places += [(file.name, word) for word in words if word.encode() in content]
    return places


def test_no_secret_is_in_any_file_of_the_data_folder_or_of_a_backup(
    make_house: Callable[..., House], tmp_path: Path
) -> None:
    house, words = lived_in(make_house)
    made = house.app.test_cli_runner().invoke(args=["backup", str(tmp_path / "data" / "backup.tar.gz")])
    assert made.exit_code == 0
    names = {path.name for path in (tmp_path / "data").iterdir()}
    assert {"httpstep.db", "httpstep.db-wal", "backup.tar.gz", "vault.key"} <= names
    assert found_in(tmp_path / "data", words) == []
    assert found_in(tmp_path / "data", ["order-status", "good"]) != [], "the search finds what is there"


def test_the_keys_are_outside_the_database_and_the_owners_alone(
    make_house: Callable[..., House], tmp_path: Path
) -> None:
    lived_in(partial(make_house, migrate=True))
    folder = tmp_path / "data"
    keys = [(folder / name).read_text().strip() for name in ("vault.key", "session.key")]
    assert [place for place in found_in(folder, keys) if place[0].startswith("httpstep.db")] == []
    private = [folder / "vault.key", folder / "session.key", *folder.glob("httpstep.db")]
    assert {oct(file.stat().st_mode & 0o777) for file in private} == {"0o600"}


def test_no_secret_is_in_the_applications_log(make_house: Callable[..., House], caplog: object) -> None:
    _, words = lived_in(make_house)
    assert [word for word in words if word in caplog.text] == []  # type: ignore[attr-defined]
