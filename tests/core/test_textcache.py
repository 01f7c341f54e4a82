"""What is kept of texts is bounded by their characters, not by their number."""

from __future__ import annotations

from httpstep.core.textcache import TextCache


def test_a_text_is_read_once_while_there_is_room() -> None:
    read: list[str] = []
    cache = TextCache(lambda text: read.append(text), 100)
    for _ in range(3):
        cache("a text")
    assert read == ["a text"]


def test_a_large_text_is_not_kept() -> None:
    cache = TextCache(len, 100)
    assert (cache("x" * 50), cache.characters) == (50, 0)


def test_however_many_texts_come_what_is_kept_has_its_bound() -> None:
    cache = TextCache(len, 100)
    kept = []
    for number in range(1000):
        cache(f"{number:010}")
        kept.append(cache.characters)
    assert max(kept) == 100
