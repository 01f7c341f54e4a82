"""What stands fixed in a pasted command and differs from customer to customer is said, and made a variable by one press."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import OrderApi, fill_from, settle

SQLITE_ONLY = "what a person does and sees"
ASKS = "is the same in each call"


def test_a_number_in_the_address_is_made_a_variable_with_its_value_for_test(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    fill_from(page, f"curl '{api.url}/v2/shops/12/orders/4711?lang=de&page=2'")
    line = page.locator("#varying")
    expect(line).to_contain_text(f"4711 {ASKS}, whoever asks.")
    line.get_by_role("button", name="Make it a variable").click()
    expect(page.locator("#at-request-url")).to_have_value(
        f"{api.url}/v2/shops/12/orders/{{{{order_id}}}}?lang=de&page=2"
    )
    expect(page.locator('[name="value:order_id"]')).to_have_value("4711")
    settle(page)
    expect(line).to_have_count(0)
    page.keyboard.press("Control+z")
    settle(page)
    expect(line).to_have_count(0)


@pytest.mark.parametrize(
    ("arguments", "literal", "name", "value"),
    [
        ("'{}/customers?phone=%2B49301234567'", "%2B49301234567", "phone", "+49301234567"),
        ("'{}/customers?apikey=123456789&email=ada@shop.example'", "ada@shop.example", "email", "ada@shop.example"),
        ("'{}/t/ORD-4711.json'", "ORD-4711", "t_id", "ORD-4711"),
        (
            "'{}/users/0b0f5c6e-5a0f-4c57-9c0a-3d6f1d1c8b11/orders'",
            "0b0f5c6e-5a0f-4c57-9c0a-3d6f1d1c8b11",
            "user_id",
            "",
        ),
        ("'{}/leads' --json '{{\"source\": 3, \"customerId\": 77}}'", "77", "customerId", "77"),
        ("'{}/leads' -d phone=0301234567", "0301234567", "phone", "0301234567"),
    ],
)
def test_ids_numbers_mails_and_phones_are_found_where_they_stand(
    desk: tuple[Page, OrderApi], arguments: str, literal: str, name: str, value: str
) -> None:
    page, api = desk
    fill_from(page, f"curl {arguments.format(api.url)}")
    expect(page.locator("#varying code")).to_have_text(literal)
    page.get_by_role("button", name="Make it a variable").click()
    expect(page.locator(f'[name="value:{name}"]')).to_have_value(value or literal)
    settle(page)
    expect(page.locator("#varying")).to_have_count(0)


def test_versions_pages_and_what_is_one_for_all_are_left_alone(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    for rest in (
        "v2/orders", "api/3/issues", "admin/api/2024-01/orders.json", "orders/sha-256", "page/2", "2024/report",
        "orders?page=2&limit=50&client_id=4711&account_id=12", "orders?date=2024-01-31&units=10", "orders/{{order.id}}?email=a@b.example",
    ):  # fmt: skip
        fill_from(page, f"curl '{api.url}/{rest}'")
        assert page.locator("#varying").all_text_contents() == [], rest
    fill_from(
        page, f"""curl '{api.url}/mails' --json '{{"from": "shop@shop.example", "amount": 12, "channel_id": 5}}'"""
    )
    expect(page.locator("#varying")).to_have_count(0)


def test_one_that_is_left_is_asked_about_no_more_and_typing_asks_nothing(desk: tuple[Page, OrderApi]) -> None:
    page, api = desk
    page.locator("#at-request-url").fill(f"{api.url}/orders/4711")
    settle(page)
    expect(page.locator("#varying")).to_have_count(0)
    fill_from(page, f"""curl '{api.url}/orders/4711' --json '{{"email": "ada@shop.example"}}'""")
    page.locator("#varying").get_by_role("button", name="Leave it").click()
    page.locator('[name="name"]').fill("Order")
    settle(page)
    expect(page.locator("#varying")).to_have_count(0)
    fill_from(page, f"""curl '{api.url}/orders/4711' --json '{{"email": "ada@shop.example"}}'""")
    expect(page.locator("#varying")).to_contain_text("4711")
    page.locator("#at-request-url").fill(f"{api.url}/orders/{{{{id}}}}")
    settle(page)
    expect(page.locator("#varying")).to_have_count(0)
