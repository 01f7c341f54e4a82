"""A floor imports only from floors below it (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "core": 0,
    "config": 1, "extensions": 1,
    "transport": 2, "storage": 2,
    "alerts": 3,
    "execution": 4,
    "upkeep": 5,
    "serving": 6,
    "web": 7, "commands": 7,
    "application": 8,
    "quickstart": 9,
    "__main__": 10,
}  # fmt: skip
MAX_MODULES = 15
"""Of a room: more are a corridor."""
IMPURE = {"flask", "sqlalchemy", "requests", "urllib3", "socket", "ssl", "logging", "time", "random", "secrets", "os"}
IMPURE |= {"pathlib", "subprocess", "threading", "http", "smtplib", "select", "io", "tempfile", "uuid"}


def modules() -> list[Path]:
    return sorted((ROOT / "httpstep").rglob("*.py"))


def part_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imported(file: Path) -> set[str]:
    """Every module a file imports, TYPE_CHECKING or not, as full dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            whole = node.module == "httpstep"
            found.update(f"httpstep.{alias.name}" for alias in node.names if whole)
            if not whole:
                found.add(node.module)
    return found


def dotted(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def test_every_module_has_a_floor() -> None:
    parts = {part_of(dotted(file)).removesuffix("__init__") for file in modules()} - {""}
    assert parts - set(FLOORS) == set(), "say in FLOORS on which floor the new module stands"


def test_a_floor_imports_only_from_floors_below_it() -> None:
    wrong = []
    for file in modules():
        mine = part_of(dotted(file))
        if mine not in FLOORS:
            continue
        for name in imported(file):
            theirs = part_of(name) if name.startswith("httpstep.") else ""
            if theirs not in FLOORS or theirs == mine:
                continue
            if FLOORS[theirs] >= FLOORS[mine]:
                wrong.append(f"{dotted(file)} imports {name}")
    assert wrong == []


def test_the_pure_floor_has_no_clock_no_file_no_socket_and_no_framework() -> None:
    wrong = [
        f"{dotted(file)} imports {name}"
        for file in sorted((ROOT / "httpstep/core").rglob("*.py"))
        for name in imported(file)
        if name.split(".")[0] in IMPURE and name != "http" and not name.startswith("http.")
    ]
    assert wrong == []


def test_no_module_but_the_root_sees_the_application() -> None:
    assert [dotted(file) for file in modules() if "app" in {name.split(".")[0] for name in imported(file)}] == []


def rooms() -> dict[str, list[Path]]:
    """The folders of the package, each with its modules."""
    found: dict[str, list[Path]] = {}
    for file in modules():
        found.setdefault(".".join(file.parent.relative_to(ROOT).parts), []).append(file)
    return found


def room_of(module: str) -> str:
    """The room of an imported module, or of what is imported from one."""
    parts = module.split(".")
    while parts and not (ROOT / "/".join(parts)).with_suffix(".py").is_file() and not (ROOT / "/".join(parts)).is_dir():
        parts.pop()
    return ".".join(parts) if (ROOT / "/".join(parts)).is_dir() else ".".join(parts[:-1])


def test_no_room_has_more_modules_than_one_can_keep_in_mind() -> None:
    crowded = {room: len(files) - 1 for room, files in rooms().items() if len(files) - 1 > MAX_MODULES}
    assert crowded == {}


def test_every_room_says_at_its_door_what_lives_there() -> None:
    silent = [
        room
        for room in rooms()
        if not ast.get_docstring(ast.parse((ROOT / room.replace(".", "/") / "__init__.py").read_text()))
    ]
    assert silent == []


def test_no_two_rooms_import_each_other() -> None:
    """By whatever way: of two rooms one is below the other. Packages that only hand names on have no arrows of their own."""
    below: dict[str, set[str]] = {}
    for room, files in rooms().items():
        named = {
            room_of(name)
            for file in files
            if file.name != "__init__.py"
            for name in imported(file)
            if name.startswith("httpstep.")
        }
        below[room] = named - {room, "httpstep"}
    while below:
        ground = [room for room, others in below.items() if not others & below.keys()]
        assert ground, f"a circle of rooms: { {room: sorted(others & below.keys()) for room, others in below.items()} }"
        for room in ground:
            del below[room]
