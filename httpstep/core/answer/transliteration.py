"""Letters of other scripts in the ASCII letters that a name may have, so that a name tells which value it is.

Cyrillic and Greek by the tables of ISO 9 and ISO 843 as keyboards write them, all others by the last word of their name
in Unicode (kana, hangul, Arabic, ...), and ideographs, which have none, by their number: `u4fa1`.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_CYRILLIC: Final = dict(
    zip(
        "абвгґдеёєжзиіїйклмнопрстуўфхцчшщъыьэюя",
        [
            "a",
            "b",
            "v",
            "g",
            "g",
            "d",
            "e",
            "yo",
            "ye",
            "zh",
            "z",
            "i",
            "i",
            "yi",
            "y",
            "k",
            "l",
            "m",
            "n",
            "o",
            "p",
            "r",
            "s",
            "t",
            "u",
            "u",
            "f",
            "kh",
            "ts",
            "ch",
            "sh",
            "shch",
            "-",
            "y",
            "-",
            "e",
            "yu",
            "ya",
        ],
        strict=True,
    )
)
_GREEK: Final = dict(
    zip(
        "αβγδεζηθικλμνξοπρσςτυφχψω",
        [
            "a",
            "v",
            "g",
            "d",
            "e",
            "z",
            "i",
            "th",
            "i",
            "k",
            "l",
            "m",
            "n",
            "x",
            "o",
            "p",
            "r",
            "s",
            "s",
            "t",
            "y",
            "f",
            "ch",
            "ps",
            "o",
        ],
        strict=True,
    )
)
_LATIN: Final = {
    "ß": "ss",
    "ä": "ae",
    "ö": "oe",
    "ü": "ue",
    "æ": "ae",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ı": "i",
    "þ": "th",
}
_TABLE: Final = {letter: text.replace("-", "") for letter, text in (_CYRILLIC | _GREEK | _LATIN).items()}


def in_ascii(text: str) -> str:
    """The text with every letter and digit in ASCII; what is neither stays."""
    return "".join(map(_letter, unicodedata.normalize("NFC", text)))


def _letter(character: str) -> str:
    if character.isascii():
        return character
    found = _TABLE.get(character.lower())
    if found is None:
        plain = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
        found = plain if plain.isascii() else _TABLE.get(plain.lower()) or _by_name(character)
    return found.capitalize() if character.isupper() and character.isalpha() else found


def _by_name(character: str) -> str:
    if character.isdigit():
        return str(unicodedata.digit(character))
    if not character.isalpha():
        return character
    name = unicodedata.name(character, "").rpartition(" ")[2].lower()
    return name if name.isalpha() and name.isascii() else f"u{ord(character):x}"
