"""Where a secret may be sent: judged on the address that is called, whatever it is made of."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from httpstep.core.authentication import Auth
from httpstep.core.errors import InvalidRequest
from httpstep.core.exchange import RenderedRequest
from httpstep.core.inserting import secrethosts
from httpstep.core.jsontext import Json
from httpstep.core.request import destinations
from httpstep.core.request.rendering import render, token_request
from httpstep.core.step.spec import (
    Body,
    Pair,
    RequestSpec,
    StepSpec,
)

VALUE = "s3cr3t-of-the-crm"
HERE = "https://api.example.com"
CARRYING = RequestSpec(url=f"{HERE}/x", headers=(Pair("X-Token", "{{secret.crm}}"),))


def sent(
    request: RequestSpec,
    attributes: dict[str, Json] | None = None,
    *,
    hosts: secrethosts.Hosts = (HERE,),
    **others: str,
) -> RenderedRequest:
    """The request, with the secret `crm` for those hosts; others: further secrets, each for any host."""
    known = {"crm": VALUE} | others
    lists = {"crm": hosts} | dict.fromkeys(others)
    return render(StepSpec(request=request), attributes or {}, secrets=known, hosts=lists)


def refused(request: RequestSpec, attributes: dict[str, Json] | None = None, **others: str) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        sent(request, attributes, **others)
    return caught.value


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("https://api.example.com", "https://api.example.com/"),
        ("https://api.example.com", "https://API.Example.COM/x?y=1"),
        ("https://api.example.com", "https://api.example.com:443/"),
        ("https://api.example.com", "https://api.example.com./"),
        ("https://api.example.com", "https://api.example.com?q=@evil.test"),
        ("https://api.example.com", "https://api.example.com#@evil.test"),
        ("api.example.com", "https://api.example.com/"),
        ("https://API.example.com.:443/v1/orders?x=1", "https://api.example.com/"),
        ("https://api.example.com:8443", "https://api.example.com:8443/"),
        ("https://api.example.com:08443", "https://api.example.com:8443/"),
        ("http://localhost:8099", "http://localhost:8099/"),
        ("http://api.example.com:80", "http://api.example.com/"),
        ("https://bücher.example", "https://xn--bcher-kva.example/"),
        ("https://xn--bcher-kva.example", "https://BÜCHER.example/"),
        ("https://[2001:DB8:0::1]", "https://[2001:db8::1]/"),
        ("https://[2001:db8::1]:8443", "https://[2001:0db8::0001]:8443/"),
        ("http://203.0.113.7", "http://203.0.113.7/"),
        ("https://other.example, https://api.example.com", "https://api.example.com/"),
    ],
)
def test_it_is_sent_to_a_host_of_its_list_however_that_is_written(allowed: str, url: str) -> None:
    hosts, fault = secrethosts.read_hosts(allowed)
    assert fault == ""
    assert dict(sent(replace(CARRYING, url=url), hosts=hosts).headers)["X-Token"] == VALUE


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("https://api.example.com", "http://api.example.com/"),
        ("http://api.example.com", "https://api.example.com/"),
        ("https://api.example.com", "https://api.example.com:8443/"),
        ("https://api.example.com:8443", "https://api.example.com/"),
        ("https://api.example.com", "https://api.example.com:80/"),
        ("https://api.example.com", "https://example.com/"),
        ("https://example.com", "https://api.example.com/"),
        ("https://api.example.com", "https://api.example.com.evil.test/"),
        ("https://api.example.com", "https://evil.test/api.example.com"),
        ("https://api.example.com", "https://evil.test/?https://api.example.com"),
        ("https://api.example.com", "https://xapi.example.com/"),
        ("https://api.example.com", "https://api-example.com/"),
        ("https://bücher.example", "https://bucher.example/"),
        ("https://аpi.example.com", "https://api.example.com/"),
        ("https://[2001:db8::1]", "https://[2001:db8::2]/"),
        ("http://127.0.0.1", "http://2130706433/"),
        ("http://127.0.0.1", "http://127.1/"),
    ],
)
def test_it_is_sent_to_no_other_host(allowed: str, url: str) -> None:
    hosts, fault = secrethosts.read_hosts(allowed)
    assert fault == ""
    with pytest.raises(InvalidRequest) as caught:
        sent(replace(CARRYING, url=url), hosts=hosts)
    assert (caught.value.reason, caught.value.place) == ("secret_host", "url")


def test_the_sentence_names_the_secret_and_the_host_and_who_can_allow_it() -> None:
    said = refused(replace(CARRYING, url="https://evil.test:8443/orders?x=1"))
    assert said.message == (
        "The secret “crm” may not be sent to https://evil.test:8443; an admin can allow it under Secrets."
    )


@pytest.mark.parametrize(
    "request_",
    [
        replace(CARRYING, url="https://evil.test/"),
        RequestSpec(url="https://evil.test/{{secret.crm}}"),
        RequestSpec(url="https://evil.test/?q={{secret.crm}}"),
        RequestSpec(url="https://{{secret.crm}}.evil.test/"),
        RequestSpec(url="https://evil.test/", auth=Auth("bearer", {"token": "{{secret.crm}}"})),
        RequestSpec(url="https://evil.test/", auth=Auth("basic", {"username": "{{secret.crm}}"})),
        RequestSpec(url="https://evil.test/", auth=Auth("api_key", {"name": "k", "value": "a{{secret.crm}}b", "in": "query"})),
        RequestSpec("POST", "https://evil.test/", body=Body("json", text='{"a": "x{{secret.crm}}"}')),
        RequestSpec("POST", "https://evil.test/", body=Body("json", text='{"a": {{secret.crm}}}')),
        RequestSpec("POST", "https://evil.test/", body=Body("raw", text="{{secret.crm}}")),
        RequestSpec("POST", "https://evil.test/", body=Body("raw", text="a", content_type="{{secret.crm}}")),
        RequestSpec("POST", "https://evil.test/", body=Body("query", fields=(Pair("a", "{{secret.crm}}"),))),
        RequestSpec("GET", "https://evil.test/", body=Body("query", fields=(Pair("{{secret.crm}}", "a"),))),
    ],
)  # fmt: skip
def test_wherever_in_the_request_it_stands(request_: RequestSpec) -> None:
    said = refused(request_)
    assert said.reason == "secret_host" and VALUE not in said.message


@pytest.mark.parametrize(
    ("url", "attributes"),
    [
        ("{{url}}", {"url": "https://evil.test/"}),
        ("{{url}}", {"url": "https://evil.test?x=https://api.example.com"}),
        ("{{base}}/orders", {"base": "https://evil.test/api.example.com"}),
        ("{{scheme}}://api.example.com/", {"scheme": "http"}),
        ("https://{{host}}/", {"host": "evil.test"}),
        ("https://api.{{host}}/", {"host": "example.com.evil.test"}),
        ("https://api.example.com{{rest}}/", {"rest": ".evil.test"}),
        ("https://api.example.com:{{port}}/", {"port": "8443"}),
    ],
)
def test_an_attribute_that_gives_the_host_is_judged_by_its_value(url: str, attributes: dict[str, Json]) -> None:
    assert refused(replace(CARRYING, url=url), attributes).reason == "secret_host"
    good = {"url": HERE, "base": HERE, "scheme": "https", "host": "api.example.com", "port": "443", "rest": ""}
    if url not in ("https://api.{{host}}/", "https://api.example.com{{rest}}/"):
        assert sent(replace(CARRYING, url=url), {name: good[name] for name in attributes}).url.startswith(HERE)


@pytest.mark.parametrize(
    ("url", "attributes"),
    [
        ("https://api.example.com@evil.test/", {}),
        ("https://api.example.com:x@evil.test/", {}),
        ("https://api.example.com\\@evil.test/", {}),
        ("https://api.example.com%40evil.test/", {}),
        ("https://{{host}}/", {"host": "api.example.com@evil.test"}),
        ("https://{{host}}/", {"host": "evil.test#api.example.com"}),
        ("https://{{host}}/", {"host": "evil.test\\.api.example.com"}),
        ("{{url}}", {"url": "https://api.example.com@evil.test/"}),
        ("{{url}}", {"url": "https://api.example.com\n@evil.test/"}),
        ("https://api.example.com{{rest}}", {"rest": "@evil.test"}),
    ],
)
def test_an_address_that_reads_like_another_is_never_called(url: str, attributes: dict[str, Json]) -> None:
    assert refused(replace(CARRYING, url=url), attributes).kind == "invalid_request"


def test_a_host_that_another_secret_gives_is_judged_and_not_named() -> None:
    request = replace(CARRYING, url="{{secret.base}}/orders")
    assert sent(request, base=f"{HERE}/v2").url == f"{HERE}/v2/orders"
    said = refused(request, base="https://Tenant-7431.Example/v2?x=1".partition("?")[0])
    assert said.message.startswith("The secret “crm” may not be sent to the host that the secret “base” gives;")
    assert "7431" not in said.message


def test_a_secret_that_no_list_is_known_of_is_sent_nowhere() -> None:
    with pytest.raises(InvalidRequest):
        render(StepSpec(request=CARRYING), {}, secrets={"crm": VALUE})
    with pytest.raises(InvalidRequest):
        sent(CARRYING, hosts=())


def test_what_is_not_sent_is_not_judged() -> None:
    """A step is as it was typed; its body's text is not sent while the mode is another one."""
    idle = RequestSpec(url="https://evil.test/#{{secret.crm}}", body=Body("none", text="{{secret.crm}}"))
    assert sent(idle).url == "https://evil.test/"
    assert sent(RequestSpec(url="https://evil.test/{{a}}"), {"a": "{{secret.crm}}"}).secrets == frozenset()


