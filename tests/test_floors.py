"""A floor imports only from floors below it (docs/architecture.md)."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "core": 0,
    "config": 1, "extensions": 1,
    "executor": 2, "transport": 2, "models": 2, "vault": 2, "tokens": 2, "mailserver": 2, "worker": 2, "refusals": 2,
    "ratelimit": 3, "alerts": 3, "idempotency": 3, "learning": 3, "postponed": 3,
    "calls": 4, "recording": 4, "runs": 4, "flows": 4, "answers": 4, "installation": 4, "accounts": 4, "stepform": 4, "backups": 4, "rotation": 4,
    "web": 5, "commands": 5, "commands_users": 5, "commands_accounts": 5, "commands_storage": 5, "server": 5, "demo": 5,
}  # fmt: skip
BESIDE = {
    ("models", "vault"), ("recording", "calls"), ("runs", "calls"), ("runs", "recording"), ("flows", "calls"), ("answers", "calls"), ("runs", "answers"), ("flows", "runs"), ("flows", "answers"), ("server", "installation"), ("demo", "server"), ("tokens", "core"), ("worker", "refusals"),
    ("backups", "installation"), ("commands_users", "commands"), ("commands_accounts", "commands"), ("commands_storage", "commands"),
}  # fmt: skip
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
            if theirs not in FLOORS or theirs == mine or (mine, theirs) in BESIDE:
                continue
            if FLOORS[theirs] >= FLOORS[mine]:
                wrong.append(f"{dotted(file)} imports {name}")
    assert wrong == []


def test_the_pure_floor_has_no_clock_no_file_no_socket_and_no_framework() -> None:
    wrong = [
        f"{dotted(file)} imports {name}"
        for file in sorted((ROOT / "httpstep/core").glob("*.py"))
        for name in imported(file)
        if name.split(".")[0] in IMPURE and name != "http" and not name.startswith("http.")
    ]
    assert wrong == []


def test_no_module_but_the_root_sees_the_application() -> None:
    assert [dotted(file) for file in modules() if "app" in {name.split(".")[0] for name in imported(file)}] == []
