"""Credentials as people paste them: with their prefix, with blanks around them, or empty."""

from __future__ import annotations

from typing import Any

import pytest

from httpstep.core.authentication import Auth
from httpstep.core.document import stepdocument, visible
from httpstep.core.masking.redaction import redact_pairs
from httpstep.core.request.rendering import attributes_used
from httpstep.core.request.requestcheck import check_request
from httpstep.core.step.spec import RequestSpec, StepSpec
from tests.core.test_rendering import URL, refused, rendered

BEARER = Auth("bearer", {"token": "{{secret.T}}"})


@pytest.mark.parametrize(
    "typed", ["abc123", "Bearer abc123", "bearer  abc123\n", "  Bearer abc123", "Authorization: Bearer abc123",
              "Bearer Bearer abc123", "\u200babc123\u00a0", "Bearer\nabc123"],
)  # fmt: skip
@pytest.mark.parametrize("stored", [True, False])
def test_a_bearer_token_is_sent_once_and_shows_once(typed: str, stored: bool) -> None:
    auth = BEARER if stored else Auth("bearer", {"token": typed.replace("\n", " ")})
    request = rendered(RequestSpec(url=URL, auth=auth), secrets={"T": typed})
    assert dict(request.headers)["Authorization"] == "Bearer abc123"
    assert redact_pairs(request.headers, request.secrets) == (("Authorization", "Bearer ••••"),)
    assert "abc123" in request.secrets


@pytest.mark.parametrize("where", ["header", "query"])
@pytest.mark.parametrize("typed", ["k1", " k1 ", "k1\r\n", "\tk1\u00a0", "\ufeffk1"])
def test_a_key_is_sent_without_what_the_copy_brought_along(where: str, typed: str) -> None:
    auth = Auth("api_key", {"name": "key", "value": "{{t}}", "in": where})
    request = rendered(RequestSpec(url=URL, auth=auth), {"t": typed})
    assert (request.url if where == "query" else dict(request.headers)["key"]) == (
        f"{URL}?key=k1" if where == "query" else "k1"
    )
    assert "k1" in request.secrets


def test_blanks_inside_a_key_and_around_a_password_stay_line_breaks_at_its_ends_do_not() -> None:
    key = Auth("api_key", {"name": "X-Key", "value": "a b"})
    assert dict(rendered(RequestSpec(url=URL, auth=key)).headers)["X-Key"] == "a b"
    basic = Auth("basic", {"username": "u", "password": "{{secret.P}}"})
    got = dict(rendered(RequestSpec(url=URL, auth=basic), secrets={"P": " p \n"}).headers)["Authorization"]
    assert got == "Basic dTogcCA="


@pytest.mark.parametrize(
    "auth", [Auth("bearer", {"token": "{{t}}"}), Auth("bearer", {"token": "Bearer {{t}}"}),
             Auth("api_key", {"name": "k", "value": "{{t}}"}), Auth("api_key", {"name": "k", "value": "{{t}}", "in": "query"})],
)  # fmt: skip
@pytest.mark.parametrize("value", ["", " \n", None])
def test_an_empty_credential_is_not_sent(auth: Auth, value: Any) -> None:
    error = refused(RequestSpec(url=URL, auth=auth), {"t": value})
    assert error.reason == "auth" and "is empty" in error.message


OAUTH = {
    "type": "oauth2_client_credentials", "token_url": "https://id.example/", "client_id": "me", "client_secret": "s",
    "client_auth": "body",
    "parameters": [{"name": "audience", "value": "{{aud}}"}, {"name": "assertion_token", "value": "typed"}],
}  # fmt: skip


def test_parameters_of_a_token_request_are_a_part_of_the_document() -> None:
    spec = stepdocument.parse({"name": "A", "request": {"method": "GET", "url": URL, "auth": OAUTH}})
    written: Any = stepdocument.dump(spec)["request"]
    assert {name: written["auth"][name] for name in OAUTH} == OAUTH
    assert stepdocument.parse(stepdocument.dump(spec)) == spec
    assert attributes_used(spec) == ["aud"]
    shown = dict(visible.step_for(spec, may_edit=False).request.auth.parameters)
    assert shown == {"audience": "{{aud}}", "assertion_token": "••••"}
    assert "parameters" not in str(stepdocument.dump(StepSpec(request=RequestSpec(url=URL, auth=BEARER))))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"name": "", "value": "x"}], "no name"),
        ([{"name": "a", "value": "{{b c}}"}], "not an attribute"),
        ([1], "object"),
    ],
)
def test_a_faulty_parameter_is_said_at_its_place(rows: list[Any], words: str) -> None:
    auth = OAUTH | {"parameters": rows}
    with pytest.raises(stepdocument.DocumentError) as caught:
        stepdocument.parse({"name": "A", "request": {"method": "GET", "url": URL, "auth": auth}})
    (fault,) = caught.value.faults
    assert fault.place.startswith("request.auth.parameters[0]") and words in fault.message
    assert not check_request(RequestSpec(url=URL, auth=BEARER))
