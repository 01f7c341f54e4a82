"""The comparison asks the rules as a tree and lists so many differences: it tells what the plain definition tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from httpstep.core.drift import comparison
from httpstep.core.drift.structure import compare, shape_of, types_of
from httpstep.core.jsontext import Json, Path
from httpstep.core.outcome import record
from httpstep.core.query import jsonpath
from httpstep.core.step.execution import Change, Drift
from httpstep.core.step.spec import MappingRule
from httpstep.core.workcounter import WorkCounter

ANY = "*"


# ---------------------------------------------------------------- the definition, change by change and rule by rule


def defined(accepted: Json, latest: Json, rules: Sequence[MappingRule]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {"missing": [], "changed": [], "new": []}
    for kind, path, was, now in differences(accepted, latest, ()):
        mapped = any(reads(rule, path) for rule in rules if rule.on)
        found[kind].append(Change(path, was, now, mapped))
    return found


def reads(rule: MappingRule, changed: Path) -> bool:
    if rule.path is not None:
        return len(rule.path) >= len(changed) and alike(rule.path, changed)
    if rule.jsonpath is None or jsonpath.check_query(rule.jsonpath) is not None:
        return False
    searched = jsonpath.searched_path(rule.jsonpath)
    whole = jsonpath.singular_path(rule.jsonpath) is not None
    return (len(searched) >= len(changed) or not whole) and alike(searched, changed)


def alike(own: Path, changed: Path) -> bool:
    return all(part in (ANY, other) for part, other in zip(changed, own, strict=False))


def differences(accepted: Json, latest: Json, path: Path) -> Iterator[tuple[str, Path, str, str]]:
    was, now = set(accepted["types"]) - {"null"}, set(latest["types"]) - {"null"}
    may_be = was | EMPTY if was & EMPTY and is_empty(accepted) else was
    told = {kind for kind in now if kind in was or not (kind in EMPTY and was & EMPTY and is_empty(latest))}
    if was and not told <= may_be:
        yield "changed", path, types_of(accepted), types_of(latest)
    if "object" in was and "object" in now and not (was <= EMPTY and is_empty(accepted)):
        yield from object_differences(accepted, latest, path)
    if accepted.get("items") and latest.get("items"):
        yield from differences(accepted["items"], latest["items"], (*path, ANY))


EMPTY = {"array", "object"}


def is_empty(node: Json) -> bool:
    """A list or object without anything in it may be one of the other kind."""
    return not any(node.get(inside) for inside in ("items", "fields", "values"))


def object_differences(accepted: Json, latest: Json, path: Path) -> Iterator[tuple[str, Path, str, str]]:
    if "values" in accepted or "values" in latest:
        if accepted.get("values") and latest.get("values"):
            yield from differences(accepted["values"], latest["values"], (*path, ANY))
        return
    old, new = accepted.get("fields", {}), latest.get("fields", {})
    for key, node in old.items():
        if key in new:
            yield from differences(node, new[key], (*path, key))
        elif key not in accepted.get("optional", ()):
            yield "missing", (*path, key), types_of(node), ""
    for key, node in new.items():
        if key not in old:
            yield "new", (*path, key), "", types_of(node)


# ---------------------------------------------------------------- the same

KEYS = st.sampled_from(["a", "b", "c", "*", "0"])
DOCUMENTS = st.recursive(
    st.sampled_from([None, True, 1, "x"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(KEYS, inside, max_size=4),
    max_leaves=25,
)
PATHS = st.lists(KEYS | st.integers(0, 2), max_size=4).map(tuple)
QUERIES = st.sampled_from(
    ["$", "$.a", "$.a[*]", "$..b", "$[0].a", "$.a.b[?@.c==1]", "$.*", "$[*].a", "$.a[0]", "no query"]
)
RULES = st.lists(
    st.builds(lambda path, on: MappingRule("n", path=path, on=on), PATHS, st.booleans())
    | QUERIES.map(lambda query: MappingRule("n", jsonpath=query))
    | st.just(MappingRule("n", call="status")),
    max_size=6,
)
MARKS = st.lists(st.sampled_from([(), ("a",), ("a", "*"), ("*",), ("b", "c")]), max_size=2)


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS, DOCUMENTS, RULES, MARKS)
def test_it_tells_what_the_definition_tells(old: Json, new: Json, rules: list[MappingRule], marks: list[Path]) -> None:
    accepted, latest = shape_of(old, marks), shape_of(new, marks)
    told = defined(accepted, latest, rules)
    assert replace(compare(accepted, latest, rules), reveals=False) == Drift(
        *(tuple(told[kind]) for kind in ("missing", "changed", "new"))
    )


@settings(max_examples=100, deadline=None)
@given(
    st.sets(st.integers(0, 999), max_size=600), st.sets(st.integers(0, 999), max_size=600), st.sets(st.integers(0, 999))
)
def test_of_many_the_first_are_listed_mapped_ones_before_others_and_the_rest_is_counted(
    before: set[int], after: set[int], mapped: set[int]
) -> None:
    accepted, latest = (
        shape_of({"": 1} | {f"k{number}": 1 for number in sorted(side)}) for side in (before, after)
    )  # an empty object says nothing, so that there is one more name
    rules = [MappingRule("n", path=(f"k{number}",)) for number in sorted(mapped)]
    told, drift = defined(accepted, latest, rules), compare(accepted, latest, rules)
    for kind in ("missing", "new"):
        chosen = sorted(told[kind], key=lambda change: not change.mapped)[: comparison.MAX_LISTED]
        assert getattr(drift, kind) == tuple(change for change in told[kind] if change in chosen)
        assert getattr(drift, f"more_{kind}") == len(told[kind]) - len(chosen)


# ---------------------------------------------------------------- how much work it is


def ids(count: int, letter: str) -> dict[str, Any]:
    return {f"{letter}{number}": {"n": 1, "s": "x"} for number in range(count)}


def steps(count: int, rules: int) -> int:
    work = WorkCounter()
    old, new = ids(count, "a"), ids(count, "b")
    paths = [MappingRule("n", path=(f"a{number}", "n")) for number in range(rules)]
    compare(shape_of(old, (), work), shape_of(new, (), work), paths, work)
    return work.spent


def test_the_work_grows_with_the_answer_and_not_with_the_rules() -> None:
    assert steps(4000, 100) < 4.5 * steps(1000, 100)
    assert steps(4000, 400) == steps(4000, 4)


def test_so_many_differences_make_a_small_record() -> None:
    drift = compare(shape_of(ids(5000, "a")), shape_of(ids(4000, "b")), [MappingRule("n", path=("a4999", "n"))])
    written = record.drift_json(drift)
    assert [len(written[kind]) for kind in ("missing", "changed", "new")] == [200, 0, 200]
    assert written["more"] == {"missing": 4800, "new": 3800}
    assert written["missing"][-1]["text"] == "$['a4999']" and written["missing"][-1]["mapped"]


def test_a_difference_that_is_listed_whole_says_nothing_of_more() -> None:
    assert "more" not in record.drift_json(compare(shape_of({"a": 1}), shape_of({"b": 1})))
