"""What is kept of an execution holds no secret, however the API sends it back."""

from __future__ import annotations

import base64
from decimal import Decimal
from urllib.parse import quote

import pytest

from httpstep.core import jsontext
from httpstep.core.authentication import Auth
from httpstep.core.drift.structure import compare, shape_of
from httpstep.core.outcome import record
from httpstep.core.query.jsonpath import normalized
from httpstep.core.step.execution import Change, Drift
from httpstep.core.step.spec import (
    MappingRule,
    Pair,
    RequestSpec,
    StepSpec,
)
from httpstep.execution import executor
from tests.fakes import Clock, NoTokens, ThirdParty, answer

SECRET = 's3cr3t/"välue"&x'
PLAIN = "pl41n-s3cr3t"


def recorded(third: ThirdParty, spec: StepSpec) -> str:
    known = executor.Known(secrets={"token": SECRET, "plain": PLAIN}, hosts={"token": None, "plain": None})
    execution = executor.execute(spec, {}, send=third, clock=Clock(), tokens=NoTokens(), known=known)
    kept = record.record_of(execution, {"given": 1})
    bodies = (kept.request_body or b"").decode() + (kept.response_body or b"").decode()
    return jsontext.dumps_text(kept.detail) + bodies + (kept.message or "")


@pytest.mark.parametrize(
    "request_spec",
    [
        RequestSpec(url="https://a.example/x", headers=(Pair("X-Key", "{{secret.plain}}"),)),
        RequestSpec(url="https://a.example/{{secret.token}}"),
        RequestSpec(url="https://a.example/?k={{secret.token}}"),
        RequestSpec(url="https://a.example/", auth=Auth("bearer", {"token": "{{secret.token}}"})),
        RequestSpec(url="https://a.example/", auth=Auth("basic", {"username": "u", "password": "{{secret.token}}"})),
        RequestSpec(url="https://a.example/", auth=Auth("api_key", {"name": "k", "value": "{{secret.token}}", "in": "query"})),
    ],
)  # fmt: skip
def test_a_secret_that_went_out_is_masked_everywhere(request_spec: RequestSpec) -> None:
    used = PLAIN if request_spec.headers else SECRET
    forms = [used, quote(used, safe=""), base64.b64encode(used.encode()).decode()]
    echo = answer(500, {"message": f"bad {used}", "seen": forms, used: 1})
    spec = StepSpec(key="a", request=request_spec, mapping=(MappingRule("error", call="error"),))
    text = recorded(ThirdParty(echo), spec)
    for form in [*forms, jsontext.dumps_text(used)[1:-1], base64.b64encode(f"u:{used}".encode()).decode()]:
        assert form not in text
    assert "••••" in text


def test_a_secret_that_comes_back_as_a_name_is_neither_in_the_structure_nor_in_the_rules() -> None:
    spec = StepSpec(
        key="a", request=RequestSpec(url="https://a.example/", auth=Auth("bearer", {"token": "{{secret.plain}}"}))
    )
    execution = executor.execute(
        spec, {}, send=ThirdParty(answer(200, {PLAIN: {"x": 1}, "y": 2})), clock=Clock(), tokens=NoTokens(),
        known=executor.Known(secrets={"plain": PLAIN}, hosts={"plain": None}),
    )  # fmt: skip
    assert PLAIN not in jsontext.dumps_text(execution.structure)
    assert [rule.attribute for rule in execution.automatic or ()] == ["y"]


def test_what_the_caller_gave_is_masked_where_no_request_came_of_it() -> None:
    """A bot may hold the same value as a secret does: the step needs it, and another attribute that is not there."""
    spec = StepSpec(key="a", request=RequestSpec(url="https://a.example/{{gone}}?k={{secret.plain}}"))
    known = executor.Known(secrets={"plain": PLAIN}, hosts={"plain": None})
    execution = executor.execute(spec, {}, send=ThirdParty(), clock=Clock(), tokens=NoTokens(), known=known)
    kept = record.record_of(execution, {"token": PLAIN, "deep": [{PLAIN: 1}]})
    assert execution.request is None
    assert kept.detail["given"] == {"token": "••••", "deep": [{"••••": 1}]}


RULES = (
    MappingRule("whole", path=()),
    MappingRule("said", path=("message",)),
    MappingRule("list", path=("list",)),
    MappingRule("number", path=("message",), convert="number"),
    MappingRule("header", call="header:X-Long"),
    MappingRule("error", call="error"),
)


@pytest.mark.parametrize("length", [20, 40, 80, 200, 300, record.MAX_VALUE_CHARACTERS, 4096, record.MAX_BODY_BYTES])
@pytest.mark.parametrize("status", [200, 500])
def test_no_part_of_a_secret_is_left_where_a_text_is_cut(length: int, status: int) -> None:
    """Of a secret that a cut divides, the first part is no longer known for one."""
    spec = StepSpec(
        key="a",
        request=RequestSpec(url="https://a.example/", headers=(Pair("X-Key", "{{secret.plain}}"),)),
        mapping=RULES,
    )
    for before in range(length - len(PLAIN), length):
        long = "." * before + PLAIN
        texts = [
            recorded(ThirdParty(answer(status, {"message": long, "list": [long, 1]}, X_Long=long[-4000:])), spec),
            recorded(ThirdParty(answer(status, text=long)), spec),
            recorded(ThirdParty(answer(status, text=f"<html><title>{long}</title></html>")), spec),
        ]
        assert [text[text.find(PLAIN[:3]) - 40 :][:80] for text in texts if PLAIN[:3] in text] == []


