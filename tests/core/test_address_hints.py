"""Addresses and JSON that are likely not meant as they are typed: each gets a hint or a sentence."""

from __future__ import annotations

import pytest

from httpstep.core.document import stepdocument
from httpstep.core.jsontext import Json
from httpstep.core.request.requestcheck import check_request
from httpstep.core.step.spec import Body, Pair, RequestSpec
from tests.core.test_rendering import URL, refused, rendered


def warnings(address: str, **attributes: Json) -> tuple[str, ...]:
    return rendered(RequestSpec(url=address), attributes).warnings


@pytest.mark.parametrize(
    "url", ["https://https://x.example/a", "https://http://x.example", "HTTP://HTTPS://x.example", "https:https://x.example",
            " https://https:/x.example"],
)  # fmt: skip
def test_a_scheme_twice_is_said_and_not_called(url: str) -> None:
    error = refused(RequestSpec(url=url))
    assert error.place == "url" and ("twice" in error.message or "starts with https://" in error.message)


def test_a_stored_step_with_such_a_url_still_opens() -> None:
    document: Json = {"name": "A", "request": {"method": "GET", "url": "https://https://x.example/a"}}
    assert stepdocument.parse(document).request.url == "https://https://x.example/a"


def test_a_whole_address_after_a_scheme_is_said() -> None:
    error = refused(RequestSpec(url="https://{{host}}/a"), {"host": "https://x.example"})
    assert "“host” is a whole address" in error.message


def test_what_follows_a_hash_is_never_sent_and_that_is_said() -> None:
    (hint,) = warnings("https://x.example/u?color=#ff0000&x={{id}}")
    assert "“#ff0000&x={{id}}”" in hint and "%23" in hint
    assert warnings("https://x.example/u?color=%23ff0000") == ()


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://x.example/users/{id}/:name/<x>", ["“{id}”", "“:name”", "“<x>”"]),
        ("https://x.example/u?q={q}", ["“{q}”"]),
        ("https://x.example/{{id}}/{order.id}", ["“{order.id}”"]),
    ],
)
def test_a_path_template_is_named(url: str, named: list[str]) -> None:
    (hint,) = warnings(url, id="1")
    assert all(one in hint for one in named) and "insert an attribute" in hint and "{{id}}" not in hint


@pytest.mark.parametrize(
    "url", ["https://x.example:8443/a:b", "https://x.example/v1/x:batchGet", "https://x.example/10:30", r"https://x.example/\{{id}}",
            "https://x.example/a?b=c&d=e", "https://x.example/a&b", "{{base}}/a?b=1"],
)  # fmt: skip
def test_what_is_meant_so_is_not(url: str) -> None:
    assert warnings(url, base="https://x.example") == ()


def test_a_parameter_without_a_question_mark_is_said() -> None:
    (hint,) = warnings("{{url}}&page=2", url="https://api.example.com/u")
    assert "“&page=2”" in hint and "?page=2" in hint
    error = refused(RequestSpec(url="{{url}}&page=2"), {"url": "https://api.example.com/u?a=1"})
    assert "“url” has a query already" in error.message and "Query String" in error.message
    body = Body("query", (Pair("page", "2"),))
    assert rendered(RequestSpec(url="{{url}}", body=body), {"url": f"{URL}?a=1"}).url == f"{URL}?a=1&page=2"


@pytest.mark.parametrize(
    ("rows", "sent", "words"),
    [
        ([("X-Tag", "a"), ("x-tag", "b")], "a, b", "in one"),
        ([("Accept", "text/html"), ("Accept", "*/*"), ("Accept", "a/b")], "text/html, */*, a/b", "in one"),
        ([("Cookie", "a=1"), ("Cookie", "b=2")], "a=1; b=2", "in one"),
        ([("Content-Type", "a/b"), ("Content-Type", "c/d")], "c/d", "only the last"),
        ([("Authorization", "Bearer a"), ("Authorization", "Bearer b")], "Bearer b", "only the last"),
        ([("X-Api-Key", "a"), ("X-Api-Key", "b")], "b", "only the last"),
    ],
)
def test_a_repeated_header_is_sent_in_one_or_said(rows: list[tuple[str, str]], sent: str, words: str) -> None:
    request = rendered(RequestSpec(url=URL, headers=tuple(Pair(*row) for row in rows)))
    assert [value for _, value in request.headers] == [sent]
    assert words in request.warnings[0] and len(request.warnings) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{\u00a0"a": 1}', "no-break space, U+00A0"),
        ('{"a":\u200b1}', "zero width space, U+200B"),
        ("{'a': 'b'}", "straight double quotes"),
        ("{“a”: 1}", "straight double quotes"),
        ('{\n  "a": "it\'s ’ok’",\n  "b": 1,\n}', "line 3, column 9 is a comma after the last item"),
        ('{"a": [1, 2,]}', "comma after the last item"),
    ],
)
def test_what_json_does_not_know_is_named(text: str, words: str) -> None:
    ((place, sentence),) = check_request(RequestSpec("POST", URL, body=Body("json", text=text)))
    assert place == "body.text" and words in sentence


@pytest.mark.parametrize("text", ['{"a": "\u00a0it\'s “ok”,}"', '{"a" 1}', "{{x}} {{y}}"])
def test_what_is_inside_a_text_is_no_hint(text: str) -> None:
    ((_, sentence),) = check_request(RequestSpec("POST", URL, body=Body("json", text=text)))
    assert "U+00A0" not in sentence and "straight" not in sentence and "comma after" not in sentence


def test_a_text_full_of_quotes_is_looked_at_once() -> None:
    text = '{"' + '\\"' * 200_000
    ((_, sentence),) = check_request(RequestSpec("POST", URL, body=Body("json", text=text)))
    assert sentence
