"""Answers made to be much work, for `benchmarks.hostile_answers`: of each the accepted one and a later one."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable
from typing import Any, Final

SECRETS: Final = {
    "token": "sk_live_51H8xT2eZvKYlo2C0aBcDeFgH",
    "password": 'p"w/ü+1% &<long>',
    "client": "a-b-c-1f0e9d8c",
    "pin": "4711",
}
ENCODED: Final = "".join(f"%{ord(letter):02x}" for letter in SECRETS["token"])


def ids(count: int, seed: int) -> bytes:
    """An object whose keys are ids, others in every answer; not the sort that looks like ids."""
    chance = random.Random(seed)
    keys = ("".join(chance.choices("abcdefghijklmnop", k=10)) for _ in range(count))
    return json.dumps({key: {"n": 1, "s": "x"} for key in keys}).encode()


def nested(levels: int, pairs: int) -> bytes:
    return b"[" * levels + b",".join([b"[[1]]"] * pairs) + b"]" * levels


def _lists(count: int) -> bytes:
    return b"[" + b",".join([b"[[1]]"] * count) + b"]"


def filled(piece: str, size: int = 900_000, around: str = '{"text": "%s"}') -> bytes:
    return (around % (piece * (size // len(piece)))).encode()


def numbers(kind: str, size: int = 1_000_000) -> bytes:
    return ("[" + ",".join([kind] * (size // (len(kind) + 1))) + "]").encode()


def records(size: int = 900_000) -> list[dict[str, Any]]:
    return [
        {
            "id": n,
            "number": f"SO-{n:06}",
            "total": n / 8,
            "note": None,
            "customer": {"name": f"Name {n}", "city": "Köln"},
        }
        for n in range(size // 120)
    ]


SHAPES: Final[dict[str, tuple[bytes, bytes]]] = {
    "20,000 ids, others each call": (ids(20_000, 1), ids(20_000, 2)),
    "20,000 ids, the same": (ids(20_000, 1), ids(20_000, 1)),
    "1,000 ids, others each call": (ids(1_000, 1), ids(1_000, 2)),
    "95 levels, 150,000 [[1]]": (nested(95, 150_000), nested(95, 150_000)),
    "95 levels around 200 KB": (nested(95, 33_000), nested(95, 33_000)),
    "0.9 MB of {}": (b"[" + b"{}," * 299_999 + b"{}]",) * 2,
    "0.9 MB of [[[]]]": (b"[" + b"[[[]]]," * 128_999 + b"[]]",) * 2,
    "45,000 flat keys": (json.dumps({f"key{n:08}": n for n in range(45_000)}).encode(),) * 2,
    "one text, 900 KB": (filled("All good things. "),) * 2,
    "one text, 900 KB, no words": (filled("A"),) * 2,
    "one text, 900 KB of \\u0041": (filled("\\u0041"),) * 2,
    "one text, 900 KB of \\n": (filled("\\n"),) * 2,
    "one text, 900 KB of %41": (filled("%41"),) * 2,
    "a name, 900 KB of %41": (filled("%41", around='{"%s": 1}'),) * 2,
    "a name, 900 KB of \\u0041": (filled("\\\\u0041", around='{"%s": 1}'),) * 2,
    "many texts, 900 KB": (json.dumps([f"text {n}" for n in range(65_000)]).encode(),) * 2,
    "1 MB of whole numbers": (numbers("1234567"),) * 2,
    "1 MB of one digit": (numbers("7"),) * 2,
    "1 MB of decimals": (numbers("12.5"),) * 2,
    "1 MB of 1e5": (numbers("1e5"),) * 2,
    "1 MB with one -0": (numbers("7")[:-1] + b",-0]",) * 2,
    "records, 900 KB": (json.dumps(records(), ensure_ascii=False).encode(),) * 2,
    "records on many lines": (json.dumps(records(600_000), indent=2).encode()[:1_000_000],) * 2,
    "echoed secrets, 900 KB": (json.dumps({"a": [*SECRETS.values()] * 12_000}).encode(),) * 2,
    "1 MB of 1.5e10": (numbers("1.5e10"),) * 2,
    "1 MB of 1e-300": (numbers("1e-300"),) * 2,
    "1 MB of 1e999": (numbers("1e999"),) * 2,
    "1 MB of 0.0000001": (numbers("0.0000001"),) * 2,
    "1 MB of -0": (numbers("-0"),) * 2,
    "1 MB of NaN": (numbers("NaN"),) * 2,
    "one number, 900 KB": (b'{"a":' + b"9" * 900_000 + b"}",) * 2,
    "records in Latin-1": (json.dumps(records(), ensure_ascii=False).encode("latin-1"),) * 2,
    "one text in Latin-1": (filled("\u00e4", 400_000).decode().encode("latin-1"),) * 2,
    "a name, 900 KB of %": (filled("%", around='{"%s": 1}'),) * 2,
    "a name, 900 KB of &": (filled("&", around='{"%s": 1}'),) * 2,
    "a name, 900 KB of Base64 lines": (filled("QUJDREVGR0hJSktM" * 4 + "\\n", around='{"%s": 1}'),) * 2,
    "echoed secrets, encoded": (json.dumps({"a": [ENCODED] * 9_000}).encode(),) * 2,
    "a list of one object each": (json.dumps({f"n{n:05}": [{"a": 1, "b": "x"}] for n in range(30_000)}).encode(),) * 2,
    "secrets as names": (json.dumps({f"{n}-{SECRETS['token']}": 1 for n in range(18_000)}).encode(),) * 2,
}


# ---------------------------------------------------------------- no two numbers, no two letters alike


def distinct(written: Callable[[random.Random], str], size: int = 900_000) -> bytes:
    """A list of numbers of which hardly two are alike."""
    chance, texts, length = random.Random(1), list[str](), 0
    while length < size:
        texts.append(written(chance))
        length += len(texts[-1]) + 1
    return f"[{','.join(texts)}]".encode()


_NUMBERS: Final[dict[str, Callable[[random.Random], str]]] = {
    "with exponents": lambda chance: f"{chance.randint(1, 99_999) / 1000}e{chance.randint(1, 9)}",
    "of 7 characters": lambda chance: f"{chance.randint(1000, 9999)}E-{chance.randint(1, 9)}",
    "of 3-digit exponents": lambda chance: f"{chance.randint(10, 9999)}e-{chance.randint(100, 300)}",
    "beyond a double": lambda chance: f"{chance.randint(1, 9999)}e{chance.randint(1, 9)}999",
    "with seven zeros": lambda chance: f"0.0000000{chance.randint(100, 99_999)}",
}
for _kind, _written in _NUMBERS.items():
    SHAPES[f"numbers {_kind}"] = (distinct(_written),) * 2
    SHAPES[f"numbers {_kind}, and NaN"] = (distinct(_written)[:-1] + b",NaN]",) * 2


def random_name(spelled: str, seed: int, size: int = 900_000) -> str:
    """Random letters in one spelling: a format for a letter's code."""
    letters = random.Random(seed).choices(string.ascii_letters + string.digits, k=size // len(spelled.format(0x61)))
    return "".join(spelled.format(ord(letter)) for letter in letters)


def base64_lines(seed: int, size: int = 900_000) -> str:
    return base64.encodebytes(random.Random(seed).randbytes(size * 3 // 4)).decode()


def beside(name: str, *, as_name: bool = False) -> bytes:
    """An object with that name, and a secret that is echoed as a value or as a name."""
    return json.dumps({name: 1, **({SECRETS["token"]: 1} if as_name else {"echo": SECRETS["token"]})}).encode()


_SPELLINGS: Final = {
    "%41": "%{:02x}", "%2541": "%25{:02X}", "\\u0041": "\\u{:04x}", "\\x41": "\\x{:02x}", "&#65;": "&#{};", "&#x41;": "&#x{:x};",
    "hex": "{:02x}",
}  # fmt: skip
for _kind, _spelled in _SPELLINGS.items():
    _names = random_name(_spelled, 1), random_name(_spelled, 2)
    SHAPES[f"a name of random {_kind}"] = (beside(_names[0]), beside(_names[1]))
    if not _kind.startswith("&"):
        SHAPES[f"a name of random {_kind}, found"] = (beside(_names[0], as_name=True), beside(_names[1], as_name=True))
SHAPES["a name of random Base64 lines"] = (beside(base64_lines(1)), beside(base64_lines(2)))


# ---------------------------------------------------------------- what is shared by all that is listed


def below(names: int, tag: str, size: int = 800_000) -> bytes:
    """300 fields, and names around them that are nearly the whole answer."""
    inside: dict[str, Any] = {f"{tag}{number}": number for number in range(300)}
    for _ in range(names):
        inside = {"n" * (size // names): inside}
    return json.dumps(inside).encode()


for _names_around in (1, 50, 190):
    SHAPES[f"300 fields in {_names_around} long names"] = (below(_names_around, "a"), below(_names_around, "b"))
