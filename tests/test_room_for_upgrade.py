"""An upgrade that might fill the disk is refused with figures, before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from httpstep.config import StartError
from httpstep.upkeep import installation


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.mark.parametrize("free, refused", [(35_999_999, True), (36_000_000, False)])
def test_an_upgrade_needs_twice_the_database_and_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, refused: bool
) -> None:
    file = tmp_path / "httpstep.db"
    file.write_bytes(bytes(10_000_000))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - free, free))
    if not refused:
        installation.check_room(file, tmp_path)
        return
    with pytest.raises(StartError, match=r"needs 36 MB free .* there are 36 MB. Nothing was changed"):
        installation.check_room(file, tmp_path)
