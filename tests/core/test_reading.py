"""What an answer is: a document, or a refusal that says in words what came instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.answer.reading import (
    describe,
    media_type,
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
        (b'callback({"a": 1})', "text/javascript", "text", "JavaScript that calls a function (JSONP)"),
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
    assert describe(answer(body, content_type)).startswith(words)


@pytest.mark.parametrize(
    ("body", "reason", "advice"),
    [
        (b'{"a": 1', "syntax", "line 1, column 8"),
        (b'{"a": 1}\n{"a": 2}', "syntax", "line 2, column 1, there is more text"),
        (b"[1e400]", "number", "1e400"),
        (b"NaN", "number", "NaN"),
        (b"[" * 300 + b"]" * 300, "too_deep", "200 levels"),
        (b'{"a": "\xe4"}', "encoding", "Byte 8"),
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
    assert isinstance(describe(response), str)
    text_of(response).encode()


@pytest.mark.parametrize(
    "charset", ["rot13", "hex", "idna", "punycode", "unicode_escape", "utf-7", "no-such", "\x00", "'utf-8'", ""]
)
def test_a_strange_charset_never_stops_the_showing(charset: str) -> None:
    assert text_of(answer(b"plain", f"text/plain; charset={charset}")) == "plain"


def test_text_is_decoded_by_its_charset_and_what_cannot_be_read_is_replaced() -> None:
    assert text_of(answer("größe".encode("latin-1"), 'text/plain; charset="ISO-8859-1"')) == "größe"
    assert text_of(answer(b"a\xffb", "text/plain")) == "a\ufffdb"
    assert text_of(answer("ä".encode("utf-16"), "text/plain")) == "ä"


def test_the_media_type_is_bare_and_in_lower_case() -> None:
    assert media_type(answer(b"", "Application/JSON ; charset=utf-8")) == "application/json"
    assert media_type(answer(b"")) == ""


def test_a_first_line_is_cut_to_what_a_person_reads() -> None:
    with pytest.raises(UnreadableAnswer) as refused:
        read(answer(b"\n\n  much   space " + b"x" * 5000))
    assert refused.value.advice.startswith("Received text: much space xxx")
    assert len(refused.value.advice) < 120
