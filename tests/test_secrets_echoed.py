"""One secret in every place of a request, sent back by the API and by the token address in every spelling that is
looked for: it is found nowhere afterwards."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from httpstep.core.exchange import HttpResponse, RenderedRequest
from httpstep.extensions import db
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.mailbox import Inbox, settled
from tests.web.conftest import Web
from tests.web.screen import limit, open_step, put_secret, web_with

SQLITE_ONLY = "the files of the data folder are read"
SECRET = 's3same/0pen+7431?x&"y"=<\\z'
TOKEN = "t0ken-9942-of-the-api"
CREDENTIALS = [base64.b64encode(text.encode()).decode() for text in (f"me:{SECRET}", f"me:{quote_plus(SECRET)}")]


def spellings(text: str) -> Iterator[str]:
    """Every spelling that `core.masking.masking.redaction` promises to find."""
    octets = text.encode()
    encoded = base64.b64encode(b"in front " + octets + b" behind").decode()
    yield from (text, text.upper(), text.lower(), octets.hex(), octets.hex().upper())
    yield from (quote(text), quote(text, safe=""), quote_plus(text), quote(quote(text, safe=""), safe=""))
    yield from ("".join(f"{sign}{byte:02{case}}" for byte in octets) for sign in ("%", "%25") for case in "xX")
    yield from (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"))
    yield from ("".join(f"\\u{ord(char):04x}" for char in text), "".join(f"&#{ord(char)};" for char in text))
    yield from (html.escape(text), "".join(f"&#x{ord(char):X};" for char in text))
    yield from (base64.b64encode(octets).decode(), base64.urlsafe_b64encode(octets).decode(), encoded)
    yield from (end.join(encoded[at : at + 20] for at in range(0, len(encoded), 20)) for end in ("\n", "\r\n", "\\n"))


def echo(request: RenderedRequest) -> HttpResponse:
    """Says back what proves who calls, in names, values and headers; the good token address gives a token."""
    if request.url == "https://id.example/good":
        return answer(200, {"access_token": TOKEN, "expires_in": 60})
    scheme, _, credential = dict(request.headers).get("Authorization", "").partition(" ")
    known = {SECRET, credential or SECRET} | ({CREDENTIALS[1]} if scheme == "Bearer" else set())
    all_of_it = [spelling for text in sorted(known) for spelling in spellings(text)]
    lines = {f"X-{place}": one for place, one in enumerate(all_of_it) if one.isascii() and one.isprintable()}
    said = {"message": " ".join(all_of_it), "error_description": f"No: {'; '.join(all_of_it)}", "list": all_of_it}
    said |= {"names": dict.fromkeys(all_of_it, 1), "headers": dict(request.headers), "url": request.url}
    return answer(200 if "good" in request.url else 401, said, **lines)


def oauth(where: str) -> dict[str, str]:
    return {
        "type": "oauth2_client_credentials", "token_url": f"https://id.example/{where}", "client_id": "me",
        "client_secret": "{{secret.CRM}}", "scope": "",
    }  # fmt: skip


STEPS: list[dict[str, Any]] = [
    {"headers": [{"name": "X-Note", "value": "n {{secret.CRM}}"}]},
    {"url": "https://api.example/{{where}}?key={{secret.CRM}}"},
    {"method": "POST", "body": {"mode": "json", "text": '{"a": "{{secret.CRM}}"}'}},
    {"method": "POST", "body": {"mode": "raw", "text": "n {{secret.CRM}}"}},
    {"auth": {"type": "basic", "username": "me", "password": "{{secret.CRM}}"}},
    {"auth": oauth("good")},
    {"auth": oauth("bad")},
    {"headers": [{"name": "X-Note", "value": "{{secret.CRM}}{{gone}}"}]},
]


def used(web: Web, number: int, where: str) -> Iterator[str]:
    """The step run by a bot and tested by a person, and everything there is to see of that."""
    web.house.put(
        document(
            f"step-{number}",
            **{"url": "https://api.example/{{where}}"} | STEPS[number],
            alert_emails=["ops@shop.example"],
        )
    )
    answered = web.house.execute(f"step-{number}", {"where": where, "repeated": SECRET, "deep": {SECRET: [SECRET]}})
    assert answered.status_code == 200
    bob = web.as_("bob")
    screen = open_step(bob, number + 1).set("value:where", where)
    tested = screen.fragment("test", again="1")  # also where a value is empty
    assert tested.status_code == 200 and "test-result" in tested.text
    yield tested.text
    logs = web.house.call("GET", f"/steps/step-{number}/logs")
    yield logs.text
    for row in logs.json["logs"]:
        yield web.house.call("GET", f"/steps/step-{number}/logs/{row['id']}").text
        yield bob.get(f"/steps/{number + 1}/logs/{row['id']}").text
    yield bob.get(f"/steps/{number + 1}").text


def found_in(text: str) -> list[str]:
    words = {word for secret in (SECRET, TOKEN, *CREDENTIALS) for word in spellings(secret)}
    words |= {json.dumps(word)[1:-1] for word in words} | {json.dumps(word, ensure_ascii=False)[1:-1] for word in words}
    return [word for word in words if word in text or word in html.unescape(text)]


@pytest.mark.parametrize("where", ["good", "bad"])
def test_a_secret_is_found_nowhere_however_it_is_sent_back(
    make_house: Callable[..., House], inbox: Inbox, tmp_path: Path, where: str
) -> None:
    mail = {"SMTP_URL": f"smtp://127.0.0.1:{inbox.port}", "MAIL_FROM": "a@b.example"}
    web = web_with(make_house, ThirdParty(echo), **mail)
    limit(web, 1000)
    put_secret(web, "CRM", SECRET)
    seen = {
        f"step {number}, {place}": text
        for number in range(len(STEPS))
        for place, text in enumerate(used(web, number, where))
    }
    settled(web.house)
    seen |= {f"mail {number}": mail.get_payload(decode=True).decode() for number, mail in enumerate(inbox.mails)}
    seen |= {path.name: path.read_bytes().decode("latin-1") for path in (tmp_path / "data").iterdir() if path.is_file()}
    assert {"mail 0", "httpstep.db", "httpstep.db-wal"} <= set(seen)
    assert {place: found for place, text in seen.items() if (found := found_in(text))} == {}
    assert "step-1" in seen["httpstep.db-wal"] + seen["httpstep.db"], "the search finds what is there"


def bug(request: RenderedRequest) -> HttpResponse:
    """A bug of ours, with everything it has at hand in its text and in that of the error behind it."""
    if request.url == "https://id.example/good":
        return echo(request)
    said = f"{request.url} {request.headers} {request.body!r} {' '.join(spellings(SECRET))}"
    try:
        raise KeyError(said)
    except KeyError as error:
        raise RuntimeError(f"cannot read {said}") from error


def test_a_bug_of_our_own_tells_where_it_is_and_no_secret(
    make_house: Callable[..., House], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    web = web_with(make_house, ThirdParty(bug))
    limit(web, 1000)
    put_secret(web, "CRM", SECRET)
    seen, failing = {}, STEPS[:6]
    for number, step in enumerate(failing):
        web.house.put(document(f"step-{number}", **{"url": "https://api.example/{{where}}"} | step))
        answered = web.house.execute(f"step-{number}", {"where": "good"})
        assert (answered.status_code, answered.json["outcome"]) == (500, "internal")
        screen = open_step(web.as_("bob"), number + 1).set("value:where", "good")
        seen |= {f"answer {number}": answered.text, f"test {number}": screen.fragment("test").text}
        seen[f"rows {number}"] = web.house.call("GET", f"/steps/step-{number}/logs").text
        log_id = answered.json["log_id"]
        seen[f"row {number}"] = web.house.call("GET", f"/steps/step-{number}/logs/{log_id}").text
        seen[f"view {number}"] = web.as_("bob").get(f"/logs/{answered.json['log_id']}").text
    ran = web.house.app.test_cli_runner().invoke(
        args=["step", "run", "step-0", "--attributes", '{"where": "good"}', "--account", "default"]
    )
    assert ran.exit_code == 1 and "Error: httpstep itself failed." in ran.output, repr(ran.exception)
    seen |= {"command": ran.output + repr(ran.exception), "log": caplog.text}
    seen |= {path.name: path.read_bytes().decode("latin-1") for path in (tmp_path / "data").iterdir() if path.is_file()}
    assert {place: found for place, text in seen.items() if (found := found_in(text))} == {}
    for number in range(len(failing)):
        assert f"step step-{number} failed inside httpstep" in seen["log"]
    for word in (
        "RuntimeError: cannot read",
        "KeyError: ",
        "httpstep/execution/executor.py",
        "in bug",
        "test_secrets_echoed.py",
    ):
        assert word in seen["log"], "what an operator needs to find it"


def test_an_error_of_the_database_names_its_statement_and_no_value(make_house: Callable[..., House]) -> None:
    with make_house().app.app_context(), pytest.raises(SQLAlchemyError) as caught:
        db.session.execute(text("SELECT * FROM nothing WHERE value = :value"), {"value": TOKEN})
    assert "FROM nothing" in str(caught.value) and found_in(str(caught.value)) == []
