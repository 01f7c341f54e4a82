"""A request as browsers copy it, as HTTP writes it, and as an address."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpstep.core.importing import anything
from httpstep.core.importing.imported import Imported
from httpstep.core.request.requestcheck import MAX_FIELDS
from httpstep.core.step.spec import RequestSpec

API = "https://api.example.com/v1/items"
CHROME = f"""fetch("{API}?a=1", {{
  "headers": {{
    "accept": "*/*",
    "content-type": "application/json",
    "sec-ch-ua": "\\"Brand\\";v=\\"99\\""
  }},
  "referrer": "https://shop.example/",
  "referrerPolicy": "strict-origin-when-cross-origin",
  "body": "{{\\"a\\":\\"\\u00e9\\"}}",
  "method": "POST",
  "mode": "cors",
  "credentials": "include"
}});"""


def read(text: str, format_: str | None = None) -> Imported:
    source = anything.read(text, format_)
    assert source.fault == "" and len(source.operations) == 1
    return source.read(source.operations[0])


def headers(spec: RequestSpec) -> list[str]:
    return [f"{pair.name}: {pair.value}" for pair in spec.headers]


def test_a_fetch_that_chrome_copied_is_its_request() -> None:
    found = read(CHROME)
    assert (found.spec.method, found.spec.url, found.spec.body.text) == ("POST", f"{API}?a=1", '{"a":"é"}')
    assert headers(found.spec) == ["accept: */*", 'sec-ch-ua: "Brand";v="99"', "Referer: https://shop.example/"]
    assert found.notes == ("The cookies of the browser are not in this text, so they are not sent.",)


def test_a_fetch_of_a_documentation_has_placeholders_for_what_the_script_makes() -> None:
    found = read(
        "const answer = await fetch(`https://api.example.com/u/${user.id}`, {\n  method: 'PUT', // replace\n"
        "  headers: { Authorization: 'Bearer ' + token, 'X-Tag': tag },\n"
        "  body: JSON.stringify({ a: 1.10, b: name, c: [true, null], 'd': \"x\" }),\n})\n.then((r) => r.json())"
    )
    assert (found.spec.method, found.spec.url) == ("PUT", "https://api.example.com/u/{{user.id}}")
    assert found.spec.auth["token"] == "{{token}}" and headers(found.spec) == ["X-Tag: {{tag}}"]
    assert "".join(found.spec.body.text.split()) == '{"a":1.10,"b":"{{name}}","c":[true,null],"d":"x"}'
    assert found.faults == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"fetch('{API}', options)", "The second argument of fetch(…) is made elsewhere"),
        (f"fetch('{API}', {{ headers: headers() }})", "The headers are made elsewhere"),
        (f"fetch('{API}', {{ method: 'POST', body: form.data() }})", "form.data"),
        (f"fetch('{API}', {{ headers: {{ Authorization: 'Basic ' + btoa('a:b') }} }})", "btoa"),
        (f"fetch('{API}'); fetch('{API}/2')", "only the first one is taken"),
        (f"fetch('{API}', {{ tiemout: 3 }})", "tiemout"),
    ],
)
def test_what_a_fetch_does_not_say_is_named(text: str, words: str) -> None:
    found = read(text)
    assert found.spec.url == API and words in " ".join([*found.faults, *map(str, found.ignored)])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"fetch('{API}', {{ method: ", "its end is missing"),
        (f"fetch('{API}', {{ method: function() {{}} }})", "in line 1 is not expected"),
        ("fetch(" + "[" * 5000, "cannot be read"),
        ("fetch(url())", "no address"),
    ],
)
def test_a_fetch_that_cannot_be_read_is_a_sentence(text: str, words: str) -> None:
    assert words in anything.read(text).fault


def test_an_http_request_is_its_request() -> None:
    found = read(
        "POST /v1/items?a=1 HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer <token>\r\n"
        'Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{\r\n "a":1}\r\n'
    )
    assert (found.spec.method, found.spec.url) == ("POST", f"{API}?a=1")
    assert found.spec.body.text == '{\n "a":1}' and found.spec.headers == ()
    assert [one.placeholder for one in found.questions] == ["<token>"]
    assert found.notes == ("The request does not say the scheme. https:// is taken.",)


@pytest.mark.parametrize(
    ("text", "url", "words"),
    [
        (f"GET {API}", API, ""),
        (f"### Items\nGET {API}\nX-Tag: 1\n\n###\nGET {API}/2", API, "only the first request is taken"),
        ("GET /x HTTP/1.1\nHost: a.example:80", "http://a.example:80/x", "http:// is taken"),
        (f"DELETE {API}\nno header here", API, "no header"),
    ],
)
def test_other_forms_of_an_http_request(text: str, url: str, words: str) -> None:
    found = read(text)
    assert found.spec.url == url and words in " ".join([*found.notes, *map(str, found.ignored)])


IN_A_FILE = """@host = https://api.example.com
@id = 7

# Finds one
// @no-log
POST {{host}}/v1/items/{{id}}
    ?page=2
    &size=10
Content-Type: application/json

{"a": {{b}}}