def test_an_answer_that_is_nothing_but_a_secret_is_kept_as_masked() -> None:
    """Masked it is shorter than what is left out behind a cut."""
    secret = "s" * 5000
    spec = StepSpec(
        key="a", request=RequestSpec(url="https://a.example/", headers=(Pair("X-Key", "{{secret.plain}}"),))
    )
    third = ThirdParty(answer(200, text=secret * 100))
    known = executor.Known(secrets={"plain": secret}, hosts={"plain": None})
    execution = executor.execute(spec, {}, send=third, clock=Clock(), tokens=NoTokens(), known=known)
    kept = record.record_of(execution, {})
    assert kept.response_body == b"" and kept.detail["response"]["cut"]


def test_a_number_that_is_a_secret_is_masked_too() -> None:
    masked = record.masked_json({"pin": 12345678, "list": [Decimal("1.5"), True, None]}, frozenset({"12345678"}))
    assert masked == {"pin": "••••", "list": [Decimal("1.5"), True, None]}


@pytest.mark.parametrize("before", range(1980, 2001))
def test_a_path_is_cut_where_it_is_longer_than_a_value(before: int) -> None:
    rule = MappingRule("a", path=("." * before + PLAIN + "x" * 5000,))
    request = RequestSpec(url="https://a.example/", headers=(Pair("X-Key", "{{secret.plain}}"),))
    text = recorded(ThirdParty(answer(200, {"b": 1})), StepSpec(key="a", request=request, mapping=(rule,)))
    assert f'"{normalized(rule.path or ())[:1900]}' in text
    assert len(text) < 2 * record.MAX_VALUE_CHARACTERS + 2000 and text.count("…") == 2
    assert PLAIN[:3] not in text


def test_a_body_is_cut_at_64_kb_on_a_character() -> None:
    data = ("x" * (record.MAX_BODY_BYTES - 1) + "ä" * 10).encode()
    kept, was_cut = record.cut(data)
    assert was_cut
    assert kept.decode() == "x" * (record.MAX_BODY_BYTES - 1)
    assert record.cut(b"short") == (b"short", False)


@pytest.mark.parametrize("char", ["a", "ä", "€", "😀"])
@pytest.mark.parametrize("offset", range(4))
def test_a_cut_never_splits_a_character(char: str, offset: int) -> None:
    kept, _ = record.cut(("x" * offset + char * record.MAX_BODY_BYTES).encode())
    kept.decode()
    assert record.MAX_BODY_BYTES - 4 < len(kept) <= record.MAX_BODY_BYTES


def test_what_differs_below_a_name_as_long_as_an_answer_is_a_small_record() -> None:
    """The name is in each of 400 paths, and was written, masked and kept as often."""
    accepted, later = ({"n" * 20_000: {f"{call}{number}": 1 for number in range(200)}} for call in ("a", "b"))
    drift = compare(shape_of(accepted), shape_of(later))
    kept = record.drift_json(drift, frozenset({SECRET}))
    assert (len(kept["missing"]), len(kept["new"])) == (200, 200) and "more" not in kept
    assert kept["new"][7]["path"] == ["n" * 200 + "…", "b7"] and kept["new"][7]["text"] == f"$['{'n' * 200}…']['b7']"
    assert len(jsontext.dumps(kept)) < 300_000


@pytest.mark.parametrize("levels", [5, 28, 29, 74, 200])
def test_of_a_deep_path_of_a_difference_the_end_is_kept(levels: int) -> None:
    path = (*(f"{number:04}" for number in range(levels)), "*", "end")
    change = record.drift_json(Drift(changed=(Change(path, "number", "string"),)))["changed"][0]
    kept = change["path"]
    if len(path) <= 30:
        assert tuple(kept) == path
    else:
        assert kept[0] == "…" and tuple(kept[1:]) == path[-30:]
    assert change["text"] == normalized(tuple(kept)) and len(change["text"]) <= 310


def test_no_part_of_a_secret_is_left_where_a_name_is_cut() -> None:
    """A structure may have been accepted before what is in its names became a secret."""
    for before in range(200 - len(PLAIN), 201):
        for after in (0, 1, 500, 5000):
            name = "." * before + PLAIN + "x" * after
            drift = Drift(missing=(Change((name, "*"), "null"), Change(("a", name), "null")))
            text = jsontext.dumps_text(record.drift_json(drift, frozenset({PLAIN, SECRET})))
            assert PLAIN[:3] not in text.replace(PLAIN, "") and ("." * min(before, 190)) in text
            assert after < 20 or PLAIN not in text
