"""Bodies that APIs ask for: forms with parts, GraphQL, XML, lists, numbers of a bot's text; and types that contradict them."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ElementTree
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pytest_httpserver import HTTPServer

from httpstep.core.document import renaming, stepdocument, visible
from httpstep.core.document.stepdocument import DocumentError
from httpstep.core.exchange import RenderedRequest
from httpstep.core.jsontext import Json
from httpstep.core.request.rendering import attributes_used
from httpstep.core.request.requestcheck import check_request
from httpstep.core.step.spec import Body, Pair, RequestSpec, StepSpec
from tests.core.test_rendering import URL, refused, rendered

NASTY = ["", "plain", "a\nb", "a\r\nb", 'q"uote', "Ünï 🎉", "{{secret.X}}", "--", "back\\slash", "%22", "a=b&c"]


def sent(body: Body, method: str = "POST", /, **attributes: Json) -> RenderedRequest:
    return rendered(RequestSpec(method, URL, body=body), attributes)


def content_type(request: RenderedRequest) -> str:
    return dict(request.headers)["Content-Type"]


def fields(*rows: tuple[str, str], **rest: Any) -> Body:
    return Body("multipart", tuple(Pair(*row) for row in rows), **rest)


# ---------------------------------------------------------------- multipart


def parts_of(request: RenderedRequest) -> list[tuple[str, str]]:
    head = f"Content-Type: {content_type(request)}\r\n\r\n".encode()
    message = message_from_bytes(head + (request.body or b""), policy=HTTP)
    return [
        (str(part.get_param("name", header="Content-Disposition")), (part.get_payload(decode=True) or b"").decode())
        for part in message.iter_parts()
    ]


@pytest.mark.parametrize("value", NASTY)
def test_parts_are_what_requests_sends(value: str) -> None:
    ours = sent(fields(("from", "{{v}}"), ("text", "hello")), v=value)
    boundary = content_type(ours).partition("boundary=")[2]
    theirs = requests.Request("POST", URL, files=[("from", (None, value)), ("text", (None, "hello"))]).prepare()
    their_boundary = str(theirs.headers["Content-Type"]).partition("boundary=")[2]
    assert ours.body == theirs.body.replace(their_boundary.encode(), boundary.encode())
    assert content_type(ours) == f"multipart/form-data; boundary={boundary}"


@pytest.mark.parametrize("name", ["a", "a b", 'a"b', "file[]", "ä"])
def test_parts_are_what_curl_sends(name: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/f").respond_with_data("")
    forms = ["--form-string", f"{name}=a\nb", "--form-string", "x=@y"]
    subprocess.run(["curl", "-sS", "-q", *forms, httpserver.url_for("/f")], check=True, timeout=30)
    arrived = httpserver.log[-1][0]
    boundary, body = arrived.headers["Content-Type"].split("boundary=")[1].encode(), arrived.get_data()
    ours = sent(fields((name, "{{v}}"), ("x", "@y")), v="a\nb")
    assert (ours.body or b"").replace(content_type(ours).partition("boundary=")[2].encode(), boundary) == body


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text())))
def test_no_value_ends_its_part(rows: list[tuple[str, str]]) -> None:
    values: dict[str, Json] = {f"v{index}": value for index, (_, value) in enumerate(rows)}
    request = sent(fields(*((f"n{index}", f"{{{{v{index}}}}}") for index in range(len(rows)))), **values)
    boundary = content_type(request).partition("boundary=")[2].encode() if rows else b""
    assert not rows or (request.body or b"").count(b"--" + boundary) == len(rows) + 1


def test_the_preview_of_parts_is_what_is_sent_and_a_get_has_them_too() -> None:
    body = fields(("a", "1"))
    assert sent(body) == sent(body)
    assert sent(body, "GET").body and sent(body, "GET").url == URL
    assert parts_of(sent(body)) == [("a", "1")]


def test_a_typed_type_without_boundary_does_not_break_the_parts() -> None:
    typed = RequestSpec("POST", URL, (Pair("Content-Type", "multipart/form-data"),), body=fields(("a", "1")))
    request = rendered(typed)
    assert parts_of(request) == [("a", "1")] and len(request.headers) == 1
    assert "boundary" in request.warnings[0]


def test_a_file_is_said_not_to_be_there_yet() -> None:
    (warning,) = sent(fields(("file", "@report.pdf"))).warnings
    assert "files cannot be sent yet" in warning and "@report.pdf" in warning
    assert not sent(fields(("user", "@ann"))).warnings


# ---------------------------------------------------------------- GraphQL

QUERY = 'query ($id: ID!) {\n  order(id: $id) { status note(in: "EUR") }\n}'


@pytest.mark.parametrize("value", [*NASTY, 12345678901234567890, None, True, ["a"], {"a": 1}])
def test_a_graphql_request_is_query_and_variables_as_json(value: Json) -> None:
    request = sent(
        Body("graphql", text=QUERY, variables='{"id": {{order.id}}, "t": "{{order.id}}"}'), **{"order.id": value}
    )
    document = json.loads(request.body or b"")
    assert (document["query"], document["variables"]["id"]) == (QUERY, value)
    assert content_type(request) == "application/json" and list(document) == ["query", "variables"]


def test_without_variables_only_the_query_goes() -> None:
    assert json.loads(sent(Body("graphql", text="{ me { id } }")).body or b"") == {"query": "{ me { id } }"}
    assert sent(Body("graphql")).body is None and "empty" in sent(Body("graphql")).warnings[0]


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        (Body("graphql", text="{ a(id: {{id}}) }"), "body.text", "variables"),
        (Body("graphql", text="{a}", variables="[1]"), "body.variables", "JSON object"),
        (Body("graphql", text="{a}", variables='{"a": }'), "body.variables", "line 1"),
        (Body("graphql", text="{a}", variables='{"a": {{no good}} }'), "body.variables", "not an attribute"),
    ],
)
def test_what_is_wrong_with_graphql_is_said_at_its_place(body: Body, place: str, words: str) -> None:
    found = dict(check_request(RequestSpec("POST", URL, body=body)))
    assert words in found[place]
    assert refused(RequestSpec("POST", URL, body=body), {"id": 1}).place == place


def test_attributes_of_variables_are_asked_for_renamed_and_masked() -> None:
    request = RequestSpec(
        "POST", URL, body=Body("graphql", text="{a}", variables='{"q": {{qty|number}}, "token": "abc"}')
    )
    spec = StepSpec(request=request)
    assert attributes_used(spec) == ["qty"]
    changed = renaming.renamed(spec, "qty", "count", frozenset({"qty"}))
    assert changed.request.body.variables == '{"q": {{count|number}}, "token": "abc"}'
    assert "abc" not in visible.step_for(spec, may_edit=False).request.body.variables


# ---------------------------------------------------------------- XML


@pytest.mark.parametrize("value", ["Smith & Sons <x>", "a'b\"c", "]]>", "a\tb\nc\rd", "<!-- -->", "&amp;", "ü🎉", ""])
def test_a_value_in_xml_comes_out_as_it_went_in(value: str) -> None:
    text = "<r a='{{v}}' b=\"x > {{v}}\"><n>{{v}}</n><c><![CDATA[<b>{{v}}]]></c><d>{{v}}</d></r>"
    request = sent(Body("raw", text=text, content_type="application/soap+xml; charset=utf-8", escape="auto"), v=value)
    read = ElementTree.fromstring(request.body or b"")
    assert [read.get("a"), read.findtext("n"), read.findtext("d")] == [value] * 3
    assert str(read.get("b")).startswith("x > ") and request.secrets == frozenset()
    assert read.findtext("c") == "<b>" + value.replace("\r", "\n")


def test_what_xml_cannot_hold_makes_no_broken_document() -> None:
    request = sent(Body("raw", text="<n>{{v}}</n>", content_type="text/xml", escape="auto"), v="a\0b\x1fc\ud800")
    assert ElementTree.fromstring(request.body or b"").text == "a\ufffdb\ufffdc\ufffd"


@pytest.mark.parametrize(("escape", "kind"), [("none", "text/xml"), ("auto", "text/plain"), ("auto", "text/html")])
def test_steps_of_before_and_other_texts_stay_as_they_are(escape: Any, kind: str) -> None:
    assert sent(Body("raw", text="<n>{{v}}</n>", content_type=kind, escape=escape), v="a & b").body == b"<n>a & b</n>"


def test_crlf_is_kept() -> None:
    assert sent(Body("raw", text="a\r\nb\nc{{v}}"), v="\r\n").body == b"a\r\nb\nc\r\n"


# ---------------------------------------------------------------- lists, empty values

TAGS = ["a", "b c", 1, None, ["x"]]


@pytest.mark.parametrize("mode", ["query", "multipart"])
@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ("json", [("t", '["a","b c",1,null,["x"]]')]),
        ("repeat", [("t", "a"), ("t", "b c"), ("t", "1"), ("t", ""), ("t", '["x"]')]),
        ("brackets", [("t[]", "a"), ("t[]", "b c"), ("t[]", "1"), ("t[]", ""), ("t[]", '["x"]')]),
    ],
)
def test_a_list_is_sent_as_the_step_says(mode: Any, lists: Any, expected: list[tuple[str, str]]) -> None:
    body = Body(mode, (Pair("t", "{{tags}}"), Pair("k", "v")), lists=lists)
    request = sent(body, tags=TAGS)
    found = parts_of(request) if mode == "multipart" else parse_qsl((request.body or b"").decode(), True)
    assert found == [*expected, ("k", "v")]


def test_repeated_names_in_a_url_are_what_requests_sends() -> None:
    request = sent(Body("query", (Pair("tags", "{{t}}"),), lists="repeat"), "GET", t=["a", "b c", "ü&"])
    theirs = requests.Request("GET", URL, params={"tags": ["a", "b c", "ü&"]}).prepare().url
    assert parse_qsl(urlsplit(request.url).query) == parse_qsl(urlsplit(str(theirs)).query)
    assert sent(Body("query", (Pair("t", "{{t}}"),), lists="repeat"), "GET", t=[]).url == URL
    named = sent(Body("query", (Pair("t[]", "{{t}}"),), lists="brackets"), "GET", t=["a"])
    assert named.url == f"{URL}?t%5B%5D=a"


def test_a_list_within_a_text_and_a_value_that_is_none_stay_one_field() -> None:
    body = Body("query", (Pair("a", "x{{t}}"), Pair("b", "{{n}}")), lists="repeat")
    assert parse_qsl((sent(body, t=["a"], n="1").body or b"").decode()) == [("a", 'x["a"]'), ("b", "1")]


@pytest.mark.parametrize("value", ["", None, [], {}])
@pytest.mark.parametrize("lists", ["json", "repeat", "brackets"])
def test_an_empty_field_is_left_out_where_it_says_so(value: Json, lists: Any) -> None:
    body = Body("query", (Pair("a", "{{v}}", "leave_out"), Pair("b", "2")), lists=lists)
    assert sent(body, "GET", v=value).url == f"{URL}?b=2"
    assert sent(body, "GET", v=0).url == f"{URL}?a=0&b=2"
    assert sent(body, "GET", v=False).url == f"{URL}?a=false&b=2"
    kept = replace(body, fields=(Pair("a", "{{v}}"),), lists="json")
    assert sent(kept, "GET", v="").url == f"{URL}?a="


def test_an_attribute_that_is_not_there_is_still_an_error_unless_the_step_sends_it_empty() -> None:
    request = RequestSpec("GET", URL, body=Body("query", (Pair("a", "{{v}}", "leave_out"),)))
    assert refused(request).reason == "missing_attribute"
    assert rendered(request, empty=True).url == URL


def test_secrets_in_the_items_of_a_credential_are_known_as_such() -> None:
    body = Body("query", (Pair("api_key", "{{t}}"),), lists="repeat")
    assert {"k1", "k2"} <= sent(body, t=["k1", "k2"]).secrets


# ---------------------------------------------------------------- numbers of a bot's text


@pytest.mark.parametrize(
    ("value", "written"),
    [("2", "2"), (" 2 ", "2"), ("1.10", "1.10"), ("007", "7"), ("12345678901234567890", "12345678901234567890"),
     ("-0.50", "-0.50"), (3, "3"), ("1e3", "1e3"), (None, "null")],
)  # fmt: skip
def test_a_number_from_a_text_goes_out_as_a_number(value: Json, written: str) -> None:
    body = Body("json", text='{"qty": {{ qty | number }} }')
    got = (sent(body, qty=value).body or b"").decode()
    assert got == f'{{"qty": {written} }}' or json.loads(got) == json.loads(f'{{"qty": {written}}}')
    assert "E" not in got


def test_the_same_in_every_place_and_for_other_kinds() -> None:
    request = RequestSpec("GET", URL + "/{{n|integer}}", (Pair("X-On", "{{on|boolean}}"),))
    got = rendered(request, {"n": "5", "on": "yes"})
    assert (got.url, got.headers) == (f"{URL}/5", (("X-On", "true"),))


@pytest.mark.parametrize("value", ["two", "", "1,5", "0x10", "NaN", True, ["1"]])
def test_what_is_no_number_is_an_error_that_names_it(value: Json) -> None:
    error = refused(RequestSpec("POST", URL, body=Body("json", text='{"qty": {{qty|number}}}')), {"qty": value})
    assert (error.reason, error.place) == ("conversion", "body.text")
    assert "“qty”" in error.message and "not a number" in error.message


@pytest.mark.parametrize("text", ["{{qty|numbr}}", "{{qty|}}", "{{secret.K|number}}", "{{qty|number|text}}"])
def test_another_word_after_the_bar_is_a_fault(text: str) -> None:
    (found,) = check_request(RequestSpec("POST", URL, body=Body("json", text=f'{{"a": {text}}}')))
    assert "number, integer, boolean" in found[1]


# ---------------------------------------------------------------- a type that contradicts the body


def warned(body: Body, typed: str = "", **attributes: Json) -> tuple[str, ...]:
    rows = (Pair("Content-Type", typed),) if typed else ()
    return rendered(RequestSpec("POST", URL, rows, body=body), attributes).warnings


A_FORM = Body("query", (Pair("a", "1"),))


@pytest.mark.parametrize(
    ("body", "typed"),
    [
        (A_FORM, "multipart/form-data"),
        (A_FORM, "application/json"),
        (Body("json", text="{}"), "application/x-www-form-urlencoded"),
        (Body("graphql", text="{a}"), "application/graphql"),
        (Body("raw", text="a=1", content_type="application/json"), ""),
        (Body("raw", text="a=1"), "application/json"),
        (Body("raw", text="{}", content_type="text/xml"), ""),
        (Body("raw", text='{"a": 1}', content_type="application/x-www-form-urlencoded"), ""),
        (Body("raw", text="a", content_type="multipart/form-data"), ""),
        (Body("raw", text="--x\na\n--x--\n", content_type="multipart/form-data; boundary=x"), ""),
        (Body("raw", text="Zoé", content_type="text/plain; charset=iso-8859-1"), ""),
    ],
)
def test_a_type_that_contradicts_the_body_is_warned_of(body: Body, typed: str) -> None:
    (warning,) = warned(body, typed)
    assert warning.startswith(("The Content-Type says", "The lines between the parts"))


@pytest.mark.parametrize(
    ("body", "typed"),
    [
        (A_FORM, "application/x-www-form-urlencoded; charset=UTF-8"),
        (Body("json", text="{}"), "application/vnd.api+json"),
        (Body("json", text='{"a": "é"}'), "application/json; charset=utf-8"),
        (Body("raw", text="Zoe", content_type="text/plain; charset=iso-8859-1"), ""),
        (Body("raw", text='{"a": {{v}}}', content_type="application/json"), ""),
        (Body("raw", text="\n<a/>", content_type="application/xml"), ""),
        (Body("raw", text="--x\r\na\r\n--x--\r\n", content_type="multipart/form-data; boundary=x"), ""),
        (Body("none"), "application/json"),
    ],
)
def test_a_type_that_fits_is_not(body: Body, typed: str) -> None:
    assert warned(body, typed, v=1) == ()


# ---------------------------------------------------------------- the document


def test_new_members_are_read_written_and_left_out_where_they_are_as_before() -> None:
    body = {"mode": "multipart", "fields": [{"name": "a", "value": "1", "when_empty": "leave_out"}], "lists": "repeat",
            "escape": "auto", "variables": "{}"}  # fmt: skip
    spec = stepdocument.parse({"name": "A", "request": {"method": "POST", "url": URL, "body": body}})
    written: Any = stepdocument.dump(spec)["request"]
    assert {name: written["body"][name] for name in body} == body
    plain: Any = stepdocument.dump(
        replace(spec, request=RequestSpec("GET", URL, body=Body("query", (Pair("a", "1"),))))
    )
    assert not {"lists", "escape", "variables"} & plain["request"]["body"].keys()
    assert plain["request"]["body"]["fields"] == [{"name": "a", "value": "1"}]
    with pytest.raises(DocumentError):
        stepdocument.parse({"name": "A", "request": {"method": "GET", "url": URL, "body": {"lists": "comma"}}})


def test_a_text_that_is_the_default_is_not_written_whoever_made_it() -> None:
    made: Any = ("".join(["se", "nd"]), "".join(["js", "on"]))
    body = Body("query", (Pair("a", "1", made[0]),), lists=made[1])
    written: Any = stepdocument.dump(StepSpec(request=RequestSpec("GET", URL, body=body)))["request"]
    assert "lists" not in written["body"] and "when_empty" not in written["body"]["fields"][0]


@pytest.mark.parametrize(
    "body",
    [
        Body("json", text='{"api_key": "k\\"1234", "a": [{"password" : "p-12345"}], "key": "color", "token": "{{t}}"}'),
        Body("graphql", text="{ a }", variables='{"apiKey": "k\\"1234", "newPassword": "p-12345"}'),
    ],
)
def test_what_proves_who_calls_is_masked_in_json_as_in_a_header(body: Body) -> None:
    assert sent(body, t="value").secrets == {'k"1234', "p-12345"}


@pytest.mark.parametrize(
    ("url", "token"),
    [
        (
            "https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0/getMe",
            "110201543:AAHdqTcvCH1vGWJxfSeofSAs0",
        ),
        ("https://hooks.slack.com/services/T0AB/B0CD/XyZ24charactersofrandom", "XyZ24charactersofrandom"),
    ],
)
def test_a_token_in_a_path_is_masked_too(url: str, token: str) -> None:
    assert rendered(RequestSpec("GET", url), {}).secrets == {token}
