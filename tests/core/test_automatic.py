"""A first answer maps itself: readable names, at most 100 rules, every value found again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.answer.automatic import automatic_rules
from httpstep.core.answer.mapping import CallFacts, apply_rules
from httpstep.core.answer.rulecheck import check_rules
from httpstep.core.jsontext import Path, loads
from httpstep.core.query.jsonpath import normalized
from tests.core.timing import within

CALL = CallFacts(status=200, error=None, duration_ms=1, headers=())


def names(document: str, **settings: Any) -> dict[str, str]:
    rules = automatic_rules(loads(document), step_key="order-status", **settings)
    return {normalized(rule.path or ()): rule.attribute for rule in rules}


def test_a_name_is_the_shortest_tail_of_the_path() -> None:
    assert names('{"data": {"attributes": {"order_status": "x"}}}') == {
        "$['data']['attributes']['order_status']": "order_status"
    }


def test_names_that_clash_take_one_more_level() -> None:
    assert names('{"customer": {"name": "a"}, "product": {"name": "b", "price": 1}, "name": "c"}') == {
        "$['customer']['name']": "customer_name",
        "$['product']['name']": "product_name",
        "$['product']['price']": "price",
        "$['name']": "name",
    }


def test_names_that_clash_on_two_levels_take_a_third() -> None:
    document = '{"billing": {"address": {"city": "a"}}, "shipping": {"address": {"city": "b"}}}'
    assert list(names(document).values()) == ["billing_address_city", "shipping_address_city"]


def test_a_list_is_mapped_by_its_first_item_and_as_a_whole() -> None:
    assert names('{"items": [{"sku": "a", "tags": ["x"]}, {"sku": "b", "more": 1}], "empty": []}') == {
        "$['items']": "items",
        "$['items'][0]['sku']": "sku",
        "$['items'][0]['tags']": "tags",
        "$['items'][0]['tags'][0]": "tags_first",
        "$['empty']": "empty",
    }


def test_an_answer_without_names_has_names_too() -> None:
    assert names("5") == {"$": "answer"}
    assert names("[[1]]") == {"$": "answer", "$[0]": "answer_first", "$[0][0]": "answer_first_first"}
    assert names("null") == {"$": "answer"}
    assert names("{}") == {"$": "answer"}


def test_the_steps_key_goes_in_front_of_a_name_the_account_has() -> None:
    assert names('{"name": "a", "order-status_id": 1, "id": 2}', taken={"name", "id"}) == {
        "$['name']": "order-status_name",
        "$['order-status_id']": "order-status_id",
        "$['id']": "order-status_id_2",
    }


def test_keys_become_names_that_can_be_written_between_braces() -> None:
    document = '{"größe": 1, "order status!": 2, "2024": 3, "статус": 4, "": 5, "a b": 6, "a_b": 7, "secret.x": 8, "crème": 9, "v1.0": 10}'
    assert list(names(document).values()) == [
        "groesse", "order_status", "_2024", "status", "value", "a_b", "a_b_2", "secret_x", "creme", "v1.0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("Цена", "Tsena"), ("Ёлка", "Yolka"), ("объект", "obekt"), ("Адреса_доставки", "Adresa_dostavki"), ("Ціна їжі", "Tsina_yizhi"),
        ("τιμή", "timi"), ("Διεύθυνση", "Dieythynsi"),
        ("订单号", "DingDanHao"), ("價格", "JiaGe"), ("名前", "MingQian"), ("カナ", "kana"), ("データ", "deta"), ("ひらがな", "hiragana"),
        ("가격", "GaGyeog"), ("주문_번호", "JuMun_BeonHo"),
        ("السعر", "alsar"), ("اسم", "asm"), ("عنوان", "anwan"), ("قيمة", "qymh"), ("قیمت", "qymt"), ("מחיר", "mhyr"), ("שם", "shm"),
        ("ราคา", "rakha"), ("ชื่อ", "chueo"), ("मूल्य", "muly"), ("விலை", "vilai"), ("დასახელება", "dasakheleba"), ("գին", "gin"), ("ዋጋ", "waga"),
        ("łódź", "lodz"), ("Straße", "Strasse"), ("Übergröße", "Uebergroesse"), ("Ｐｒｉｃｅ", "Price"), ("đơn_hàng", "don_hang"),
        ("٣", "_3"), ("€", "EUR"), ("🍕", "pizza"), ("價格 (€)", "JiaGe_EUR"), ("!?", "value"), ("\u200b", "value"), ("\U000fffff", "value"),
    ],
)  # fmt: skip
def test_a_key_in_another_script_keeps_its_letters(key: str, name: str) -> None:
    (found,) = names(f'{{"{key}": 1}}').values()
    assert found == name


def test_two_keys_in_another_script_have_two_names_that_tell_which_is_which() -> None:
    assert list(names('{"Цена": 1, "名前": 2}').values()) == ["Tsena", "MingQian"]


def test_a_general_word_takes_its_parent_along() -> None:
    document = '{"clouds": {"all": 97}, "weather": [{"main": "Rain", "id": 5}], "main": {"temp": 2}, "data": 1, "a": {"key": 1}}'
    assert list(names(document).values()) == ["clouds_all", "weather", "weather_main", "id", "temp", "data", "a_key"]


def test_a_marked_dictionary_is_one_value() -> None:
    document = '{"rates": {"EUR": 1, "USD": 2}, "l": [{"by_day": {"2026-01-01": 1}}]}'
    assert names(document, dictionaries=(("rates",), ("l", "*", "by_day"))) == {
        "$['rates']": "rates",
        "$['l']": "l",
        "$['l'][0]['by_day']": "by_day",
    }


def test_of_more_than_100_values_the_outermost_are_taken_in_the_order_of_the_document() -> None:
    inner = ",".join(f'"i{number}": 1' for number in range(90))
    outer = ",".join(f'"o{number}": 1' for number in range(60))
    found = list(names(f'{{"deep": {{{inner}}}, {outer}}}').values())
    assert len(found) == 100
    assert found[:40] == [f"i{number}" for number in range(40)]
    assert found[40:] == [f"o{number}" for number in range(60)]


keys = st.sampled_from(["id", "name", "a.b", "a b", "", "ä", "1", "items", "secret.", "名前", "x" * 120]) | st.text(
    max_size=4
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=40,
)


def first_values(document: Any, path: Path = ()) -> list[tuple[Path, Any]]:
    """Every plain value, every list and every empty object, lists by their first item."""
    if isinstance(document, dict) and document:
        return [found for key, child in document.items() for found in first_values(child, (*path, key))]
    below = first_values(document[0], (*path, 0)) if isinstance(document, list) and document else []
    return [(path, document), *below]


@given(documents, st.sets(st.sampled_from(["id", "name", "value", "answer", "k_id"])))
def test_every_value_is_found_again_under_a_valid_name_of_its_own(document: Any, taken: set[str]) -> None:
    rules = automatic_rules(document, step_key="k", taken=taken)
    expected = first_values(document)
    assert len(rules) == min(len(expected), 100)
    assert check_rules(rules) == []
    result = apply_rules(rules, document, True, CALL)
    assert result.missing == ()
    assert not taken & result.values.keys()
    if len(expected) <= 100:
        assert [(rule.path, result.values[rule.attribute]) for rule in rules] == expected


@pytest.mark.parametrize(
    "document",
    [
        {f"k{number}": {"a": number} for number in range(50_000)},
        loads('{"a":' * 198 + "[" + "{}," * 200_000 + "{}]" + "}" * 198),
        [{f"{a}{b}": 1 for a in range(200) for b in "abcdefgh"}],
        loads('{"x":' * 100 + '{"a":{"n":1},"b":{"n":1}}' + "}" * 100),
    ],
    ids=["wide", "deep", "many keys", "clashes far down"],
)
def test_a_hostile_answer_maps_itself_in_half_a_second(document: Any) -> None:
    assert 0 < len(automatic_rules(document, step_key="k")) <= 100
    assert within(0.5, lambda: automatic_rules(document, step_key="k"))