# ---------------------------------------------------------------- OAuth 2

OAUTH = Auth(
    "oauth2_client_credentials",
    {"token_url": "https://id.example.com/token", "client_id": "me", "client_secret": "{{secret.crm}}"},
)


def test_the_token_address_is_judged_as_every_other_one() -> None:
    known = {"secrets": {"crm": VALUE}, "hosts": {"crm": ("https://id.example.com",)}}
    assert token_request(OAUTH, {}, **known).url == OAUTH["token_url"]
    for token_url in ("https://evil.test/", "http://id.example.com/", "{{secret.crm}}"):
        with pytest.raises(InvalidRequest) as caught:
            token_request(OAUTH.having(token_url=token_url), {}, **known)
        assert caught.value.place == "auth.token_url" and VALUE not in caught.value.message


def test_the_token_goes_only_where_the_secret_may_go_that_brought_it() -> None:
    """Whoever holds the token can do what the secret allows; a step of an editor names where it goes."""
    request = RequestSpec(url="https://evil.test/", auth=OAUTH)
    both = {"crm": (HERE, "https://id.example.com")}
    for token in ("abc", None):
        with pytest.raises(InvalidRequest) as caught:
            render(StepSpec(request=request), {}, secrets={"crm": VALUE}, hosts=both, token=token)
        assert caught.value.message.startswith(
            "The access token that the secret “crm” brings may not be sent to https://evil.test;"
        )
    good = StepSpec(request=replace(request, url=HERE))
    assert dict(render(good, {}, secrets={"crm": VALUE}, hosts=both, token="abc").headers) == {
        "Authorization": "Bearer abc"
    }


