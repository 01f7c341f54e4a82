"""What an answer is: a document, or a refusal that says in words what came instead."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.answer.reading import (
    media_type,
    notes_on,
    read,
    text_of,
)
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.exchange import HttpResponse

NOT_MAPPED = "Response Mapping Not Done, Only JSON can be mapped as Response"


def answer(body: bytes, content_type: str | None = None) -> HttpResponse:
    headers = () if content_type is None else (("content-type", content_type),)
    return HttpResponse(status=200, reason="OK", headers=headers, body=body)


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/html; charset=utf-8", "text/plain", "", "nonsense", None]
)
def test_json_is_read_under_any_content_type(content_type: str | None) -> None:
    assert read(answer(b'\n {"a": [1]}', content_type)) == {"a": [1]}


@pytest.mark.parametrize(
    ("body", "content_type", "reason", "words"),
    [
        (b"", None, "empty", "an empty answer"),
        (b" \r\n", "application/json", "empty", "an empty answer"),
        (b"<!DOCTYPE html><html><head><title>Sign in</title>", "text/html", "html", "HTML: Sign in"),
        (b"\n<html lang=en>", None, "html", "HTML: <html lang=en>"),
        (b"<p>Oops</p>", "text/html", "html", "HTML: <p>Oops</p>"),
        (b'<?xml version="1.0"?><a/>', None, "xml", 'XML: <?xml version="1.0"?><a/>'),
        (b"<soap:Envelope></soap:Envelope>", "application/soap+xml", "xml", "XML: <soap:Envelope></soap:Envelope>"),
        (b"id,name\n1,Ann\n2,Bo\n", "text/plain", "csv", "CSV: id,name"),
        (b"id;name\n1;Ann\n", "text/csv", "csv", "CSV: id;name"),
        (b"Service unavailable", "text/plain", "text", "text: Service unavailable"),
        (b'callback({"a": 1})', "text/javascript", "jsonp", "JavaScript that calls a function (JSONP)"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "image/png", "binary", "binary data (image/png, 10 bytes)"),
        (b"\x1f\x8b\x08\x00\x00", None, "binary", "binary data (no content type, 5 bytes)"),
    ],
)
def test_anything_else_is_named(body: bytes, content_type: str | None, reason: str, words: str) -> None:
    with pytest.raises(UnreadableAnswer) as refused:
        read(answer(body, content_type))
    assert refused.value.message.startswith(NOT_MAPPED)
    assert refused.value.reason == reason
    assert refused.value.advice.startswith(f"Received {words}")
    assert refused.value.advice.endswith(".")


@pytest.mark.parametrize(
    ("body", "reason", "advice"),
    [
        (b'{"a": 1', "syntax", "line 1, column 8"),
        (b'{"a": 1}\n{a: 2}', "syntax", "line 2, column 1, there is more text"),
        (b"[" * 300 + b"]" * 300, "too_deep", "200 levels"),
    ],
)
def test_json_that_is_broken_says_where(body: bytes, reason: str, advice: str) -> None:
    with pytest.raises(UnreadableAnswer) as refused:
        read(answer(body, "application/json"))
    assert refused.value.message.startswith(NOT_MAPPED)
    assert refused.value.reason == reason
    assert advice in refused.value.advice


def test_json_in_a_declared_charset_is_read_as_that() -> None:
    assert read(answer('{"a": "ä"}'.encode("iso-8859-1"), "application/json; charset=ISO-8859-1")) == {"a": "ä"}


def test_utf_8_is_believed_more_than_a_wrong_charset() -> None:
    assert read(answer('{"a": "ä"}'.encode(), "application/json; charset=iso-8859-1")) == {"a": "ä"}


@given(
    st.binary(max_size=200),
    st.text(max_size=30) | st.sampled_from(["text/html", "text/plain; charset=utf-16", "text/csv"]),
)
def test_whatever_comes_is_a_document_or_an_unreadable_answer(body: bytes, content_type: str) -> None:
    response = answer(body, content_type)
    try:
        read(response)
    except UnreadableAnswer as error:
        assert error.message == NOT_MAPPED
        assert error.advice.endswith(".")
    text_of(response).encode()


@pytest.mark.parametrize(
    "charset", ["rot13", "hex", "idna", "punycode", "unicode_escape", "utf-7", "no-such", "\x00", "'utf-8'", ""]
)
def test_a_strange_charset_never_stops_the_showing(charset: str) -> None:
    assert text_of(answer(b"plain", f"text/plain; charset={charset}")) == "plain"


def test_text_is_decoded_by_its_charset_and_what_cannot_be_read_is_replaced() -> None:
    assert text_of(answer("größe".encode("latin-1"), 'text/plain; charset="ISO-8859-1"')) == "größe"
    assert text_of(answer(b"a\xffb", "text/plain; charset=utf-8")) == "a\ufffdb"
    assert text_of(answer(b"a\xffb", "text/plain")) == "a\xffb"
    assert text_of(answer("ä".encode("utf-16"), "text/plain")) == "ä"


def test_the_media_type_is_bare_and_in_lower_case() -> None:
    assert media_type(answer(b"", "Application/JSON ; charset=utf-8")) == "application/json"
    assert media_type(answer(b"")) == ""


def test_a_first_line_is_cut_to_what_a_person_reads() -> None:
    with pytest.raises(UnreadableAnswer) as refused:
        read(answer(b"\n\n  much   space " + b"x" * 5000))
    assert refused.value.advice.startswith("Received text: much space xxx")
    assert len(refused.value.advice) < 120


@pytest.mark.parametrize(
    ("body", "content_type", "document", "note"),
    [
        (b'{"a":"Regi\xe3o","b":"x"}', "application/json", {"a": "Região", "b": "x"}, "read as windows-1252"),
        (b'{"a":"Regi\xe3o","b":"x"}', None, {"a": "Região", "b": "x"}, "read as windows-1252"),
        (b'{"a":"\x8010"}', "application/json; charset=iso-8859-1", {"a": "€10"}, "as it says"),
        (
            b'{"a":"\xe0\xf2"}',
            "application/json; charset=windows-1251",
            {"a": "ат"},
            "read as windows-1251, as it says",
        ),
        (
            b'{"a":"Regi\xe3o"}',
            "application/json; charset=utf-8",
            {"a": "Regi\ufffdo"},
            "Byte 11 of the answer is not UTF-8",
        ),
        (
            '{"a":"Köln","b":"'.encode() + b'\xe3"}',
            "application/json",
            {"a": "Köln", "b": "\ufffd"},
            "stands as \ufffd",
        ),
        (b'{"a":"x\x81y"}', "application/json", {"a": "x\ufffdy"}, "stands as \ufffd"),
        (b'{"a":"Regi\xe3o"}', "application/json; charset=no-such", {"a": "Região"}, "read as windows-1252"),
        ('{"a": "ä"}'.encode(), "application/json; charset=iso-8859-1", {"a": "ä"}, ""),
        ('{"a": "ä"}'.encode("utf-16"), "application/json", {"a": "ä"}, ""),
        (b'{"a": "plain"}', "application/json; charset=windows-1251", {"a": "plain"}, ""),
    ],
)
def test_one_bad_byte_is_not_the_whole_answer(
    body: bytes, content_type: str | None, document: object, note: str
) -> None:
    response = answer(body, content_type)
    assert read(response) == document
    assert note in "".join(notes_on(response))
    assert bool(notes_on(response)) is bool(note)


@given(st.text(max_size=20), st.binary(min_size=1, max_size=4))
def test_a_bad_byte_in_one_field_never_harms_another(text: str, bad: bytes) -> None:
    inside = bytes(byte for byte in bad if byte > 0x7F)
    body = b'{"a": "' + inside + b'", "b": ' + json.dumps(text).encode() + b"}"
    assert read(answer(body, "application/json"))["b"] == text


@pytest.mark.parametrize("before", ["\ufeff\ufeff", "\n\ufeff", "\r\n\ufeff \ufeff", "\ufeff\n", "\ufeff"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_marks_before_the_json_are_passed_over(before: str, encoding: str) -> None:
    if encoding == "utf-16-le" and not before.startswith("\ufeff"):
        before = "\ufeff" + before
    assert read(answer(f'{before}{{"a": 5}}'.encode(encoding), "application/json")) == {"a": 5}


JSON = '{"a": 5, "b": "x"}'


@pytest.mark.parametrize(
    ("body", "content_type", "reason", "words"),
    [
        (f")]}}'\n{JSON}", "application/json", "guarded", ["begins with “)]}'” before the JSON", "Ask the API"]),
        (f")]}}',\n{JSON}", "application/json", "guarded", ["before the JSON"]),
        (f"while(1);{JSON}", "application/json", "guarded", ["begins with “while(1);” before the JSON"]),
        (f"for(;;);{JSON}", "text/javascript", "guarded", ["begins with “for(;;);”"]),
        (f"//OK{JSON}", "application/json", "guarded", ["begins with “//OK”"]),
        (f"throw 1; <dont be evil> {JSON}", "application/json", "guarded", ["before the JSON"]),
        (f"{{}}&&{JSON}", "application/json", "guarded", ["before the JSON"]),
        (f"<br />\n<b>Warning</b>: Undefined index in <b>/srv/x.php</b> on line 3<br />\n{JSON}", "application/json", "preceded", ["wrote a warning before the JSON: “Warning: Undefined index in /srv/x.php on line 3”", "display_errors"]),
        (f"<br />\n<b>Deprecated</b>: Old in <b>/x.php</b> on line 3<br />{JSON}", "text/html", "preceded", ["Deprecated: Old"]),
        (f"Notice: Undefined index: x in /srv/x.php on line 3\n{JSON}", "application/json", "preceded", ["“Notice: Undefined index"]),
        (f"PHP Warning: x in /srv/x.php on line 3{JSON}", "application/json", "preceded", ["“Warning: x in"]),
        (f"debug: 1\n{JSON}", "application/json", "preceded", ["Other text stands before the JSON"]),
        (f"{JSON}\n{JSON}\n", "application/json", "json_lines", ["NDJSON", "one list"]),
        ("[1]\r\n\r\n[2]", None, "json_lines", ["NDJSON"]),
        (f"{JSON}{JSON}", "application/json", "json_lines", ["NDJSON", "one list"]),
        (f'{{\n  "a": 1\n}}\n{JSON}', "application/json", "json_lines", ["one after the other"]),
        (f": ping\n\ndata: {JSON}\n\n", "application/json", "events", ["stream of events"]),
        (f"{JSON}\n<br />\n<b>Fatal error</b>: Uncaught in <b>/x.php</b>", "application/json", "followed", ["a warning after the JSON: “Fatal error: Uncaught"]),
        (f"{JSON}\n<!-- cached -->", "application/json", "followed", ["Other text stands after the JSON"]),
        ("event: message\ndata: {\"a\":5}\n\ndata: [DONE]\n\n", "text/event-stream", "events", ["SSE", "“stream”: false"]),
        ("data: {\"a\":5}\n\n", "application/json", "events", ["server-sent events"]),
        ("id: 1\nretry: 5\ndata: {\"a\":5}\n\n", None, "events", ["server-sent events"]),
        (f"/**/cb({JSON});", "application/javascript", "jsonp", ["JSONP", "callback"]),
        (f"angular.callbacks._0({JSON})", "application/json", "jsonp", ["JSONP"]),
        (f"/**/ typeof cb === 'function' && cb({JSON});", "text/javascript", "jsonp", ["JSONP", "callback"]),
        (f"try{{cb({JSON});}}catch(e){{}}", "text/javascript", "jsonp", ["JSONP"]),
    ],
)  # fmt: skip
def test_json_that_does_not_come_alone_is_named_with_what_to_do(
    body: str, content_type: str | None, reason: str, words: list[str]
) -> None:
    with pytest.raises(UnreadableAnswer) as refused:
        read(answer(body.encode(), content_type))
    assert (refused.value.message, refused.value.reason) == (NOT_MAPPED, reason)
    assert [word for word in words if word not in refused.value.advice] == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<!doctype html><html>\n<script>\n[1]</script></html>", "html"),
        ("See ticket [42]", "text"),
        ("id,json\n1,[]\n", "csv"),
        ("<?xml version='1.0'?>\n<a>{}</a>", "xml"),
        ("{\n[\n", "syntax"),
        ("while we wait", "text"),
    ],
)
def test_what_only_looks_like_it_is_named_as_before(body: str, reason: str) -> None:
    with pytest.raises(UnreadableAnswer) as refused:
        read(answer(body.encode()))
    assert refused.value.reason == reason


def test_a_warning_is_shown_without_a_secret() -> None:
    body = f"Warning: bad key hunter2hunter2 in /srv/x.php on line 3\n{JSON}".encode()
    with pytest.raises(UnreadableAnswer) as refused:
        read(answer(body), frozenset({"hunter2hunter2"}))
    assert "hunter2" not in refused.value.advice