> {%
  client.global.set("t", response.body.t);
%}
"""


def test_a_file_of_requests_has_variables_above_and_scripts_below() -> None:
    found = read(IN_A_FILE)
    assert (found.spec.url, found.spec.body.text) == (f"{API}/7?page=2&size=10", '{"a": {{b}}}')
    assert [str(one) for one in found.ignored] == ["> {% (what is done with the answer belongs to the bot)"]
    assert read("### One\n# @name one\n" + f"GET {API}").spec.url == API


def test_a_body_that_is_a_file_is_named() -> None:
    found = read(f"POST {API}\nContent-Type: application/json\n\n< ./body.json\n")
    assert found.spec.body.mode == "none" and "< ./body.json (the body is a file" in str(found.ignored[0])
    parts = read(f"POST {API}\nContent-Type: multipart/form-data; boundary=B\n\n--B\n\n< ./x.png\n--B--\n")
    assert "this line is sent as it stands" in str(parts.ignored[0])


def test_variables_of_a_file_cannot_fill_the_memory() -> None:
    above = "".join(f"@v{number} = {f'{{{{v{number + 1}}}}}' * 100}\n" for number in range(30))
    assert len(read(f"{above}\nPOST {API}\n\n{{{{v0}}}}").spec.body.text) < 3_000_000


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        (f"fetch('{API}', {{method: 'POST', body: 'a=1'}})", ("raw", "text/plain;charset=UTF-8"), ""),
        (f"fetch('{API}', {{method: 'POST', body: new URLSearchParams({{a: '1'}})}})", ("query", "text/plain"), ""),
        (f"fetch('{API}', {{method: 'POST', body: JSON.stringify({{a: 1}})}})", ("json", "text/plain"), "The fetch does not say what"),
        (f"POST {API}\n\nhello", ("raw", "text/plain"), ""),
        (f"POST {API}\n\na=1&b=2", ("query", "text/plain"), ""),
        (f'POST {API}\n\n{{"a": 1}}', ("json", "text/plain"), "The request does not say what the data are"),
    ],
)  # fmt: skip
def test_data_without_a_type_are_what_they_are_there(text: str, mode: tuple[str, str], words: str) -> None:
    found = read(text)
    assert (found.spec.body.mode, found.spec.body.content_type) == mode and words in " ".join(found.notes)


def test_variables_of_the_environment_are_as_those_of_a_shell() -> None:
    found = read(
        f"fetch(`{API}/${{encodeURIComponent(id)}}`, {{headers: {{Authorization: `Bearer ${{process.env.SHOP_KEY}}`, "
        "'X-Shop': import.meta.env.SHOP}})"
    )
    assert found.spec.url == f"{API}/{{{{id}}}}" and headers(found.spec) == ["X-Shop: {{SHOP}}"]
    assert [one.secret for one in found.questions] == ["SHOP_KEY"]


def test_an_http_request_without_a_host_is_a_sentence() -> None:
    assert "There is no Host header" in anything.read("GET /x HTTP/1.1\nAccept: */*").fault


@pytest.mark.parametrize(
    ("text", "url"),
    [(API, API), ("api.example.com/v1/items", API), (f"{API}/{{id}}", f"{API}/{{{{id}}}}"), (f" {API}\n", API)],
)
def test_a_bare_address_is_a_get(text: str, url: str) -> None:
    found = read(text)
    assert (found.spec.method, found.spec.url) == ("GET", url)


def test_the_address_of_a_description_is_told_so() -> None:
    assert "looks like an API's description" in read("https://api.example.com/openapi.json").notes[0]


@pytest.mark.parametrize("text", ["", "hello", "{", "[]", "fetch", "POST it", "openapi", "null", "a: b"])
def test_what_is_none_of_these_is_one_sentence(text: str) -> None:
    source = anything.read(text)
    assert source.fault.endswith(".") and source.operations == ()


@pytest.mark.parametrize("format_", anything.FORMATS)
def test_a_format_that_it_is_not_is_a_sentence(format_: str) -> None:
    assert anything.read("plainly nothing of the kind", format_).fault.endswith(".")


@settings(max_examples=200)
@given(st.text(alphabet="fetch('{}[]:,\"`$+\\/*nabl0.-) \n", max_size=80))
def test_no_script_makes_it_fail(text: str) -> None:
    anything.read("fetch('https://a.example', {" + text)
    anything.read("GET https://a.example\n" + text)


@pytest.mark.parametrize("unit", ["/*", "//", "+", "'", "a.", "{a:", "[", "`${", "0,", "\\", " "])
def test_a_long_script_is_read_in_linear_time(unit: str) -> None:
    start = process_time()
    anything.read("fetch('https://a.example', {body: " + unit * (200_000 // len(unit)))
    assert process_time() - start < 5


@pytest.mark.parametrize("unit", ["X-A: b\n", "@a=b\n", "# c\n", "\n< x", "{{a}} ", "> {% "])
@pytest.mark.parametrize("start", ["", f"POST {API}\n", f"POST {API}\n\n"])
def test_a_long_file_of_requests_is_read_in_linear_time(start: str, unit: str) -> None:
    began = process_time()
    source = anything.read(start + unit * (1_900_000 // len(unit)))
    [source.read(one) for one in source.operations]
    assert process_time() - began < 25


def test_a_form_with_more_rows_than_a_step_may_have_is_kept_as_it_is() -> None:
    body = "&".join(f"a{number}={number}" for number in range(MAX_FIELDS + 1))
    assert read(f"POST {API}\nContent-Type: application/x-www-form-urlencoded\n\n{body}").spec.body.text == body