# ---------------------------------------------------------------- the list as an admin types it


@pytest.mark.parametrize(
    ("typed", "hosts"),
    [
        ("https://a.example\nhttps://b.example\r\n", ("https://a.example", "https://b.example")),
        (" a.example,b.example:8443 ; a.example", ("https://a.example", "https://b.example:8443")),
        ("https://a.example/v1?key=x#y", ("https://a.example",)),
        ("localhost:8099", ("https://localhost:8099",)),
        ("[::1]:8443", ("https://[::1]:8443",)),
    ],
)
def test_a_list_is_read(typed: str, hosts: tuple[str, ...]) -> None:
    assert secrethosts.read_hosts(typed) == (hosts, "")
    assert secrethosts.load(secrethosts.dump(hosts)) == hosts


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Say where this secret may be sent."),
        (" ,\n", "Say where this secret may be sent."),
        ("*", "each host is written out"),
        ("https://*.example.com", "each host is written out"),
        ("https://{{host}}", "each host is written out"),
        ("https://api.example.com@evil.test", "has a user name in it"),
        ("ftp://a.example", "is not a host that can be called"),
        ("https:/a.example", "is not a host that can be called"),
        ("https://", "is not a host that can be called"),
        ("a_b c!d", "is not a host that can be called"),
        ("https://a.example:99999", "is not a host that can be called"),
        ("https://a.example\nfile:///etc", "is not a host that can be called"),
        ("\n".join(f"a{number}.example" for number in range(21)), "At most 20 hosts"),
    ],
)
def test_a_list_that_says_nothing_certain_is_refused_with_a_sentence(typed: str, words: str) -> None:
    hosts, fault = secrethosts.read_hosts(typed)
    assert hosts == () and words in fault


def test_any_and_nowhere_are_kept_apart() -> None:
    for hosts in (None, ()):
        assert secrethosts.load(secrethosts.dump(hosts)) == hosts
    assert sent(replace(CARRYING, url="https://evil.test/"), hosts=None).url == "https://evil.test/"


# ---------------------------------------------------------------- what saved steps tell


def test_the_hosts_of_saved_steps_are_told_where_they_do_not_vary() -> None:
    varying = replace(CARRYING, url="{{url}}", headers=(Pair("A", "{{secret.varies}}"),))
    steps = [
        CARRYING,
        replace(CARRYING, url="https://b.example:8443/{{order.id}}"),
        varying,
        replace(varying, url="https://a.example"),
        RequestSpec(url="https://c.example/", auth=OAUTH.having(client_secret="{{secret.oauth}}")),
        RequestSpec(url="https://d.example/", body=Body("none", text="{{secret.idle}}")),
    ]
    assert destinations.hosts_of_steps(StepSpec(request=one) for one in steps) == {
        "crm": (HERE, "https://b.example:8443"),
        "varies": None,
        "oauth": ("https://c.example", "https://id.example.com"),
    }
