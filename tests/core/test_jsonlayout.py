"""Laying a body out changes white space between tokens and nothing else."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpstep.core.inserting.jsonbodies import JsonBodyFault
from httpstep.core.inserting.jsonlayout import laid_out

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_it_indents_and_keeps_placeholders_numbers_and_escapes() -> None:
    text = '{"a":[1.10,{{n}} ,"x{{y}}\\u0041 , : [ \\""],"b":{},"c":[]  ,"d":{"e":null}}'
    assert laid_out(text) == (
        '{\n  "a": [\n    1.10,\n    {{n}},\n    "x{{y}}\\u0041 , : [ \\""\n  ],\n'
        '  "b": {},\n  "c": [],\n  "d": {\n    "e": null\n  }\n}'
    )


@given(ANY_JSON)
def test_the_document_stays_the_same_and_a_second_time_changes_nothing(document: object) -> None:
    text = re.sub(r"\{\{|\}\}", "", json.dumps(document, separators=(", ", ":")).replace("{{", "{ {"))
    try:
        before = json.loads(text)
    except ValueError:
        return
    once = laid_out(text)
    assert json.loads(once) == before
    assert laid_out(once) == once


def test_what_is_no_json_is_refused_and_nothing_is_empty() -> None:
    with pytest.raises(JsonBodyFault, match="line 2"):
        laid_out('{\n"a": }')
    assert laid_out("  ") == "  "
