"""Answers of an invented shop, and what a provider does to them: each change knows where every value went."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from httpstep.core.jsontext import Json, Path


@dataclass
class Leaf:
    """A value on its way through the changes. sure: a person would find it again without asking."""

    value: Json
    origin: Path | None = None
    sure: bool = True


@dataclass
class Drifted:
    """truth: old path -> (new path or None, whether that is beyond doubt)."""

    old: Json
    new: Json
    truth: dict[Path, tuple[Path | None, bool]] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)


def drifted(seed: int) -> Drifted:
    chance = random.Random(seed)
    tree = _document(chance)
    old = _plain(tree)
    origins = [leaf.origin for _, leaf in _leaves(tree)]
    result = Drifted(old, None)
    same_values = chance.random() < 0.5
    if not same_values:
        _refresh(tree, chance)
    for _ in range(chance.choice((1, 1, 2))):
        change = chance.choice(_CHANGES)
        tree = change(tree, chance, same_values)
        result.changes.append(change.__name__)
    result.changes.append("same values" if same_values else "other values")
    result.new = _plain(tree)
    went = {leaf.origin: (path, leaf.sure) for path, leaf in _leaves(tree) if leaf.origin is not None}
    result.truth = {origin: went.get(origin, (None, True)) for origin in origins if origin is not None}
    return result


# ---------------------------------------------------------------- documents


def _values(chance: random.Random) -> dict[str, dict[str, Any]]:
    number = chance.randint
    day = f"2026-{number(1, 12):02}-{number(1, 28):02}T{number(0, 23):02}:{number(10, 59)}:00Z"
    return {
        "order": {
            "id": number(10000, 99999),
            "order_number": f"SO-{number(1000, 9999)}",
            "status": chance.choice(("shipped", "pending", "delivered", "cancelled")),
            "total": Decimal(number(1000, 99999)) / 100,
            "currency": chance.choice(("EUR", "USD", "GBP")),
            "created_at": day,
            "paid": chance.random() < 0.5,
        },
        "customer": {
            "id": number(100000, 999999),
            "first_name": chance.choice(("Anna", "Bert", "Chiara", "Dmitri", "Eveline")),
            "last_name": chance.choice(("Meyer", "Okafor", "Lindqvist", "Tanaka", "Rossi")),
            "email": f"{chance.choice('abcdef')}{number(10, 999)}@shop.example",
            "phone": f"+49 30 {number(100000, 999999)}",
            "vip": chance.random() < 0.3,
        },
        "address": {
            "street": f"{chance.choice(('Oak', 'Mill', 'Station'))} Road {number(1, 99)}",
            "city": chance.choice(("Berlin", "Lyon", "Porto", "Graz")),
            "zip": str(number(10000, 99999)),
            "country": chance.choice(("DE", "FR", "PT", "AT")),
        },
        "shipping": {
            "carrier": chance.choice(("DHL", "UPS", "GLS")),
            "tracking_number": f"JD{number(10**9, 10**10 - 1)}",
            "status": chance.choice(("in_transit", "out_for_delivery", "at_depot")),
            "eta": f"2026-{number(1, 12):02}-{number(1, 28):02}",
        },
        "payment": {
            "method": chance.choice(("card", "paypal", "invoice")),
            "status": chance.choice(("captured", "authorised", "refunded")),
            "transaction_id": f"tx_{number(10**6, 10**7)}",
            "amount": Decimal(number(1000, 99999)) / 100,
        },
        "item": {
            "sku": f"{chance.choice('ABC')}-{number(100, 999)}",
            "name": chance.choice(("Blue lamp", "Oak chair", "Red kettle")),
            "quantity": number(1, 9),
            "price": Decimal(number(100, 9999)) / 100,
        },
    }


def _document(chance: random.Random) -> Any:
    blocks = _values(chance)
    item, second = blocks.pop("item"), _values(chance)["item"]
    order = blocks.pop("order")
    chosen = chance.sample(sorted(blocks), chance.randint(1, 4))
    tree: dict[str, Any] = dict(order)
    for name in chosen:
        tree[name] = blocks[name]
    if chance.random() < 0.6:
        tree["items"] = [item, second]
    if chance.random() < 0.5:
        tree = {chance.choice(("data", "order")): tree, "request_id": f"req-{chance.randint(10**6, 10**7)}"}
    return _planted(tree, ())


def _planted(value: Any, path: Path) -> Any:
    if isinstance(value, dict):
        return {key: _planted(child, (*path, key)) for key, child in value.items()}
    if isinstance(value, list):
        return [_planted(child, (*path, index)) for index, child in enumerate(value)]
    return Leaf(value, path)


def _plain(tree: Any) -> Json:
    if isinstance(tree, dict):
        return {key: _plain(child) for key, child in tree.items()}
    if isinstance(tree, list):
        return [_plain(child) for child in tree]
    return tree.value


def _leaves(tree: Any, path: Path = ()) -> list[tuple[Path, Leaf]]:
    if isinstance(tree, Leaf):
        return [(path, tree)]
    children = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [found for key, child in children for found in _leaves(child, (*path, key))]


def _refresh(tree: Any, chance: random.Random) -> None:
    """Another call: the same fields with other values."""
    fresh = {key: value for block in _values(chance).values() for key, value in block.items()}
    for path, leaf in _leaves(tree):
        keys = [part for part in path if isinstance(part, str)]
        block = _values(chance).get(keys[-2] if len(keys) > 1 else "order", {})
        leaf.value = block.get(keys[-1], fresh.get(keys[-1], leaf.value))


# ---------------------------------------------------------------- changes


def _objects(tree: Any) -> list[dict[str, Any]]:
    """The objects that are no items of a list: a change to one item alone makes a field optional, not gone."""
    if isinstance(tree, list) and len(tree) == 1:
        return _objects(tree[0])
    if not isinstance(tree, dict):
        return []
    return [tree, *(found for child in tree.values() for found in _objects(child))]


def _renamed(tree: Any, name: Any) -> Any:
    if isinstance(tree, dict):
        return {name(key): _renamed(child, name) for key, child in tree.items()}
    return [_renamed(child, name) for child in tree] if isinstance(tree, list) else tree


def wrapped(tree: Any, chance: random.Random, same: bool) -> Any:
    if chance.random() < 0.1:
        return [tree]
    way = chance.choice(("data", "result", "response", "payload"))
    return {way: tree} if chance.random() < 0.7 else {way: {"body": tree}, "ok": Leaf(True)}


def unwrapped(tree: Any, chance: random.Random, same: bool) -> Any:
    inner = next((tree[key] for key in ("data", "order") if isinstance(tree, dict) and key in tree), None)
    if not isinstance(inner, dict):
        return wrapped(tree, chance, same)
    others = {key: child for key, child in tree.items() if child is not inner}
    return inner if others.keys() & inner.keys() else {**others, **inner}


def respelled(tree: Any, chance: random.Random, same: bool) -> Any:
    """snake_case becomes camelCase or PascalCase everywhere."""
    camel = chance.random() < 0.7

    def name(key: str) -> str:
        words = re.split(r"_", key)
        first = words[0] if camel else words[0].title()
        return first + "".join(word.title() for word in words[1:])

    return _renamed(tree, name)


def block_renamed(tree: Any, chance: random.Random, same: bool) -> Any:
    names = {"customer": "client", "address": "delivery_address", "shipping": "shipment", "payment": "billing"}
    return _renamed(tree, lambda key: names.get(key, key))


def block_moved(tree: Any, chance: random.Random, same: bool) -> Any:
    """One object goes into another, new one."""
    holders = [(tree, key) for tree in _objects(tree) for key, child in tree.items() if isinstance(child, dict)]
    if not holders:
        return wrapped(tree, chance, same)
    holder, key = chance.choice(holders)
    holder[chance.choice(("details", "included", "related"))] = {key: holder.pop(key)}
    return tree


def word_added(tree: Any, chance: random.Random, same: bool) -> Any:
    """A field gets a second word in its name: sure where the value shows it."""
    holder = chance.choice(_with_fields(tree))
    keys = [key for key, child in holder.items() if isinstance(child, Leaf)]
    key = chance.choice(keys)
    new = chance.choice(("current_{}", "{}_value", "main_{}")).format(key)
    leaf = holder.pop(key)
    leaf.sure = leaf.sure and same and len(str(leaf.value)) > 4
    holder[new] = leaf
    return tree


def field_moved(tree: Any, chance: random.Random, same: bool) -> Any:
    """One field goes to another object: sure where the value shows it."""
    holders = _with_fields(tree)
    holder = chance.choice(holders)
    key = chance.choice([key for key, child in holder.items() if isinstance(child, Leaf)])
    leaf = holder.pop(key)
    leaf.sure = leaf.sure and same and len(str(leaf.value)) > 4
    target = chance.choice([*holders, holder])
    if target is holder or key in target:
        target = holder.setdefault("summary", {})
    target[key] = leaf
    return tree


def _with_fields(tree: Any) -> list[dict[str, Any]]:
    return [found for found in _objects(tree) if any(isinstance(child, Leaf) for child in found.values())]


def field_removed(tree: Any, chance: random.Random, same: bool) -> Any:
    holder = chance.choice(_with_fields(tree))
    del holder[chance.choice([key for key, child in holder.items() if isinstance(child, Leaf)])]
    return tree


def replaced_by_a_decoy(tree: Any, chance: random.Random, same: bool) -> Any:
    """A field is gone, and one of the same name but of another meaning has come elsewhere."""
    holder = chance.choice(_with_fields(tree))
    key = chance.choice([key for key, child in holder.items() if isinstance(child, Leaf)])
    gone = holder.pop(key)
    other = {bool: False, int: 7, str: "something else", Decimal: Decimal("1.23")}[type(gone.value)]
    holder["loyalty"] = {key: Leaf(other), "points": Leaf(12), "tier": Leaf("gold")}
    return tree


def equal_by_chance(tree: Any, chance: random.Random, same: bool) -> Any:
    """A field is gone, and a new one of another name happens to have the same value."""
    holder = chance.choice(_with_fields(tree))
    gone = holder.pop(chance.choice([key for key, child in holder.items() if isinstance(child, Leaf)]))
    holder["checked_against"] = Leaf(gone.value)
    return tree


_CHANGES = (
    wrapped,
    wrapped,
    unwrapped,
    respelled,
    block_renamed,
    block_moved,
    word_added,
    field_moved,
    field_removed,
    replaced_by_a_decoy,
    equal_by_chance,
)
