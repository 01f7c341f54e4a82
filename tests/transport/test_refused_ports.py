"""Ports of other protocols are not connected to, whatever leads there; and a bot hears nothing of the network behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from httpstep import config
from httpstep.core import ports
from httpstep.core.addresses import AddressPolicy, without_internal
from httpstep.core.authentication import Auth
from httpstep.core.errors import Blocked, InvalidRequest, NetworkError
from httpstep.core.exchange import HttpResponse
from httpstep.core.request.requestcheck import check_request
from httpstep.core.step.spec import Pair, RequestSpec
from httpstep.transport import Transport
from tests.core.test_rendering import refused, rendered
from tests.fakes import ThirdParty, answer
from tests.house import House, document
from tests.transport.test_redirects import redirecting
from tests.web.conftest import Web
from tests.web.screen import open_step, put_secret

SQLITE_ONLY = "nothing of it is in the database"
CallIt = Callable[..., HttpResponse]
MakeHouse = Callable[..., House]
OTHERS = [25, 22, 110, 6000, 6667, 10080, 3306, 5432, 6379, 11211, 27017, 9200, 9300, 5984, 1433, 1521, 9042, 2379]


def nobody(*_: Any, **__: Any) -> Any:
    raise AssertionError("nothing may be looked up")


@pytest.mark.parametrize("port", OTHERS)
def test_a_port_of_another_protocol_is_not_even_looked_up(
    call: CallIt, make_transport: Callable[..., Transport], port: int
) -> None:
    for host in ("127.0.0.1", "db.example"):
        with pytest.raises(Blocked, match=f"Port not allowed: {port} is that of ") as raised:
            call(f"http://{host}:{port}/", transport=make_transport(getaddrinfo=nobody))
        assert (raised.value.reason, "HTTPSTEP_ALLOW_PORTS" in raised.value.advice) == ("port", True)


@pytest.mark.parametrize("port", [80, 443, 3000, 5000, 8000, 8080, 8443, 8888, 24, 26, 6378, 6380 + 1, 27016, 9199])
def test_the_ports_beside_are_free(port: int) -> None:
    assert ports.fault(port) is None


def test_ports_that_systems_give_to_anybody_are_free() -> None:
    assert max(ports.BAD | ports.SERVICES.keys()) < 32768


def test_a_redirect_leads_to_none(call: CallIt, serve: Any) -> None:
    server = serve(redirecting("http://127.0.0.1:6379/"))
    with pytest.raises(Blocked, match="Port not allowed: 6379 is that of Redis"):
        call(server.url("/start"))
    assert server.connections == 1


def test_the_operator_can_allow_one(call: CallIt, make_transport: Callable[..., Transport]) -> None:
    policy = AddressPolicy(AddressPolicy.parse("127.0.0.1").networks, ports=frozenset({9300}))
    with pytest.raises(NetworkError):
        call("http://127.0.0.1:9300/", transport=make_transport(policy))
    with pytest.raises(Blocked, match="Port not allowed: 9200"):
        call("http://127.0.0.1:9200/", transport=make_transport(policy))


@pytest.mark.parametrize(("text", "read"), [("9200", {9200}), (" 9200, 5984 ", {9200, 5984})])
def test_the_setting_is_read(text: str, read: set[int]) -> None:
    assert config.load({"HTTPSTEP_ALLOW_PORTS": text}).allow_ports == read


@pytest.mark.parametrize("text", ["x", "0", "65536", "80-90", "-1", "９"])
def test_a_setting_that_is_no_port_stops_the_start(text: str) -> None:
    with pytest.raises(config.ConfigError, match="HTTPSTEP_ALLOW_PORTS"):
        config.load({"HTTPSTEP_ALLOW_PORTS": text})


# ---------------------------------------------------------------- in a step


def test_a_step_ends_as_an_invalid_request_before_anything_leaves(make_house: MakeHouse) -> None:
    third = ThirdParty(answer(200, {"a": 1}))
    house = make_house(third)
    house.put(document(url="http://api.example:{{port}}/x"))
    said = house.execute(attributes={"port": 6379}).json
    assert (said["outcome"], said["message"]) == (
        "invalid_request", "Port not allowed: 6379 is that of Redis, which steps do not call."
    )  # fmt: skip
    assert third.requests == []
    assert house.log()["failure"]["place"] == "url"
    assert house.execute(attributes={"port": 8080}).json["outcome"] == "success"


def test_so_does_one_whose_token_address_has_such_a_port(make_house: MakeHouse) -> None:
    third = ThirdParty(answer(200, {"a": 1}))
    house = make_house(third)
    auth = {
        "type": "oauth2_client_credentials", "token_url": "https://id.example:11211/t", "client_id": "me",
        "client_secret": "x",
    }  # fmt: skip
    house.put(document(auth=auth))
    said = house.execute().json
    assert (said["outcome"], "11211 is that of memcached" in said["message"]) == ("invalid_request", True)
    assert third.requests == [] and house.log()["failure"]["place"] == "auth.token_url"


def test_an_allowed_port_is_called(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty(answer(200, {"a": 1})), ALLOW_PORTS="9200")
    house.put(document(url="http://api.example:9200/x"))
    assert house.execute().json["outcome"] == "success"


@pytest.mark.parametrize(
    "url", ["http://x.example:6379/a", "http://x.example:6379", "http://[2606::1]:6379?a", "https://{{h}}:6379/"]
)
def test_the_preview_says_so_as_it_is_typed(url: str) -> None:
    (hint,) = [one for one in rendered(RequestSpec(url=url), {"h": "x.example"}).warnings if "Port" in one]
    assert hint.startswith("Port not allowed: 6379 is that of Redis") and "unless" in hint


@pytest.mark.parametrize("url", ["http://x.example/a:6379/", "http://x.example/?a=//b:6379", "http://x.example:8080/"])
def test_other_addresses_get_no_such_hint(url: str) -> None:
    assert not [one for one in rendered(RequestSpec(url=url), {}).warnings if "Port" in one]


# ---------------------------------------------------------------- metadata headers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Metadata-Flavor", "Google"), ("metadata-flavor", "x"), ("X-Google-Metadata-Request", "True"),
        ("X-aws-ec2-metadata-token", "{{t}}"), ("X-aws-ec2-metadata-token-ttl-seconds", "60"),
        ("X-aliyun-ecs-metadata-token", "a"), ("X-Aliyun-ECS-Metadata-Token-TTL-Seconds", "60"),
        ("Metadata", "true"), ("METADATA", " True "), ("authorization", "Bearer  Oracle"),
    ],
)  # fmt: skip
def test_headers_of_metadata_services_are_refused_at_save_and_at_run(name: str, value: str) -> None:
    spec = RequestSpec(url="https://x.example/", headers=(Pair(name, value),))
    ((place, sentence),) = check_request(spec)
    assert place.startswith("headers[0].") and "metadata service" in sentence
    assert "metadata service" in refused(spec, {"t": "x"}).message


@pytest.mark.parametrize(
    "auth",
    [
        Auth("api_key", {"name": "Metadata", "value": "true", "in": "header"}),
        Auth("api_key", {"name": "Metadata-Flavor", "value": "Google", "in": "header"}),
        Auth("bearer", {"token": "Oracle"}),
    ],
    ids=["azure", "google", "oracle"],
)
def test_authentication_opens_none_either(auth: Auth) -> None:
    spec = RequestSpec(url="https://x.example/", auth=auth)
    ((place, sentence),) = check_request(spec)
    assert place.startswith("auth.") and "metadata service" in sentence
    assert "metadata service" in refused(spec, {}).message


def test_a_value_that_makes_it_one_is_refused_at_run(make_house: MakeHouse) -> None:
    spec = RequestSpec(url="https://x.example/", headers=(Pair("Metadata", "{{on}}"),))
    assert check_request(spec) == []
    assert isinstance(refused(spec, {"on": True}), InvalidRequest)
    assert rendered(spec, {"on": "of the order"}).headers


def test_a_document_with_one_is_refused(make_house: MakeHouse) -> None:
    house = make_house(ThirdParty())
    got = house.put(document(headers=[{"name": "Metadata-Flavor", "value": "Google"}]))
    assert got.status_code == 422 and "metadata service" in got.text


# ---------------------------------------------------------------- what a bot is told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Address not allowed: 10.0.0.5 (crm.internal) is private.", "Address not allowed: crm.internal is private."),
        ("Address not allowed: 10.0.0.5 is private.", "Address not allowed: the address is private."),
        ("Address not allowed: 127.0.0.1 (2130706433) is x.", "Address not allowed: the address is x."),
        ("Address not allowed: fd00:ec2::254 (a.example) is x.", "Address not allowed: a.example is x."),
        ("Address not allowed: ::ffff:10.0.0.5 is x.", "Address not allowed: the address is x."),
        ("10.0.0.5 refused the connection.", "The address refused the connection."),
        ("It is at 10.0.0.5:8080, or [::1]:80.", "It is at the address:8080, or the address:80."),
        ("It ended at 10.0.0.5.", "It ended at the address."),
        ("8.8.8.8 refused the connection.", "8.8.8.8 refused the connection."),
        (
            "At 12:30:45 version 1.2.3 and 300.1.1.1 and a::b::c.",
            "At 12:30:45 version 1.2.3 and 300.1.1.1 and a::b::c.",
        ),
    ],
)
def test_a_sentence_for_a_bot_has_no_internal_address(text: str, told: str) -> None:
    assert without_internal(text) == told


def test_the_bot_is_told_the_name_and_the_editor_the_address(make_house: MakeHouse) -> None:
    refusing = Blocked("Address not allowed: 10.0.0.5 (crm.internal) is private.", reason="private")
    web = Web(make_house(ThirdParty(refusing)))
    put_secret(web, "unused", "x")
    web.house.put(document(url="https://crm.internal/", mapping=[{"call": "error", "attribute": "why"}]))
    got = web.house.execute()
    assert "10.0.0.5" not in got.text and "10.0.0.5" not in str(got.headers)
    assert got.json["message"] == got.json["attributes"]["why"] == "Address not allowed: crm.internal is private."
    web.house.flow("order-status")
    assert "10.0.0.5" not in web.house.run_flow().text
    shown = open_step(web.as_("bob"), 1).fragment("test")
    assert "Address not allowed: 10.0.0.5 (crm.internal) is private." in shown.text


def test_by_the_guard_itself(make_house: MakeHouse) -> None:
    house = make_house(None)
    for url in ("http://localhost:8099/", "http://127.0.0.1:8099/", "http://[::1]:8099/", "http://127.1:8099/"):
        house.put(document(url=url))
        said = house.execute().text
        assert "blocked" in said and "127.0.0.1" not in said and "::1" not in said, said
