"""The patterns of the house are compiled when they are first used, and all of them can be."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from httpstep.core.regex import regex

ROOT = Path(__file__).parents[2]
ALL_AT_ONCE = """
import importlib, pkgutil, re
import httpstep.core.regex as module
compiled = []
def at_once(pattern, flags=0):
    compiled.append(pattern)
    return re.compile(pattern, flags)
module.regex = at_once
import httpstep
for found in pkgutil.walk_packages(httpstep.__path__, "httpstep."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(len(compiled))
"""


def test_every_pattern_of_the_house_can_be_compiled() -> None:
    ended = subprocess.run([sys.executable, "-c", ALL_AT_ONCE], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) > 200


def test_no_module_compiles_a_pattern_when_it_is_imported() -> None:
    eager = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in (ROOT / "httpstep").rglob("*.py")
        for statement in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile"
    ]
    assert eager == []


def test_it_is_used_as_what_is_compiled_at_once() -> None:
    for pattern, flags in ((r"(?P<a>\d+)(b)?", 0), ("É", re.IGNORECASE), (r"^a.", re.MULTILINE | re.DOTALL)):
        later, now = regex(pattern, flags), re.compile(pattern, flags)
        for text in ("12b", "xé", "b\na\n", ""):
            assert [found.groups() for found in later.finditer(text)] == [
                found.groups() for found in now.finditer(text)
            ]
            assert (later.fullmatch(text) is None) is (now.fullmatch(text) is None)
            assert later.sub("-", text) == now.sub("-", text)
        assert (later.pattern, later.flags, later.groupindex) == (now.pattern, now.flags, now.groupindex)
    assert regex(rb"\xef\xbb\xbf").match(b"\xef\xbb\xbf{")


def test_what_is_wrong_with_one_is_said_by_its_use() -> None:
    wrong = regex("(")
    with pytest.raises(re.error):
        wrong.match("")
