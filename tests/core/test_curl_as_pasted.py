"""Nothing of a pasted command is lost without a word: shells, word processors, browsers, and what stands around it."""

from __future__ import annotations

from time import process_time

import pytest

from httpstep.core.importing.credentials import with_secrets
from httpstep.core.importing.curl import from_curl
from httpstep.core.importing.imported import Imported
from httpstep.core.importing.questions import answered
from httpstep.core.importing.steps import said_of
from httpstep.core.step.spec import RequestSpec

API = "https://api.example.com/v1/items"


def sent(result: Imported) -> dict[str, object]:
    """What of a request a case may name."""
    spec = result.spec
    return {
        "method": spec.method, "url": spec.url, "text": spec.body.text, "mode": spec.body.mode,
        "fields": [f"{pair.name}={pair.value}" for pair in spec.body.fields],
        "headers": [f"{pair.name}: {pair.value}" for pair in spec.headers], "auth": dict(spec.auth.texts),
    }  # fmt: skip


def said(result: Imported) -> str:
    return " | ".join([*map(str, result.ignored), *result.faults, *result.notes])


JSON = '{"a":1}'
PARTS = "Content-Type: multipart/form-data; boundary=--AB"
COPIED = (
    r'----AB\r\nContent-Disposition: form-data; name="say %22it%22"\r\n\r\nHello\nyou\r\n'
    r'----AB\r\nContent-Disposition: form-data; name="b"\r\n\r\n\r\n----AB--\r\n'
)
TAKEN = {
    "the backslashes were lost": (f"curl -X POST {API}\n  -H 'X-A: 1'\n\n  -d '{JSON}'", {"text": JSON, "headers": ["X-A: 1"]}),
    "a backslash was lost before the address": (f"curl -X POST\n{API}\n-d\n'a=1'", {"url": API, "fields": ["a=1"]}),
    "all on one line, with the backslashes": (
        f"curl -X POST {API} \\ -H 'X-A: 1' \\ -d 'a=1'",
        {"headers": ["X-A: 1"], "fields": ["a=1"]},
    ),
    "the prompts of a terminal": (f"$ curl {API} \\\n> -H 'X-A: 1'\n> -d a=1", {"headers": ["X-A: 1"], "fields": ["a=1"]}),
    "doubled quotes of PowerShell": (f"curl.exe {API} -d '{{\"\"a\"\":1}}'", {"text": JSON}),
    "other hyphens": (f"curl ‐‐request PUT ‑H 'X-A: 1' {API}", {"method": "PUT", "headers": ["X-A: 1"]}),
    "an address without quotes": (f"curl {API}?a=1&b=2 -d '{JSON}'", {"url": f"{API}?a=1&b=2", "text": JSON}),
    "a list in an address without quotes": (f"curl {API}?f=a|b -H 'X: 1'", {"url": f"{API}?f=a|b", "headers": ["X: 1"]}),
    "a parameter of a path": (f"curl {API}/a;v=1/b -H 'X: 1'", {"url": f"{API}/a;v=1/b", "headers": ["X: 1"]}),
    "a hole in the address": (
        f"curl {API}/<ITEM ID>/x -H 'Authorization: Bearer <TOKEN>'",
        {"url": f"{API}/{{{{ITEM_ID}}}}/x", "auth": {"token": "<TOKEN>"}},
    ),
    "holes of other documentations": (f"curl {API}/:id/{{part}} -H 'X-Shop: {{shop}}'",
        {"url": f"{API}/{{{{id}}}}/{{{{part}}}}", "headers": ["X-Shop: {{shop}}"]}),
    "a here-document": (f"curl {API} -d @- <<EOF\n{{\"a\":\n 1}}\nEOF", {"text": '{"a": 1}', "method": "POST"}),
    "a here-document with its lines": (f"curl {API} --json @- <<'EOF' -H 'X: 1'\n{JSON}\nEOF",
        {"text": f"{JSON}\n", "headers": ["X: 1", "Accept: application/json"]}),
    "a here-document that cat prints": (f"curl {API} -d \"$(cat <<'EOF'\n{JSON}\nEOF\n)\" -X PUT", {"text": JSON, "method": "PUT"}),
    "a here-document that cat pipes": (f"cat <<'EOF' | curl --json @- \\\n  -X PUT {API}\n{JSON}\nEOF", {"text": JSON + "\n", "method": "PUT"}),
    "a here-document that cat pipes, with a variable": (f"ID=7\ncat << EOF | curl -d @- {API}\n{{\"a\": $ID}}\nEOF", {"text": '{"a": 7}'}),
    "what echo pipes in double quotes": (f'$ echo "{{\\"id\\": \\"$ID\\"}}" | curl -d @- {API}', {"text": '{"id": "{{ID}}"}', "url": API}),
    "what printf pipes": (f"printf '%s' '{JSON}' | curl --data-binary @- {API}", {"text": JSON}),
    "what printf pipes with its line": (f"printf '{JSON}\\n' | curl --data-binary @- {API}", {"text": JSON + "\n"}),
    "what echo pipes": (f"echo '{JSON}' | curl -d @- {API}", {"text": JSON, "url": API}),
    "a variable that is set before": (f"export KEY='k 1'\ncurl {API} -H \"X-Tag: $KEY\"", {"headers": ["X-Tag: k 1"]}),
    "where the output goes": (f"curl {API} > out.json 2>&1 -H 'X: 1'", {"url": API, "headers": ["X: 1"]}),
    "en dashes for two": (f"curl –request POST –url {API} –header \"X-A: 1\" –data \"a=1\"",
        {"method": "POST", "url": API, "headers": ["X-A: 1"], "fields": ["a=1"]}),
    "en dashes for one": (f"curl –XPOST −H 'X-A: 1' {API}", {"method": "POST", "headers": ["X-A: 1"]}),
    "curly quotes beside straight ones": (f"curl -H “X-A: it's 1” {API} -d '{{“a”: “b”}}'", {"headers": ["X-A: it's 1"], "text": '{"a": "b"}'}),
    "no-break spaces": (f"curl\xa0-H\xa0'X-A:\xa01'\xa0{API} -d '{{\xa0\"a\":\xa01}}'", {"url": API, "headers": ["X-A: 1"], "text": '{ "a": 1}'}),
    "zero-width characters": (f"curl {API}\u200b -H 'X-A:\u200b 1'", {"url": API, "headers": ["X-A: 1"]}),
    "an emoji with its joiner": (f"curl {API} -d 'a=👩\u200d💻'", {"fields": ["a=👩\u200d💻"]}),
    "Chrome on Windows": (
        f'curl ^"{API}^" ^\n  -H ^"content-type: application/json^" ^\n'
        '  --data-raw ^"^{^\n\n  ^\\^"a^\\^": 1^\n\n^}^" ^\n  -H ^"x-last: 1^"',
        {"text": '{\n  "a": 1\n}', "headers": ["x-last: 1"]},
    ),
    "Chrome on Windows, until 2023": (
        f'curl "{API}" ^\n  -H "sec-ch-ua: ^\\^"Brand^\\^";v=^\\^"99^\\^"" ^\n  --data-raw "^{{^\\^"a^\\^":1^}}"',
        {"headers": ['sec-ch-ua: "Brand";v="99"'], "text": JSON},
    ),
    "the command prompt": (f'curl -X POST "{API}?a=1&b=2" -d "{{""a"":""b""}}"', {"url": f"{API}?a=1&b=2", "text": '{"a":"b"}'}),
    "carets with the quotes of a shell": (f"curl -X POST '{API}' ^\n-H 'X-Tag: 1' ^\n-d '{JSON}'", {"text": JSON, "headers": ["X-Tag: 1"]}),
    "curl.exe with single quotes": (f"curl.exe -X POST {API} -H 'X: 1' -d '{JSON}'", {"text": JSON, "headers": ["X: 1"]}),
    "curl.exe with backslashes": (f'curl.exe -X POST "{API}" \\\n -H "X-Tag: 1" \\\n -d "a=1"', {"headers": ["X-Tag: 1"], "fields": ["a=1"]}),
    "PowerShell": (f"curl.exe `\n  -H \"X-A: `\"q`\"\" `\n  -d '{{\\\"a\\\":1}}' `\n  '{API}'", {"headers": ['X-A: "q"'], "text": JSON, "url": API}),
    "a variable of PowerShell": (f'curl.exe `\n -H "X-Tag: $env:CHANNEL" {API}', {"headers": ["X-Tag: {{CHANNEL}}"]}),
    "Firefox": (f"curl '{API}' --compressed -X POST -H 'Accept: */*' --data-raw $'{{\"a\":\"it\\'s\"}}'", {"text": '{"a":"it\'s"}'}),
    "two cookies": (f"curl {API} -b 'a=1' -b 'b=2'", {"headers": ["Cookie: a=1;b=2"]}),
    "a charset of JSON": (f"curl {API} -H 'Content-Type: application/json; charset=utf-8' -d '{JSON}'",
        {"headers": ["Content-Type: application/json; charset=utf-8"], "text": JSON}),
    "a charset of a form": (f"curl {API} -H 'Content-Type: application/x-www-form-urlencoded; charset=ISO-8859-1' -d a=b",
        {"headers": ["Content-Type: application/x-www-form-urlencoded; charset=ISO-8859-1"], "fields": ["a=b"]}),
    "an open range": (f"curl {API} --range 600", {"headers": ["Range: bytes=600-"]}),
    "an option and a header of one name": (f"curl {API} -A one -A two -H 'User-Agent: three'", {"headers": ["User-Agent: three"]}),
    "Latin-1 in a form": (f"curl {API} -d 'q=r%E4kki&c=66'", {"mode": "raw", "text": "q=r%E4kki&c=66"}),
    "Latin-1 in a query": (f"curl -G {API} -d 'q=r%E4kki'", {"url": f"{API}?q=r%E4kki"}),
    "a body from a file": (f"curl {API} --data-binary @payload.bin", {"method": "POST", "mode": "none"}),
    "an upload": (f"curl -T up.bin {API}", {"method": "PUT"}),
    "a form": (f"curl {API} -F a=1 -F 'b=\"2;3\"' --form-string c=@4", {"mode": "multipart", "method": "POST", "fields": ["a=1", "b=2;3", "c=@4"], "headers": []}),
    "a form with a method of its own": (f"curl -X GET {API} -F a={{{{x}}}}", {"mode": "multipart", "method": "GET", "fields": ["a={{x}}"]}),
    "a form that a browser copied": (f"curl {API} -H '{PARTS}' --data-raw $'{COPIED}'",
        {"mode": "multipart", "fields": ['say "it"=Hello\nyou', "b="], "headers": [], "text": ""}),
    "a form with line feeds alone": (f"curl {API} -H '{PARTS}' --data-binary '{COPIED.replace(chr(92) + 'r', '').replace(chr(92) + 'n', chr(10))}'",
        {"mode": "multipart", "fields": ['say "it"=Hello\nyou', "b="]}),
    "a part with a type of its own, as it stands": (f"curl {API} -H '{PARTS}' --data-raw $'{COPIED.replace('; name=', '; filename=x.txt; name=')}'", {"mode": "raw"}),
    "a CRLF in a value, as it stands": (f"curl {API} -H '{PARTS}' --data-raw $'{COPIED.replace('Hello', chr(92) + 'r' + chr(92) + 'n')}'", {"mode": "raw"}),
    "a form with another boundary, as it stands": (f"curl {API} -H '{PARTS}x' --data-raw $'{COPIED}'", {"mode": "raw"}),
    "GraphQL": (f"curl {API} -H 'Content-Type: application/json' -d '{{\"query\":\"{{ a }}\",\"variables\":{{\"n\": {{{{n}}}}}}}}'",
        {"mode": "graphql", "text": "{ a }", "headers": []}),
    "a search that is no GraphQL": (f"curl {API} -d '{{\"query\":\"query this\"}}'", {"mode": "json"}),
    "GraphQL with more in it, byte for byte": (f"curl {API} -d '{{\"query\": \"{{ a }}\", \"x\": 1}}'", {"mode": "json"}),
    "in brackets": (f"(curl {API} -H 'X: (1)')", {"headers": ["X: (1)"], "url": API}),
    "kept in a variable": (f"TOKEN=$(curl -s {API} -d 'a=1') && echo", {"fields": ["a=1"]}),
    "between the marks of a text": (f"Call `curl {API}?x=1` first.", {"url": f"{API}?x=1"}),
    "between the tags of a page": (f"<code>curl {API}?x=1</code>", {"url": f"{API}?x=1"}),
    "a here-document with a variable": (f"NAME=Ada\ncurl {API} --json @- <<EOF\n{{\"a\": \"$NAME\", \"b\": \"$ID\"}}\nEOF",
        {"text": '{"a": "Ada", "b": "{{ID}}"}\n'}),
    "a here-document as it stands": (f"curl {API} --json @- <<\\EOF\n{{\"a\": \"$NAME\"}}\nEOF", {"text": '{"a": "$NAME"}\n'}),
    "a here-document with tabs": (f"curl {API} --data-binary @- <<-EOF\n\tone\n\ttwo\n\tEOF", {"text": "one\ntwo\n"}),
    "a variable with a value in case there is none": (f"curl {API}/${{ID:-5}}/x", {"url": f"{API}/5/x"}),
    "a hole in square brackets": (f"curl '{API}/[ITEM_ID]?page[size]=1'", {"url": f"{API}/{{{{ITEM_ID}}}}?page[size]=1"}),
    "curly quotes inside curly quotes": (f"curl {API} –d “{{“a”: “b”}}”", {"text": '{"a": "b"}'}),
    "a percent sign that begins no escape": (f"curl {API} -d 'a=100%&b=1'", {"mode": "raw", "text": "a=100%&b=1"}),
    "a user without a name": (f"curl {API} -H 'Authorization: Basic Og=='", {"headers": ["Authorization: Basic Og=="]}),
    "a variable of the command prompt": (f'set ID=7\ncurl -X POST "{API}/%ID%" -d "{{\\"a\\":\\"%NAME%\\"}}"',
        {"url": f"{API}/7", "text": '{"a":"{{NAME}}"}'}),
    "the command prompt's own prompts": (f'C:\\>curl {API} ^\nMore? -H "X: 1" ^\nMore? -d "a=1"', {"headers": ["X: 1"], "fields": ["a=1"]}),
    "a variable of PowerShell on one line": (f"$body = '{JSON}'\ncurl.exe -X POST {API} -d $body", {"text": JSON}),
    "an escape of PowerShell on one line": (f'curl.exe {API} -H "X: `"q`""', {"headers": ['X: "q"']}),
    "PowerShell's own prompts": (f'PS C:\\> curl.exe {API} `\n>>  -H "X: 1" `\n>>  -d "a=1"', {"headers": ["X: 1"], "fields": ["a=1"]}),
    "PowerShell's stop-parsing": (f'curl.exe --% -X POST {API} -d "{{\\"a\\":1}}"', {"text": JSON, "method": "POST"}),
    "a file of a form": (f"curl {API} -F file=@report.pdf", {"method": "POST"}),
    "a header and a user": (f"curl -u me:pw -H 'Authorization: Bearer abcd1234' {API}", {"auth": {"token": "abcd1234"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_what_was_plainly_meant_is_taken(name: str) -> None:
    command, expected = TAKEN[name]
    result = from_curl(command)
    assert {key: sent(result)[key] for key in expected} == expected
    assert result.faults == ()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (f"curl {API} -d u=1\ncurl {API}/2 -H 'X-Tag: 1'", "only the first command is taken"),
        (f"curl {API} && curl {API}/2", "only the first command is taken"),
        (f"curl {API} | jq .data", "| jq .data"),
        (f"curl {API} > out.json", "> out.json"),
        (f"curl {API} 2>&1 -H 'X: 1'", "2>&1"),
        (f"curl {API} & echo done", "& echo done"),
        (f"curl {API}; echo done", "; echo done"),
        (f'curl {API}\n\nHTTP/1.1 200 OK\n{{"id": 3}}', "HTTP/1.1 200 OK"),
        (f'curl "{API}" -d "a=1" | more', "| more"),
        (f'curl ^"{API}^" & echo done', "& echo done"),
        (f"curl {API} < input.txt -H 'X: 1'", "< input.txt"),
        (f'curl -H "X-Time: $(date +%s)" {API}', "“$(date +%s)” is filled in by a shell"),
        (f'curl -H "X-Time: `date +%s`" {API}', "“`date +%s`” is filled in by a shell"),
        (f"curl {API} -d @- <<EOF\n" + '{"a": 1}', "never closed"),
        (f"cat x.json | curl -d @- {API}", "what is piped into the command is not read"),
        (f"curl {API} -d @body.json", "“body.json”"),
        (f"curl -T up.bin {API}", "“up.bin”"),
        (f"curl {API} -F file=@report.pdf", "the part “file”"),
        (f"curl {API} -F 'meta={{}};type=application/json'", "the part “meta”"),
        (
            f"curl {API} -F a=1 -H 'Content-Type: application/json'",
            "as multipart/form-data, not as the application/json",
        ),
        (f"curl {API} -F a=1 -d b=2", "the parts of a form (-F)"),
        (f"curl -u me:pw -H 'Authorization: Bearer abcd1234' {API}", "The credentials given beside it"),
        (f"curl {API} -H 'Content-Type:' -d a=b", "takes Content-Type away. It is sent all the same"),
        (f"curl {API} -H 'X-Tag: 1' -H 'X-Tag: 2'", "X-Tag stands here more than once"),
        (f"curl {API} -H 'Content-Type: a/b' -H 'Content-Type: c/d' -d x", "Content-Type stands here more than once"),
        (f"curl {API}\u200b", "Invisible characters"),
        (f"curl {API} -d '{{“a”: 1}}'", "Curly quotes"),
        (f"curl {API} -d '{{\xa0\"a\": 1}}'", "No-break spaces"),
        (f"curl {API} --crlf", "--crlf"),
        (f"curl {API} -d '{{\"a\":1}}' -d '{{\"b\":2}}'", "They are JSON, and are sent as application/json"),
        (f"See `curl {API}` for more", "for more"),
    ],
)
def test_what_was_not_taken_is_said(command: str, words: str) -> None:
    result = from_curl(command)
    assert words in said(result)
    assert result.spec.url == API


@pytest.mark.parametrize("text", ["how do I use the curl command", "Use curl for this.", "curling is a sport"])
def test_a_sentence_about_curl_is_no_command(text: str) -> None:
    [fault] = from_curl(text).faults
    assert "no curl command" in fault


PLACEHOLDERS = (
    "<token>", "<YOUR TOKEN>", "YOUR_API_KEY", "your-api-key", "{access_token}", "$TOKEN", "xxxx", "XXXXXXXX", "sk_live_xxx",
    "sk-...", "sk-…", "[AuthToken]", "API_KEY", "ACCESS_TOKEN", "api_key", "token", "********", "{{TOKEN}}", "INSERT_KEY_HERE",
    "YOUR_SECRET_TOKEN", "xoxb-your-token", "my-api-key", "GITHUB_TOKEN", "<<token>>",
)  # fmt: skip


@pytest.mark.parametrize("placeholder", PLACEHOLDERS)
@pytest.mark.parametrize(
    "form", ['-H "Authorization: Bearer {}"', '-H "X-Api-Key: {}"', '-u "me:{}"', '-d "api_key={}"']
)
def test_a_placeholder_is_no_credential(placeholder: str, form: str) -> None:
    result = from_curl(f"curl {API} " + form.replace("{}", placeholder))
    assert result.credentials == ()
    assert len(result.questions) == (0 if placeholder == "{{TOKEN}}" else 1)


def kept(command: str) -> tuple[RequestSpec, list[str]]:
    found = from_curl(command)
    return with_secrets(found.spec, found.credentials), [one.value for one in found.credentials]


def test_members_of_json_are_credentials_and_placeholders_too() -> None:
    command = (
        f"""curl {API} -d '{{"token": "YOUR_API_KEY", "a": [{{"password": "it\\\\s \\"x\\"", "key": "color"}}]}}'"""
    )
    spec, values = kept(command)
    assert values == ['it\\s "x"'] and '"password": "{{secret.EXAMPLE_PASSWORD}}", "key": "color"' in spec.body.text
    [question] = from_curl(command).questions
    assert (question.placeholder, question.secret) == ("YOUR_API_KEY", "EXAMPLE_TOKEN")
    assert '"token": "a\\"b"' in answered(spec, "YOUR_API_KEY", 'a"b').body.text


def test_variables_of_graphql_and_parts_of_a_form_are_looked_through() -> None:
    spec, values = kept(f"""curl {API} --json '{{"query":"{{ a }}","variables":{{"apiKey":"k-1234"}}}}'""")
    assert values == ["k-1234"] and spec.body.variables == '{"apiKey":"{{secret.EXAMPLE_KEY}}"}'
    spec, values = kept(f"curl {API} -F token=xoxb-1234 -F text=hi")
    assert values == ["xoxb-1234"] and spec.body.fields[0].value == "{{secret.EXAMPLE_KEY}}"


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0/getMe", "https://api.telegram.org/bot{{secret.TELEGRAM_TOKEN}}/getMe"),
        ("https://hooks.slack.com/services/T0AB/B0CD/XyZ24charactersofrandom", "https://hooks.slack.com/services/T0AB/B0CD/{{secret.SLACK_TOKEN}}"),
        ("https://shop.example/bottles/110201543/services/T0AB/B0CD/XyZ24charactersofrandom", "https://shop.example/bottles/110201543/services/T0AB/B0CD/XyZ24charactersofrandom"),
    ],
)  # fmt: skip
def test_a_token_in_a_path_is_a_credential(url: str, stored: str) -> None:
    assert kept(f"curl {url}")[0].url == stored


