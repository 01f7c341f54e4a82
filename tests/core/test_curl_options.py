"""The table of curl's options beside the installed curl."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from httpstep.core.importing.curl import from_curl
from httpstep.core.importing.shell import curloptions
from tests.conftest import ABSENT

ADDRESS = "https://api.example/v1/items"
_LINE = re.compile(r"\s*(?:-(?P<short>.), )?\s*--(?P<long>[a-z0-9.-]+)(?P<value> <| \[protocol)?")


@pytest.fixture(scope="module")
def listed(pytestconfig: pytest.Config) -> list[re.Match[str]]:
    if shutil.which("curl") is None:
        pytestconfig.stash[ABSENT]["the real curl"] = "it is not there (Debian's package curl)"
        pytest.skip("curl is not here; the summary names it")
    lines = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [found for line in lines if (found := _LINE.match(line))]


def test_every_option_of_curl_is_known_with_or_without_its_value(listed: list[re.Match[str]]) -> None:
    assert len(listed) > 200
    for one in listed:
        for typed in [f"--{one['long']}", *([f"-{one['short']}"] if one["short"] else [])]:
            [option, *others] = curloptions.read([typed, "value"])
            assert (option.name, option.is_known) == (one["long"], True), typed
            assert (option.value, len(others)) == (("value", 0) if one["value"] else ("", 1)), typed


def test_no_option_of_curl_makes_its_value_the_address(listed: list[re.Match[str]]) -> None:
    own = {"url", "url-query", "next", "request", "get", "header"}
    for one in (one for one in listed if one["long"] not in own):
        value = "a=value" if one["value"] else ""
        for typed in [f"--{one['long']}", *([f"-{one['short']}"] if one["short"] else [])]:
            assert from_curl(f"curl {typed} {value} {ADDRESS}").spec.url == ADDRESS, typed


@pytest.mark.parametrize("command", ["curl --not-yet-known value ADDRESS", "curl --not-yet-known ADDRESS"])
def test_an_option_that_nobody_knows_is_named_and_takes_no_address(command: str) -> None:
    result = from_curl(command.replace("ADDRESS", ADDRESS))
    assert result.spec.url == ADDRESS
    assert [one.option for one in result.ignored] == ["--not-yet-known"]
    assert "value" not in command or "value" in result.ignored[0].why
