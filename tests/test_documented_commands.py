"""Commands as documentations print them: what a shell with the real curl sends, beside what the step sends that was read
from the same text. Bytes are compared, but for forms, whose fields are: curl sends a blank as it was typed, a step as +. Of parts the boundary may be another."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from httpstep.core.addresses import AddressPolicy
from httpstep.core.importing.curl import from_curl
from httpstep.core.importing.request import JSON_UNTOLD
from httpstep.core.request.rendering import render
from httpstep.core.step.spec import StepSpec
from httpstep.transport import Transport
from tests.conftest import ABSENT

DOCUMENTED = {
    "github": 'curl -L \\\n  -X POST \\\n  -H "Accept: application/vnd.github+json" \\\n  -H "Authorization: Bearer ghp_abc123" \\\n  -H "X-GitHub-Api-Version: 2022-11-28" \\\n  https://api.github.com/repos/OWNER/REPO/issues \\\n  -d \'{"title":"Found a bug","body":"I\'"\'"\'m having a problem","labels":["bug"]}\'',
    "github-search": 'curl -H "Accept: application/vnd.github+json" "https://api.github.com/search/issues?q=repo:o/r+is:open&sort=created"',
    "stripe": 'curl https://api.stripe.com/v1/payment_intents \\\n  -u "sk_test_4eC39HqLyjWDarjtT1zdp7dc:" \\\n  -d amount=2000 \\\n  -d currency=usd \\\n  -d "automatic_payment_methods[enabled]"=true',
    "stripe-get": "curl -G https://api.stripe.com/v1/customers -u sk_test_1: -d limit=3 -d email=a%40b.example",
    "stripe-delete": "curl -X DELETE https://api.stripe.com/v1/customers/cus_1 -u sk_test_1:",
    "twilio": 'curl -X POST "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json" \\\n--data-urlencode "From=+15557122661" \\\n--data-urlencode "Body=Hi & bye = 1" \\\n--data-urlencode "To=+15558675310" \\\n-u AC1:auth_1',
    "slack": "curl -X POST -H 'Content-type: application/json' --data '{\"text\":\"Hello, World!\"}' https://hooks.slack.com/services/T0/B0/x9",
    "slack-form": 'curl -d "text=Hi I am a bot that can post messages to any channel." -d "channel=C123456" -H "Authorization: Bearer xoxb-1" -X POST https://slack.com/api/chat.postMessage',
    "openai": 'curl https://api.openai.com/v1/chat/completions \\\n  -H "Content-Type: application/json" \\\n  -H "Authorization: Bearer sk-1" \\\n  -d \'{\n    "model": "gpt-4o",\n    "messages": [\n      {"role": "user", "content": "Hello!"}\n    ]\n  }\'',
    "shopify": "curl -d '{\"product\":{\"title\":\"Burton Custom\",\"tags\":[\"a\",\"b\"]}}' \\\n-X POST \"https://shop.myshopify.com/admin/api/2024-01/products.json\" \\\n-H \"X-Shopify-Access-Token: t1\" \\\n-H \"Content-Type: application/json\"",
    "shopify-graphql": "curl -X POST https://shop.myshopify.com/admin/api/graphql.json -H 'Content-Type: application/json' -H 'X-Shopify-Access-Token: t1' -d '{\n\"query\": \"query { products(first: 5) { edges { node { id } } } }\"\n}'",
    "sendgrid": "curl --request POST \\\n--url https://api.sendgrid.com/v3/mail/send \\\n--header 'Authorization: Bearer SG.1' \\\n--header 'Content-Type: application/json' \\\n--data '{\"personalizations\":[{\"to\":[{\"email\":\"j@example.com\"}]}],\"subject\":\"Hi\",\"content\":[{\"type\":\"text/plain\",\"value\":\"Heya!\"}]}'",
    "notion": "curl 'https://api.notion.com/v1/databases/897e5a76/query' \\\n  -H 'Authorization: Bearer '\"secret_1\"'' \\\n  -H 'Notion-Version: 2022-06-28' \\\n  -H \"Content-Type: application/json\" \\\n--data '{\n  \"filter\": {\"or\": [{\"property\": \"In stock\", \"checkbox\": {\"equals\": true}}]}\n}'",
    "airtable": 'curl "https://api.airtable.com/v0/app1/Table%201?maxRecords=3&view=Grid%20view" -H "Authorization: Bearer pat1"',
    "airtable-patch": 'curl -X PATCH https://api.airtable.com/v0/app1/T -H "Authorization: Bearer pat1" -H "Content-Type: application/json" --data \'{"records": [{"id": "rec1", "fields": {"Name": "Zoë"}}]}\'',
    "hubspot": "curl --request POST \\\n  --url https://api.hubapi.com/crm/v3/objects/contacts \\\n  --header 'authorization: Bearer pat-1' \\\n  --header 'content-type: application/json' \\\n  --data '{\n  \"properties\": {\n    \"email\": \"a@b.example\"\n  }\n}'",
    "mailchimp": "curl -X POST \\\n  'https://us1.api.mailchimp.com/3.0/lists/l1/members?skip_merge_validation=true' \\\n  --user \"anystring:key1-us1\" \\\n  -d '{\"email_address\":\"a@b.example\",\"status\":\"subscribed\"}'",
    "discord": 'curl -i -H "Accept: application/json" -H "Content-Type:application/json" -X POST --data "{\\"content\\": \\"Posted Via Command line\\"}" https://discord.com/api/webhooks/1/t',
    "telegram": 'curl -s -X POST https://api.telegram.org/bot123:ABC/sendMessage -d chat_id=42 -d text="my sample text"',
    "telegram-get": 'curl "https://api.telegram.org/bot123:ABC/getUpdates?offset=-1"',
    "mailgun": "curl -s --user 'api:key-1' https://api.mailgun.net/v3/d.example/messages -d from='Excited User <mailgun@d.example>' -d subject=Hello",
    "zendesk": 'curl https://x.zendesk.com/api/v2/tickets.json -d \'{"ticket": {"subject": "My printer is on fire!"}}\' -H "Content-Type: application/json" -v -u me@x.example/token:t1 -X POST',
    "whatsapp": "curl -i -X POST \\\n  https://graph.facebook.com/v20.0/1234/messages \\\n  -H 'Authorization: Bearer t1' \\\n  -H 'Content-Type: application/json' \\\n  -d '{ \"messaging_product\": \"whatsapp\", \"to\": \"1\", \"type\": \"template\" }'",
    "elasticsearch": "curl -X GET \"localhost:9200/_search?pretty\" -H 'Content-Type: application/json' -d'\n{\n  \"query\": { \"match_all\": {} }\n}\n'",
    "influxdb": "curl --request POST \"http://localhost:8086/api/v2/write?org=o&bucket=b&precision=ns\" --header \"Authorization: Token t1\" --header \"Content-Type: text/plain; charset=utf-8\" --header \"Accept: application/json\" --data-binary '\n    airSensors,sensor_id=TLM0201 temperature=73.97 1630424257000000000\n    '",
    "salesforce": 'curl https://x.my.salesforce.com/services/data/v60.0/query/?q=SELECT+name+from+Account -H "Authorization: Bearer t1"',
    "gitlab": 'curl --request POST --header "PRIVATE-TOKEN: t1" --data-urlencode "title=Issues with auth & more" "https://gitlab.example.com/api/v4/projects/4/issues?labels=bug"',
    "jira": "curl --request PUT --url 'https://x.atlassian.net/rest/api/3/issue/X-1' --user 'e@example.com:t1' --header 'Accept: application/json' --header 'Content-Type: application/json' --data '{\"fields\": {\"summary\": \"x\"}}'",
    "xml": "curl -X POST https://x.example/soap -H 'Content-Type: text/xml; charset=utf-8' -H 'SOAPAction: \"urn:x\"' -d '<a b=\"1\">&amp;é</a>'",
    "head": "curl -I https://x.example/a",
    "options": "curl -X OPTIONS https://x.example/a -H 'Origin: https://y.example'",
    "json": "curl --json '{\"tool\": \"curl\"}' https://x.example/a",
    "cookies": "curl https://x.example/a -b 'a=1' -b 'b=2'",
    "range": "curl https://x.example/a -r 600",
    "agent": "curl https://x.example/a -A 'My Bot/1.0' -e https://y.example/",
    "charset-json": "curl https://x.example/a -H 'Content-Type: application/json; charset=utf-8' -d '{\"a\":1}'",
    "charset-form": "curl https://x.example/a -H 'Content-Type: application/x-www-form-urlencoded; charset=ISO-8859-1' -d 'a=b'",
    "latin-1": "curl https://x.example/a -d 'keyword=r%E4kki&category=66'",
    "no-pairs": "curl https://x.example/a -d 'plain words & more'",
    "url-query": "curl https://x.example/a?x=1 --url-query 'q=a b&c'",
    "user-and-header": "curl -u me:pw -H 'Authorization: Bearer abcd' https://x.example/a",
    "user-in-url": "curl 'https://u%40x:p%3Aq@x.example/a'",
    "here-document": "curl -X POST https://x.example/a -H 'Content-Type: application/json' --data-binary @- <<'EOF'\n{\n  \"a\": \"it's\"\n}\nEOF",
    "here-document-one-line": "curl https://x.example/a -H 'Content-Type: application/json' -d @- <<EOF\n{\"a\":\n 1}\nEOF",
    "echo": "echo '{\"a\": 1}' | curl -H 'Content-Type: application/json' -d @- https://x.example/a",
    "variable": "TOKEN=t1\ncurl -H \"Authorization: Bearer $TOKEN\" https://x.example/a",
    "cat": "curl https://x.example/a -H 'Content-Type: application/json' -d \"$(cat <<EOF\n{\"a\": 1}\nEOF\n)\"",
    "chrome": "curl 'https://x.example/a?b=1' \\\n  -H 'accept: */*' \\\n  -H 'accept-language: en-US,en;q=0.9' \\\n  -H 'content-type: application/json' \\\n  -b 's=1; t=2' \\\n  -H 'sec-ch-ua: \"Brand\";v=\"99\"' \\\n  --data-raw $'{\"a\":\"it\\'s \\u0021 \\\\n\"}'",
    "firefox": "curl 'https://x.example/a' --compressed -X POST -H 'Accept: */*' -H 'Accept-Language: en-US,en;q=0.5' -H 'Content-Type: text/plain;charset=UTF-8' --data-raw 'x'",
    "empty-post": "curl -X POST https://x.example/a -d ''",
    "get-with-body": "curl -X GET https://x.example/a -H 'Content-Type: application/json' -d '{\"a\": 1}'",
    "multipart": "curl https://x.example/a -F 'from=Excited User <mailgun@d.example>' -F to=a@b.example -F 'text=you & me = us, ok' --form-string note=@here",
    "graphql": 'curl https://x.example/a -H "Content-Type: application/json" -d \'{"query":"query ($n: Int) { a(n: $n) { \\"b\\" } }","variables":{"n": 1.10}}\'',
    "crlf": "curl https://x.example/a -H 'Content-Type: multipart/form-data; boundary=B' --data-binary $'--B\\r\\nContent-Disposition: form-data; name=\"a\"\\r\\n\\r\\n1\\r\\n--B--\\r\\n'",
}  # fmt: skip
DIFFERS = {"user-agent", "accept-encoding", "accept", "connection", "host", "content-length"}
"""What the two programs say of themselves where the command does not, and what each works out."""
TOLD = ("github", "mailchimp")
"""JSON whose type the command does not say: curl would call it a form, and the documentations mean JSON."""
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def arrived(httpserver: HTTPServer, pytestconfig: pytest.Config) -> Iterator[list[tuple[Any, ...]]]:
    if shutil.which("curl") is None:
        pytestconfig.stash[ABSENT]["the real curl"] = "it is not there (Debian's package curl)"
        pytest.skip("curl is not here; the summary names it")
    seen: list[tuple[Any, ...]] = []

    def note(request: Request) -> Response:
        rows = sorted((name.lower(), value) for name, value in request.headers.items() if name.lower() not in DIFFERS)
        if not request.get_data():
            rows = [row for row in rows if row[0] != "content-type"]
        is_form = request.headers.get("Content-Type", "").startswith(FORM)
        body = request.get_data()
        if found := re.search("boundary=([^;]+)$", request.headers.get("Content-Type", "")):
            rows = [(name, value.replace(found[1], "B")) for name, value in rows]
            body = body.replace(found[1].encode(), b"B")
        fields = (
            parse_qsl(body.decode(), keep_blank_values=True, encoding="latin-1") if is_form and b"=" in body else body
        )
        path, _, query = request.environ["REQUEST_URI"].partition("?")
        seen.append((request.method, path, parse_qsl(query, keep_blank_values=True), rows, fields))
        return Response("{}", content_type="application/json")

    httpserver.expect_request(re.compile(".*")).respond_with_handler(note)
    yield seen


def to_the_echo(command: str, httpserver: HTTPServer) -> str:
    """The same command to the server of the test: only the first address of the API's own."""
    base = httpserver.url_for("").rstrip("/")
    found = re.search(r"https?://(?:[^\s'\"/@]*@)?[\w.-]+(?::\d+)?(?=[/?])|localhost:\d+(?=/)", command)
    assert found is not None
    user = re.match(r"https?://([^@/]*@)", found[0])
    return command.replace(found[0], base.replace("://", f"://{user[1]}") if user else base, 1)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_the_step_sends_what_curl_sends(name: str, httpserver: HTTPServer, arrived: list[Any]) -> None:
    command = to_the_echo(DOCUMENTED[name], httpserver)
    done = subprocess.run(["/bin/bash", "-c", command], capture_output=True, timeout=90, check=False)
    assert done.returncode == 0, (command, done.stderr)
    found = from_curl(command)
    assert found.faults == ()
    transport = Transport(AddressPolicy.parse("127.0.0.1, localhost"))
    transport.send(render(StepSpec(request=found.spec), {}, secrets={}), time.monotonic() + 60)
    transport.close()
    by_curl, by_step = arrived
    if name in TOLD:
        assert found.notes == (JSON_UNTOLD,)
        by_curl, by_step = (tuple(str(part).replace(FORM, "application/json") for part in one) for one in arrived)
    assert by_step == by_curl, command
