"""curl commands as API documentations print them, and requests written as commands that a shell runs."""

from __future__ import annotations

import subprocess
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from httpstep.core.authentication import Auth
from httpstep.core.exchange import RenderedRequest
from httpstep.core.importing.credentials import with_secrets
from httpstep.core.importing.curl import from_curl
from httpstep.core.importing.curlwriting import to_curl
from httpstep.core.request.requestcheck import check_request
from httpstep.core.step import members
from httpstep.core.step.spec import Body, Pair, RequestSpec


def request(method: str, url: str, *headers: str, auth: Auth | None = None, body: Body | None = None) -> RequestSpec:
    rows = tuple(Pair(name, value) for name, _, value in (header.partition(": ") for header in headers))
    return RequestSpec(method, url, rows, auth or Auth(), body or Body())


def fields(*rows: str, send_in: str = "auto") -> Body:
    pairs = tuple(Pair(name, value) for name, _, value in (row.partition("=") for row in rows))
    return Body("query", pairs, "body" if send_in == "body" else "url" if send_in == "url" else "auto")


def json_text(text: str) -> Body:
    return Body("json", text=text)


def raw(text: str, content_type: str) -> Body:
    return Body("raw", text=text, content_type=content_type)


def basic(username: str, password: str = "") -> Auth:
    return Auth("basic", {"username": username, "password": password})


def bearer(token: str) -> Auth:
    return Auth("bearer", {"token": token})