@pytest.mark.parametrize(
    "credential",
    ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
     "k1", "abc123", "s3cr3t!", "changeit9", "addison1998", "0123456789abcdef0123456789abcdef", "xoxb-1234-5678-AbCdEf"],
)  # fmt: skip
def test_a_credential_is_one(credential: str) -> None:
    result = from_curl(f"curl {API} -H 'Authorization: Bearer {credential}'")
    assert [one.value for one in result.credentials] == [credential] and result.questions == ()


def test_a_question_says_where_the_placeholder_stands_and_gives_a_name() -> None:
    [question] = from_curl("curl https://api.stripe.com/v1 -H 'Authorization: Bearer YOUR_KEY'").questions
    assert question.sentence.startswith("The command has a placeholder where your token goes: paste it here")
    assert (question.placeholder, question.secret) == ("YOUR_KEY", "STRIPE_TOKEN")


@pytest.mark.parametrize(
    "form",
    [
        "-H 'X-Api-Key: {}'",
        "-d 'api_key={}'",
        "-H 'Authorization: Bearer {}'",
        "-b 's={}'",
        "--unknown-{} x",
        "-F 'key={}'",
    ],
)
def test_many_credentials_are_read_in_linear_time(form: str) -> None:
    command = f"curl {API} " + " ".join(form.replace("{}", f"value{number}") for number in range(8_000))
    start = process_time()
    result = from_curl(command)
    with_secrets(result.spec, result.credentials)
    assert process_time() - start < 5
    assert len(" ".join(said_of(result))) < 20_000, "what is said of it is for a person"


