"""What is masked of a step for whoever may not edit it, and what stays."""

from __future__ import annotations

import json
import time

import pytest

from httpstep.core.authentication import Auth
from httpstep.core.document import stepdocument, visible
from httpstep.core.masking.redaction import MASK, is_credential_name
from httpstep.core.step.spec import (
    Body,
    Pair,
    RequestSpec,
    StepSpec,
)

KEY = "sk_live_7431abcd"


def seen(request: RequestSpec) -> RequestSpec:
    return visible.step_for(StepSpec(request=request), may_edit=False).request


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "Proxy-Authorization", "X-Api-Key", "x_api_key", "apiKey", "APIKey", "api-key", "Cookie", "token",
        "access_token", "X-Shopify-Access-Token", "userToken", "TOKEN", "password", "passwd", "user.password", "pwd",
        "client_secret", "secret", "X-Auth", "Ocp-Apim-Subscription-Key", "key", "sig", "X-Amz-Signature", "appid", "jwt",
        "session_id", "X-Session-Id", "PIN", "csrf-token",
    ],
)  # fmt: skip
def test_a_name_of_a_credential_is_known(name: str) -> None:
    assert is_credential_name(name)
    url = f"https://a.example/?x=1&{name}={KEY}&y=2"
    assert visible.url_for(url, may_edit=False) == url.replace(KEY, MASK)
    for pairs in ({"headers": (Pair(name, KEY),)}, {"body": Body("query", (Pair(name, KEY),))}):
        assert KEY not in str(seen(RequestSpec(**pairs)))
    for text in (json.dumps({"a": [{name: KEY}], "b": 1}), f"a=1&{name}={KEY}", f"<r><{name}>{KEY}</{name}></r>"):
        assert KEY not in seen(RequestSpec(body=Body("raw", text=text))).body.text


@pytest.mark.parametrize(
    "name",
    ["Accept", "X-Channel", "id", "sort_key", "monkey", "author", "pincode", "keyword", "tokens_left", "page", ""],
)
def test_another_name_is_left_alone(name: str) -> None:
    assert not is_credential_name(name)
    spec = RequestSpec(
        url=f"https://a.example/?{name}=x", headers=(Pair(name, "x"),), body=Body("json", text='{"a": "x"}')
    )
    assert seen(spec) == spec


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        (f"Bearer {KEY}", f"Bearer {MASK}"),
        ("Bearer {{secret.CRM}}", "Bearer {{secret.CRM}}"),
        (KEY, MASK),
        (f"{KEY}-{{{{user.id}}}}", MASK + "{{user.id}}"),
        ("{{secret.user}}:{{secret.password}}", "{{secret.user}}:{{secret.password}}"),
        ("{{not closed " + KEY, MASK),
        ("", ""),
    ],
)
def test_placeholders_and_the_scheme_stay(typed: str, shown: str) -> None:
    assert seen(RequestSpec(headers=(Pair("Authorization", typed),))).headers[0].value == shown


def test_the_secret_members_of_an_authentication_are_masked_whatever_its_type() -> None:
    def typed(key: str) -> Auth:
        secret = {"password": key, "token": key, "value": key, "client_secret": key}
        told = {"username": "ana", "name": "X-Key", "client_id": "me", "scope": "read"}
        return Auth("none", secret | told | {"token_url": f"https://id.example/?key={key}"})

    assert seen(RequestSpec(auth=typed(KEY))).auth == typed(MASK)
    assert seen(RequestSpec(auth=Auth("basic", {"username": KEY}))).auth["username"] == MASK, (
        "a key in a user name's place"
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://ana:{KEY}@a.example/x", f"https://{MASK}@a.example/x"),
        (f"https://{KEY}@a.example", f"https://{MASK}@a.example"),
        ("https://{{secret.user}}:{{secret.key}}@a.example", "https://{{secret.user}}:{{secret.key}}@a.example"),
        ("https://a.example/@ana?mail=a@b.example", "https://a.example/@ana?mail=a@b.example"),
        (f"https://a.example/?api%5Fkey={KEY}%26x&b={{{{b}}}}", f"https://a.example/?api%5Fkey={MASK}&b={{{{b}}}}"),
        (f"https://a.example/;token={KEY}?a=b", f"https://a.example/;token={MASK}"),
        (f"https://a.example/#access_token={KEY}", f"https://a.example/#access_token={MASK}"),
        ("https://a.example/?key={{secret.key}}&q=a=b", "https://a.example/?key={{secret.key}}&q=a=b"),
    ],
)
def test_a_url_shows_no_credential(url: str, shown: str) -> None:
    assert visible.url_for(url, may_edit=False) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"password": "a\\"b, c", "x": "y"}', f'{{"password": "{MASK}", "x": "y"}}'),
        ('{"pin": 1234, "token": null, "n": 5}', f'{{"pin": "{MASK}", "token": null, "n": 5}}'),
        ('{"token": "{{secret.T}}", "key": {{secret.K}}}', '{"token": "{{secret.T}}", "key": {{secret.K}}}'),
        ('{"say": "token", "note": "my password: x"}', '{"say": "token", "note": "my password: x"}'),
        ('{"token" : "abcdef', f'{{"token" : "{MASK}'),
        ("user=ana&password=x+y%26&z=1", f"user=ana&password={MASK}&z=1"),
        ('<Login><Password type="plain">abc</Password></Login>', f'<Login><Password type="plain">{MASK}</Password></Login>'),
    ],
)  # fmt: skip
def test_a_body_shows_no_credential(text: str, shown: str) -> None:
    assert seen(RequestSpec(body=Body("json", text=text))).body.text == shown
    assert visible.body_for(text.encode(), may_edit=False) == shown.encode()


def test_whoever_may_edit_sees_all() -> None:
    spec = StepSpec(request=RequestSpec(url=f"https://a.example/?key={KEY}", headers=(Pair("Cookie", KEY),)))
    assert visible.step_for(spec, may_edit=True) == spec
    assert visible.body_for(KEY.encode(), may_edit=True) == KEY.encode()


def test_masking_twice_is_masking_once_and_a_masked_step_is_no_step() -> None:
    request = RequestSpec(
        "POST",
        f"https://a.example/?key={KEY}",
        (Pair("Accept", MASK), Pair("Authorization", f"Bearer {KEY}")),
        Auth("basic", {"username": "ana", "password": KEY}),
        Body("json", text=f'{{"password": "{KEY}", "note": "{MASK}"}}'),
    )
    masked = seen(request)
    assert seen(masked) == masked
    assert visible.refuse_masked(StepSpec(request=request)).request == request
    with pytest.raises(stepdocument.DocumentError) as caught:
        visible.refuse_masked(StepSpec(request=masked))
    places = ["request.url", "request.headers[1].value", "request.auth.password", "request.body.text"]
    assert [fault.place for fault in caught.value.faults] == places
    assert "masked (••••)" in caught.value.faults[0].message


@pytest.mark.parametrize(
    "piece", ['"', '\\"', '"a":', "&", "=", "<a", "<a>", "&a=", "a", "://", "@", '"token":"', "{{"]
)
def test_a_large_text_takes_linear_time(piece: str) -> None:
    """Doubling the text twice must not take sixteen times as long; the bound is far from both."""
    began = time.process_time()
    visible.body_for(piece.encode() * (1_000_000 // len(piece)), may_edit=False)
    visible.url_for("https://" + piece * (8_000 // len(piece)), may_edit=False)
    assert time.process_time() - began < 10