COMMANDS: list[tuple[str, RequestSpec]] = [
    # --- plain
    ("curl https://api.example/v1/ping", request("GET", "https://api.example/v1/ping")),
    ("$ curl https://api.example/v1/ping\n", request("GET", "https://api.example/v1/ping")),
    ("curl 'https://api.example/v1?a=1&b=2'", request("GET", "https://api.example/v1?a=1&b=2")),
    ("curl -s https://api.example/v1 | jq .data", request("GET", "https://api.example/v1")),
    ("curl api.example/v1 > out.json", request("GET", "http://api.example/v1")),
    ("curl --url https://api.example/v1 -i", request("GET", "https://api.example/v1")),
    ("sudo /usr/bin/curl -fsSL https://api.example/v1 && echo done", request("GET", "https://api.example/v1")),
    ("TOKEN=abc curl https://api.example/v1", request("GET", "https://api.example/v1")),
    ("Run curl like this:\n  curl https://api.example/v1\n", request("GET", "https://api.example/v1")),
    ("curl -I https://api.example/v1", request("HEAD", "https://api.example/v1")),
    ("curl --head https://api.example/v1", request("HEAD", "https://api.example/v1")),
    ("curl -X DELETE https://api.example/v1/items/5", request("DELETE", "https://api.example/v1/items/5")),
    ("curl -XDELETE https://api.example/v1/items/5", request("DELETE", "https://api.example/v1/items/5")),
    ("curl --request delete https://api.example/v1", request("DELETE", "https://api.example/v1")),
    ("curl --request=PUT --url=https://api.example/v1", request("PUT", "https://api.example/v1")),
    ("curl https://api.example/v1 -X OPTIONS", request("OPTIONS", "https://api.example/v1")),
    ("curl -X POST https://api.example/v1/run", request("POST", "https://api.example/v1/run")),
    ("curl https://api.example/items/{item_id}/x", request("GET", "https://api.example/items/{{item_id}}/x")),
    ("curl -g 'https://api.example/{a}?f[x]=1'", request("GET", "https://api.example/{a}?f[x]=1")),
    ("curl 'https://u%40x:p@api.example/v1'", request("GET", "https://api.example/v1", auth=basic("u@x", "p"))),
    # --- payments: Basic with a key and no password, form data
    (
        "curl https://payments.example/v1/charges \\\n  -u sk_test_abc123: \\\n  -d amount=2000 \\\n  -d currency=usd \\\n"
        '  -d "description=My first charge" \\\n  -d "metadata[order]"=6735',
        request(
            "POST", "https://payments.example/v1/charges", auth=basic("sk_test_abc123"),
            body=fields("amount=2000", "currency=usd", "description=My first charge", "metadata[order]=6735"),
        ),
    ),
    (
        'curl -G https://payments.example/v1/customers -u "sk_test_abc123:" -d limit=3 -d email=a%40b.example',
        request(
            "GET", "https://payments.example/v1/customers", auth=basic("sk_test_abc123"),
            body=fields("limit=3", "email=a@b.example"),
        ),
    ),
    (
        'curl https://payments.example/v1/refunds -u "$PAYMENT_KEY:" -d charge=ch_1',
        request(
            "POST", "https://payments.example/v1/refunds", auth=basic("{{secret.PAYMENT_KEY}}"),
            body=fields("charge=ch_1"),
        ),
    ),
    (
        "curl -X POST https://payments.example/v1/x -u key: -d 'expand[]'=a -d 'expand[]'=b",
        request("POST", "https://payments.example/v1/x", auth=basic("key"), body=fields("expand[]=a", "expand[]=b")),
    ),
    # --- code hosting: Accept with a version, Bearer in double quotes
    (
        'curl -L \\\n  -H "Accept: application/vnd.code+json" \\\n  -H "Authorization: Bearer <YOUR-TOKEN>" \\\n'
        '  -H "X-Api-Version: 2022-11-28" \\\n  https://code.example/repos/OWNER/REPO/issues',
        request(
            "GET", "https://code.example/repos/OWNER/REPO/issues", "Accept: application/vnd.code+json",
            "X-Api-Version: 2022-11-28", auth=bearer("<YOUR-TOKEN>"),
        ),
    ),
    (
        "curl -L -X POST -H 'Authorization: token abc' https://code.example/repos/O/R/issues "
        "-d '{\"title\":\"Found a bug\",\"labels\":[\"bug\"]}'",
        request(
            "POST", "https://code.example/repos/O/R/issues", "Authorization: token abc",
            body=json_text('{"title":"Found a bug","labels":["bug"]}'),
        ),
    ),
    (
        "curl --request PATCH --url 'https://code.example/u' --header 'PRIVATE-TOKEN: abc' --data 'bio=a+b%26c'",
        request("PATCH", "https://code.example/u", "PRIVATE-TOKEN: abc", body=fields("bio=a b&c")),
    ),
    # --- telephony: urlencoded data, user and password from variables
    (
        "curl -X POST \"https://voice.example/2010-04-01/Accounts/$ACCOUNT_SID/Messages.json\" \\\n"
        '--data-urlencode "Body=Hi & bye = 1" \\\n--data-urlencode "From=+15017122661" \\\n'
        '--data-urlencode "To=+15558675310" \\\n-u $ACCOUNT_SID:$AUTH_TOKEN',
        request(
            "POST", "https://voice.example/2010-04-01/Accounts/{{ACCOUNT_SID}}/Messages.json",
            auth=basic("{{ACCOUNT_SID}}", "{{secret.AUTH_TOKEN}}"),
            body=fields("Body=Hi & bye = 1", "From=+15017122661", "To=+15558675310"),
        ),
    ),
    (
        "curl 'https://voice.example/Messages.json' -X POST --data-urlencode 'Body=a' -u ACxxx:[AuthToken]",
        request("POST", "https://voice.example/Messages.json", auth=basic("ACxxx", "[AuthToken]"), body=fields("Body=a")),
    ),
    # --- CRM: JSON with headers in any order, joined options
    (
        "curl --request POST \\\n  --url https://crm.example/crm/v3/objects/contacts \\\n"
        "  --header 'authorization: Bearer YOUR_ACCESS_TOKEN' \\\n  --header 'content-type: application/json' \\\n"
        "  --data '{\n  \"properties\": {\n    \"email\": \"a@b.example\"\n  }\n}'",
        request(
            "POST", "https://crm.example/crm/v3/objects/contacts", auth=bearer("YOUR_ACCESS_TOKEN"),
            body=json_text('{\n  "properties": {\n    "email": "a@b.example"\n  }\n}'),
        ),
    ),
    (
        "curl -d '{\"a\":1}' -H'Content-Type: application/json' -XPUT https://crm.example/x",
        request("PUT", "https://crm.example/x", body=json_text('{"a":1}')),
    ),
    (
        "curl https://crm.example/x?hapikey=demo --header=Accept:application/json",
        request("GET", "https://crm.example/x?hapikey=demo", "Accept: application/json"),
    ),
    (
        "curl 'https://crm.example/x' -H 'Content-Type: application/json; charset=UTF-8' --data-binary '[1, 2]'",
        request(
            "POST", "https://crm.example/x", "Content-Type: application/json; charset=UTF-8", body=json_text("[1, 2]")
        ),
    ),
    # --- shop: a header of its own, a GraphQL body
    (
        'curl -X GET "https://your-store.shop.example/admin/api/orders.json?status=any" '
        '-H "X-Shop-Access-Token: {access_token}"',
        request(
            "GET", "https://your-store.shop.example/admin/api/orders.json?status=any",
            "X-Shop-Access-Token: {access_token}",
        ),
    ),
    (
        "curl -X POST https://your-store.shop.example/graphql.json -H 'Content-Type: application/graphql' "
        "-H 'X-Shop-Access-Token: t' -d '{ shop { name } }'",
        request(
            "POST", "https://your-store.shop.example/graphql.json", "X-Shop-Access-Token: t",
            body=raw("{ shop { name } }", "application/graphql"),
        ),
    ),
    (
        "curl -X POST https://shop.example/graphql.json -H 'Content-Type: application/json' "
        "-d '{\"query\": \"{ shop { name } }\"}'",
        request("POST", "https://shop.example/graphql.json", body=json_text('{"query": "{ shop { name } }"}')),
    ),
    (
        "curl -d '{\"product\":{\"title\":\"It'\"'\"'s\"}}' -H 'Content-Type: application/json' https://shop.example/p",
        request("POST", "https://shop.example/p", body=json_text('{"product":{"title":"It\'s"}}')),
    ),
    # --- office suites and sales clouds
    (
        'curl "https://office.example/crm/v2/Leads" -X POST -d @newlead.json -H "Authorization: Office-oauthtoken 1000.x"',
        request("POST", "https://office.example/crm/v2/Leads", "Authorization: Office-oauthtoken 1000.x"),
    ),
    (
        'curl "https://office.example/crm/v2/Leads/search?email=p.boyle@x.example"  -X GET  '
        '-H "Authorization: Office-oauthtoken 1000.x"',
        request(
            "GET", "https://office.example/crm/v2/Leads/search?email=p.boyle@x.example",
            "Authorization: Office-oauthtoken 1000.x",
        ),
    ),
    (
        "curl https://MyDomain.cloud.example/services/oauth2/token -d 'grant_type=client_credentials' "
        "-d 'client_id=******' -d 'client_secret=******'",
        request(
            "POST", "https://MyDomain.cloud.example/services/oauth2/token",
            body=fields("grant_type=client_credentials", "client_id=******", "client_secret=******"),
        ),
    ),
    (
        'curl https://MyDomain.cloud.example/query/?q=SELECT+name+from+Account -H "Authorization: Bearer token" '
        '-H "X-PrettyPrint:1"',
        request(
            "GET", "https://MyDomain.cloud.example/query/?q=SELECT+name+from+Account", "X-PrettyPrint: 1",
            auth=bearer("token"),
        ),
    ),
    # --- chat and messaging
    (
        "curl -X POST -H 'Content-type: application/json' --data '{\"text\":\"Hello, World!\"}' "
        "https://hooks.chat.example/services/T0/B0/XXX",
        request("POST", "https://hooks.chat.example/services/T0/B0/XXX", body=json_text('{"text":"Hello, World!"}')),
    ),
    (
        "curl -F text=hello -F channel=C123 https://chat.example/api/chat.postMessage -H 'Authorization: Bearer xoxb-1'",
        request(
            "POST", "https://chat.example/api/chat.postMessage", auth=bearer("xoxb-1"),
            body=replace(fields("text=hello", "channel=C123"), mode="multipart"),
        ),
    ),
    (
        "curl -i -X POST \\\n  https://graph.social.example/v20.0/FROM_PHONE_NUMBER_ID/messages \\\n"
        "  -H 'Authorization: Bearer ACCESS_TOKEN' \\\n  -H 'Content-Type: application/json' \\\n"
        "  -d '{ \"messaging_product\": \"whatsapp\", \"text\": { \"body\": \"Hi {{1}}, {{name}}\" } }'",
        request(
            "POST", "https://graph.social.example/v20.0/FROM_PHONE_NUMBER_ID/messages", auth=bearer("ACCESS_TOKEN"),
            body=json_text('{ "messaging_product": "whatsapp", "text": { "body": "Hi \\{{1}}, {{name}}" } }'),
        ),
    ),
    (
        "curl 'https://graph.social.example/v20.0/{{Phone-Number-ID}}' -H 'Authorization: Bearer {{User-Access-Token}}'",
        request(
            "GET", "https://graph.social.example/v20.0/{{Phone-Number-ID}}", auth=bearer("{{User-Access-Token}}")
        ),
    ),
    # --- search and maps
    (
        "curl -X POST -d '{\n \"origin\":{\n  \"address\": \"1 Main St\"}}' \\\n-H 'Content-Type: application/json' "
        "-H 'X-Maps-Api-Key: YOUR_API_KEY' \\\n-H 'X-Maps-FieldMask: routes.duration' 'https://maps.example/v2:compute'",
        request(
            "POST", "https://maps.example/v2:compute", "X-Maps-Api-Key: YOUR_API_KEY",
            "X-Maps-FieldMask: routes.duration", body=json_text('{\n "origin":{\n  "address": "1 Main St"}}'),
        ),
    ),
    (
        'curl -X POST -H "Authorization: Bearer $ACCESS_TOKEN" https://maps.example/x',
        request("POST", "https://maps.example/x", auth=bearer("{{secret.ACCESS_TOKEN}}")),
    ),
    (
        "curl -X GET 'localhost:9200/_search?pretty' -H 'Content-Type: application/json' -d'{\"size\":0}'",
        request("GET", "http://localhost:9200/_search?pretty", body=json_text('{"size":0}')),
    ),
    (
        "curl -G 'https://maps.example/geocode' --data-urlencode 'q=Köln & Bonn' -d key=abc",
        request("GET", "https://maps.example/geocode", body=fields("q=Köln & Bonn", "key=abc")),
    ),
    (
        "curl -G 'https://search.example/x?v=1' --data-urlencode 'just text'",
        request("GET", "https://search.example/x?v=1&just+text"),
    ),
    ("curl --url-query q=a\\ b https://search.example/x", request("GET", "https://search.example/x?q=a+b")),
    # --- odd data
    (
        "curl --json '{\"tool\": \"x\"}' https://api.example/v1",
        request("POST", "https://api.example/v1", "Accept: application/json", body=json_text('{"tool": "x"}')),
    ),
    (
        "curl -d 'plain words' https://api.example/v1",
        request("POST", "https://api.example/v1", body=raw("plain words", "application/x-www-form-urlencoded")),
    ),
    (
        "curl -H 'Content-Type: text/xml' -d '<a b=\"1\"/>' https://api.example/soap",
        request("POST", "https://api.example/soap", body=raw('<a b="1"/>', "text/xml")),
    ),
    (
        "curl -H 'Content-Type: application/vnd.api+json' -d '{}' https://api.example/v1",
        request("POST", "https://api.example/v1", "Content-Type: application/vnd.api+json", body=json_text("{}")),
    ),
    (
        "curl -H 'Content-Type: application/json' -d '{not json}' https://api.example/v1",
        request("POST", "https://api.example/v1", body=raw("{not json}", "application/json")),
    ),
    (
        "curl -d '' https://api.example/v1",
        request("POST", "https://api.example/v1"),
    ),
    (
        "curl -X GET -d a=1 https://api.example/v1",
        request("GET", "https://api.example/v1", body=fields("a=1", send_in="body")),
    ),
    (
        "curl -X POST -G -d a=1 https://api.example/v1",
        request("POST", "https://api.example/v1", body=fields("a=1", send_in="url")),
    ),
    (
        "curl -da=1 -d'b=2&c=3' --data-raw '@d=4' https://api.example/v1",
        request("POST", "https://api.example/v1", body=fields("a=1", "b=2", "c=3", "@d=4")),
    ),
    (
        "curl --data-raw $'{\\n  \"a\": \"it\\'s \\u00e9\"\\n}' -H 'content-type: application/json' https://api.example/v1",
        request("POST", "https://api.example/v1", body=json_text('{\n  "a": "it\'s é"\n}')),
    ),
    (
        'curl -H "Content-Type: application/json" -d "{\\"a\\": \\"b\\", \\"c\\": \\"$NAME\\"}" https://api.example/v1',
        request("POST", "https://api.example/v1", body=json_text('{"a": "b", "c": "{{NAME}}"}')),
    ),
    # --- headers and the rest
    (
        "curl -A 'My Bot/1.0' -e https://site.example -b 'a=1; b=2' https://api.example/v1",
        request(
            "GET", "https://api.example/v1", "User-Agent: My Bot/1.0", "Referer: https://site.example", "Cookie: a=1; b=2"
        ),
    ),
    (
        "curl -H 'X-Empty;' -H 'Accept:' -H 'X-Colon: a:b:c' https://api.example/v1",
        RequestSpec("GET", "https://api.example/v1", (Pair("X-Empty", ""), Pair("X-Colon", "a:b:c"))),
    ),
    (
        "curl -H 'Authorization: Basic dXNlcjpwYTpzcw==' https://api.example/v1",
        request("GET", "https://api.example/v1", auth=basic("user", "pa:ss")),
    ),
    (
        "curl -H 'Authorization: Basic <base64>' https://api.example/v1",
        request("GET", "https://api.example/v1", "Authorization: Basic <base64>"),
    ),
    (
        "curl --oauth2-bearer abc https://api.example/v1",
        request("GET", "https://api.example/v1", auth=bearer("abc")),
    ),
    ("curl -r 0-99 https://api.example/v1", request("GET", "https://api.example/v1", "Range: bytes=0-99")),
    (
        "curl -sSLk -m 30 -o out.txt -w '%{http_code}' -uuser:pass https://api.example/v1",
        request("GET", "https://api.example/v1", auth=basic("user", "pass")),
    ),
    # --- copied from a browser, from Windows, from a word processor
    (
        "curl 'https://api.example/v1' \\\n  -H 'accept: */*' \\\n  -H 'accept-encoding: gzip, br' \\\n"
        "  -H 'host: api.example' \\\n  -H 'content-length: 7' \\\n  --data-raw '{\"a\":1}' \\\n  --compressed",
        request("POST", "https://api.example/v1", "accept: */*", body=json_text('{"a":1}')),
    ),
    (
        'curl "https://api.example/v1?a=1&b=2" ^\r\n  -H "Content-Type: application/json" ^\r\n'
        '  -d "{\\"a\\": \\"x y\\", \\"b\\": \\"\\\\\\"q\\\\\\"\\"}"',
        request(
            "POST", "https://api.example/v1?a=1&b=2", body=json_text('{"a": "x y", "b": "\\"q\\""}')
        ),
    ),
    (
        'curl ^"https://api.example/v1?a=1^&b=2^" ^\n  -H ^"accept: */*^" ^\n  --data-raw ^"^{^\\^"a^\\^":^\\^"50^%^\\^"^}^"',
        request("POST", "https://api.example/v1?a=1&b=2", "accept: */*", body=json_text('{"a":"50%"}')),
    ),
    (
        "curl.exe -X POST \"https://api.example/v1\" -d \"a=1&b=c d\"",
        request("POST", "https://api.example/v1", body=fields("a=1", "b=c d")),
    ),
    (
        "curl https://api.example/v1 `\n  -H 'X-A: 1' `\n  -X PUT",
        request("PUT", "https://api.example/v1", "X-A: 1"),
    ),
    (
        "curl https://api.example/v1 \\  \n  -H 'X-A: 1'",
        request("GET", "https://api.example/v1", "X-A: 1"),
    ),
    (
        "curl –X POST https://api.example/v1 —header “X-A: 1”",
        request("POST", "https://api.example/v1", "X-A: 1"),
    ),
    (
        "curl https://api.example/v1 -H 'X-A: 1' # the first\ncurl https://other.example/",
        request("GET", "https://api.example/v1", "X-A: 1"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("command", "expected"), COMMANDS, ids=range(len(COMMANDS)))
def test_a_command_from_a_documentation_becomes_its_request(command: str, expected: RequestSpec) -> None:
    result = from_curl(command)
    assert result.spec == expected
    assert result.faults == ()


def test_the_table_is_long_enough() -> None:
    assert len(COMMANDS) >= 60


@pytest.mark.parametrize("command", [command for command, _ in COMMANDS])
def test_a_request_that_was_read_can_be_saved(command: str) -> None:
    assert check_request(from_curl(command).spec) == []


@pytest.mark.parametrize(
    ("command", "ignored"),
    [
        ("curl --compressed -k https://a.example", ["--compressed", "-k"]),
        ("curl -F file=@photo.jpg -F name=x https://a.example", ["-F"]),
        ("curl -d @body.json https://a.example", ["-d"]),
        ("curl --data-urlencode name@file https://a.example", ["--data-urlencode"]),
        ("curl -b cookies.txt -c jar.txt https://a.example", ["-b", "-c"]),
        ("curl -H @headers.txt https://a.example", ["-H"]),
        ("curl -H 'Host: b.example' https://a.example", ["-H Host"]),
        ("curl --digest -u a:b https://a.example", ["--digest"]),
        ("curl --new-option https://a.example", ["--new-option"]),
        ("curl --retry 3 -x http://proxy:1 --cert c.pem https://a.example", ["--retry", "-x", "--cert"]),
        ("curl https://a.example https://b.example", ["https://b.example"]),
        ("curl https://a.example --next https://b.example -d x=1", ["--next"]),
        ("curl -m 600 https://a.example", ["-m"]),
        ("curl -m soon https://a.example", ["-m"]),
        ("curl -T up.txt https://a.example", ["-T"]),
    ],
)
def test_what_is_not_taken_over_is_named(command: str, ignored: list[str]) -> None:
    result = from_curl(command)
    assert [item.option for item in result.ignored] == ignored
    assert result.spec.url == "https://a.example" and result.faults == ()


def test_the_reason_is_told_for_what_is_refused() -> None:
    [insecure] = from_curl("curl -k https://a.example").ignored
    assert insecure.why == "certificates are always checked"


def test_max_time_becomes_the_timeout() -> None:
    assert from_curl("curl --max-time 2.5 https://a.example").timeout == Decimal("2.5")


@pytest.mark.parametrize(
    ("command", "credentials"),
    [
        ("curl https://api.pay.example/v1 -u sk_test_1:", [("PAY_KEY", "sk_test_1", "auth.username")]),
        ("curl https://api.pay.example/v1 -u me:pw", [("PAY_PASSWORD", "pw", "auth.password")]),
        ("curl https://crm.co.uk/v1 -H 'Authorization: Bearer abc'", [("CRM_TOKEN", "abc", "auth.token")]),
        ("curl https://10.0.0.1/v1 -H 'Authorization: Bearer abc'", [("API_TOKEN", "abc", "auth.token")]),
        ("curl http://localhost:9000/v1 -H 'X-Api-Key: k1'", [("API_KEY", "k1", "headers[0].value")]),
        ("curl http://corner-shop:9000/v1 -H 'X-Api-Key: k1'", [("CORNER_SHOP_KEY", "k1", "headers[0].value")]),
        ("curl https://a.x.example -H 'X-Api-Key: k1'", [("X_KEY", "k1", "headers[0].value")]),
        ("curl https://a.x.example -H 'Authorization: Token k1'", [("X_TOKEN", "k1", "headers[0].value")]),
        ("curl 'https://a.x.example/?q=1&api_key=k1'", [("X_KEY", "k1", "url")]),
        ("curl https://x.example -d client_secret=k1 -d a=b", [("X_KEY", "k1", "body.fields[0].value")]),
        ("curl https://x.example -H 'X-Api-Key: k1' -H 'Api-Key: k2'",
         [("X_KEY", "k1", "headers[0].value"), ("X_KEY_2", "k2", "headers[1].value")]),
        ("curl https://x.example -H \"Authorization: Bearer $TOKEN\"", []),
        ("curl https://x.example", []),
    ],
)  # fmt: skip
def test_credentials_are_offered_as_secrets(command: str, credentials: list[tuple[str, str, str]]) -> None:
    result = from_curl(command)
    assert [(item.name, item.value, item.place) for item in result.credentials] == credentials
    assert all(item.value not in repr(result.credentials) for item in result.credentials)
    kept = with_secrets(result.spec, result.credentials)
    assert check_request(kept) == []
    for item in result.credentials:
        assert f"{{{{secret.{item.name}}}}}" in repr(members.write(kept))
        assert f"'{item.value}'" not in repr(members.write(kept))


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("", "no curl command"),
        ("wget https://a.example", "no curl command"),
        ("curl", "no address"),
        ("curl -X TRACE https://a.example", "TRACE"),
        ("curl -H 'no colon' https://a.example", "no colon"),
        ("curl https://a.example -d 'open", "never closed"),
        ('curl https://a.example -d "open', "never closed"),
        ("curl https://a.example -d $'open", "never closed"),
        ("curl https://a.example " + "x" * 2_000_000, "too long"),
    ],
)
def test_what_cannot_be_understood_is_a_sentence(command: str, fault: str) -> None:
    faults = from_curl(command).faults
    assert any(fault in sentence for sentence in faults)
    assert all(sentence.endswith(".") for sentence in faults)


