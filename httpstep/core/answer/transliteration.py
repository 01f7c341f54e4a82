"""Letters of other scripts in the ASCII letters that a name may have, so that a name tells which value it is.

`anyascii` knows the letters of all scripts; a syllable or an ideograph begins with a capital: `名前` gives `MingQian`.
Ideographs are read as in Chinese, vowels that a script does not write are not invented.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from anyascii import anyascii

_OWN: Final = {
    "ä": "ae", "ö": "oe", "ü": "ue", "ё": "yo", "є": "ye", "ї": "yi", "ъ": "", "ь": "", "ש": "sh", "々": "", "〇": "0",
    "ا": "a", "أ": "a", "إ": "i", "ع": "a", "א": "a", "ע": "a",
}  # fmt: skip
"""What people write otherwise than `anyascii` does."""
_SIGNS: Final = str.maketrans("", "", "'`\"")
"""What stands for letters that no Latin one is like."""


def in_ascii(text: str) -> str:
    """The text with every letter, digit and sign in ASCII; one that has no name there is left out."""
    return text if text.isascii() else "".join(map(_letter, unicodedata.normalize("NFC", text)))


def _letter(character: str) -> str:
    if character.isascii():
        return character
    own = _OWN.get(character.lower())
    if own is None:
        return anyascii(character).translate(_SIGNS)
    return own.capitalize() if character.isupper() else own
