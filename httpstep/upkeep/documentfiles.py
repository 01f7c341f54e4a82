"""Documents in files: a folder of them read, and written. Whatever is in the way is a sentence that names the file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from httpstep.core import jsontext
from httpstep.core.document.documents import Document, Unusable
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.jsontext import Json

MAX_FILE_BYTES: Final = 4 * 1024 * 1024
MAX_FILES: Final = 5000
MAX_EXPORT_BYTES: Final = 64 * 1024 * 1024
"""Of an account's export, and of all files of a folder together."""
_SUFFIX: Final = ".json"


def read_folder(folder: Path) -> list[tuple[str, Json]]:
    """The content of every *.json below the folder, each with its name there, files before folders.

    What begins with a dot is left out, and links to folders are not followed. Raises Unusable, with a sentence for each
    file that cannot be read.
    """
    found: list[tuple[str, Json]] = []
    sentences: list[str] = []
    left = MAX_EXPORT_BYTES
    for number, path in enumerate(_documents_below(folder)):
        name = shown(str(path.relative_to(folder)))
        if number == MAX_FILES:
            raise Unusable([f"There are more than {MAX_FILES:,} documents in {shown(str(folder))}.", *sentences])
        try:
            content, size = _read(path, name, min(MAX_FILE_BYTES, left))
            left -= size
            found.append((name, content))
        except Unusable as error:
            sentences += error.sentences
    if sentences:
        raise Unusable(sentences)
    if not found:
        raise Unusable([f"There is no document (*{_SUFFIX}) in {shown(str(folder))}."])
    return found


def read_export(file: Path) -> Json:
    """The content of an account's export. Raises Unusable."""
    return _read(file, shown(file.name), MAX_EXPORT_BYTES)[0]


def write_folder(folder: Path, documents: Iterable[Document]) -> list[str]:
    """Write steps/KEY.json and flows/KEY.json, each a document, and attributes.json, a list. Returns their names.

    The folder has to be new or empty. Raises Unusable.
    """
    texts: dict[str, Json] = {}
    for one in documents:
        if one.what == "attribute":
            texts.setdefault(f"attributes{_SUFFIX}", []).append(one.written)
        else:
            texts[f"{one.what}s/{one.named[1]}{_SUFFIX}"] = one.written
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Unusable([f"{shown(str(folder))} is not empty. Name a new folder."])
        for name, content in texts.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(jsontext.pretty(content) + "\n", encoding="utf-8")
    except OSError as error:
        raise Unusable([f"{shown(str(error.filename))}: {error.strerror}."]) from None
    return list(texts)


def shown(text: str) -> str:
    """A text of others, for a terminal: without what would be obeyed there."""
    return "".join(char if char.isprintable() or char == " " else "\ufffd" for char in text)


def _documents_below(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise Unusable([f"{shown(str(error.filename))}: {error.strerror}."])

    for here, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in sorted(files) if name.endswith(_SUFFIX) and not name.startswith("."))


def _read(path: Path, name: str, limit: int) -> tuple[Json, int]:
    """The content and how many bytes it has."""
    try:
        if not path.is_file():  # a pipe would be waited for
            raise Unusable([f"{name}: This is no file."])
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise Unusable([f"{name}: {error.strerror}."]) from None
    if len(data) > limit:
        raise Unusable([f"{name}: This is too much: a file of documents has at most {_megabytes(MAX_FILE_BYTES)}, and all of a folder, or an export, {_megabytes(MAX_EXPORT_BYTES)}."])  # fmt: skip
    try:
        return jsontext.loads(data), len(data)
    except UnreadableAnswer as error:
        raise Unusable([f"{name}: {error.message}"]) from None


def _megabytes(size: int) -> str:
    return f"{size // 1024**2} MB"