def test_many_credentials_in_an_address_are_read_in_linear_time() -> None:
    url = f"{API}?" + "&".join(f"api_key=v{number}" for number in range(12_000))
    start = process_time()
    result = from_curl(f"curl '{url}'")
    assert len(result.credentials) == 12_000
    kept = with_secrets(result.spec, result.credentials)
    assert process_time() - start < 5
    assert kept.url.endswith("api_key={{secret.EXAMPLE_KEY_12000}}")


@pytest.mark.parametrize(
    "unit",
    [
        "$(",
        "“",
        "\n-d a",
        "\n\n",
        "a&",
        "?a|b&",
        "<a ",
        "$(a) ",
        "$(cat <<E\n" + " " * 9900 + ")",
        "\nA='b",
        "-b a=1 ",
        "^\n\n",
        '^"',
        '""',
        "%A% ",
        "-d '{" + '"a\\' * 60_000 + "'",
        "-d '{" + '"token": "' * 20_000 + "'",
    ],
)
@pytest.mark.parametrize("start", [f"curl {API}?", "curl.exe ", f"curl {API} -d @- <<E\n", 'curl ^"'])
def test_hostile_repetitions_are_read_in_linear_time(start: str, unit: str) -> None:
    began = process_time()
    from_curl(start + unit * (200_000 // len(unit)))
    assert process_time() - began < 5