@settings(max_examples=300)
@given(st.text(alphabet="curl -XHdFGu'\"\\\n\r^$`{}@=&;:/#a1\0é%+<|“—", max_size=80))
def test_no_text_makes_it_fail(text: str) -> None:
    for command in (text, "curl " + text, "curl https://a.example " + text):
        result = from_curl(command)
        with_secrets(result.spec, result.credentials)


@pytest.mark.parametrize(
    "unit", ["\\", "'", '"', "^", "{{", "\\{{", "$", "$'", "-d a ", "curl ", "`", "# ", "\\ \n", "&"]
)
def test_a_long_text_is_read_in_linear_time(unit: str) -> None:
    start = process_time()
    from_curl("curl https://a.example -d x" + unit * (200_000 // len(unit)))
    assert process_time() - start < 3


# ---------------------------------------------------------------- writing


def run_in_shell(command: str) -> list[str]:
    """The arguments that a POSIX shell hands to curl, and what it pipes into it as the last one."""
    script = 'curl() { printf "%s\\0" "$@"; case "$*" in *@-) cat;; esac; }\n' + command
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=60)
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")


NASTY = 'it\'s "$HOME" `id` $(id) \\n \\ !x *?[] {a,b} ~ # %s\n\t;&|<> é😀 -d @/etc/passwd'


def test_a_rendered_request_is_written_as_a_command_that_a_shell_runs() -> None:
    headers = (("X-A", NASTY.replace("\n", " ")), ("X-Empty", ""), ("Content-Type", "text/plain"))
    url = "https://api.example/a%27b?x=1&y=%24HOME"
    arguments = run_in_shell(to_curl(RenderedRequest("PUT", url, headers, ("@" + NASTY).encode())))
    expected = ["-X", "PUT", url, "-H", f"X-A: {headers[0][1]}", "-H", "X-Empty;", "-H", "Content-Type: text/plain"]
    assert arguments == [*expected, "--data-raw", "@" + NASTY, ""]


def test_a_body_that_is_no_text_is_piped() -> None:
    body = b"a\0b\xff%d\\n'\n"
    command = to_curl(RenderedRequest("POST", "https://api.example/", (("Content-Type", "x/y"),), body))
    script = f"curl() {{ cat; }}\n{command}"
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=60).stdout == body


def test_what_curl_would_add_by_itself_is_kept_away() -> None:
    assert "'Content-Type:'" in to_curl(RenderedRequest("POST", "https://a.example/", (), b"a=1"))
    assert "--head" in to_curl(RenderedRequest("HEAD", "https://a.example/", ()))
    assert "--globoff" in to_curl(RenderedRequest("GET", "https://[2001:db8::1]/", ()))
    assert to_curl(RenderedRequest("GET", "https://a.example/", ())) == "curl \\\n  https://a.example/"
