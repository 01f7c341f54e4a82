"""The key of a step: its name in URLs and documents."""

from __future__ import annotations

import unicodedata
from collections.abc import Set as AbstractSet
from typing import Final

from httpstep.core.regex import regex

KEY_RULE: Final = "A key has small letters, digits and “-”, begins with a letter or digit, and has at most 63."
KEY_PATTERN: Final = "^[a-z0-9][a-z0-9-]{0,62}$"
_KEY: Final = regex(KEY_PATTERN[1:-1])
_MAX_CHARACTERS: Final = 63
_NOT_IN_KEY: Final = regex(r"[^a-z0-9]+")

_LATIN: Final = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h",
}  # fmt: skip
_CYRILLIC: Final = {
    "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "ё": "e", "є": "ye", "ж": "zh", "з": "z",
    "и": "i", "і": "i", "ї": "yi", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
    "с": "s", "т": "t", "у": "u", "ў": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch",
    "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
}  # fmt: skip
_GREEK: Final = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
    "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f",
    "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
_LETTERS: Final = str.maketrans({**_LATIN, **_CYRILLIC, **_GREEK})


def is_key(text: str) -> bool:
    """Decision 6: `[a-z0-9][a-z0-9-]{0,62}`."""
    return _KEY.fullmatch(text) is not None


def key_from_name(name: str, taken: AbstractSet[str] = frozenset(), *, bare: str = "step") -> str:
    """A key for a step (or a flow) of this name that is not in `taken`: "Créer 2 leads" -> "creer-2-leads", then "creer-2-leads-2".

    Never empty: what has no letters this can write in Latin ones becomes `bare`.
    """
    transliterated = unicodedata.normalize("NFC", name).lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", transliterated).translate(_LETTERS)
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    key = _NOT_IN_KEY.sub("-", letters).strip("-")[:_MAX_CHARACTERS].rstrip("-") or bare
    if key not in taken:
        return key
    number = 2
    while (candidate := f"{key[: _MAX_CHARACTERS - len(f'-{number}')].rstrip('-')}-{number}") in taken:
        number += 1
    return candidate
