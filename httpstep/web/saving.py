"""The plain form of an editor and its Save, in one way for steps and flows: whose edit wins, and what is said where none does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeVar

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from httpstep.core.documentreader import Fault
from httpstep.web.addressed import NEW


class Editing(Protocol):
    """An editor of a form. saved_key: of what is saved, "" for a new one; version: the one the form began with."""

    @property
    def is_new(self) -> bool: ...

    @property
    def saved_key(self) -> str: ...

    @property
    def version(self) -> int | None: ...

    def note(self, faults: Iterable[Fault]) -> None: ...

    def overtaken_by(self, error: Any) -> None:
        """Somebody else saved first: `error` is the Conflict of the storage."""


class Stored(Protocol):
    @property
    def id(self) -> Any: ...


E = TypeVar("E", bound=Editing)
R = TypeVar("R", bound=Stored)


def save(
    editor: Editing, stored: Any, key: str, write: Callable[[str, int | None], R], word: str
) -> tuple[int, R | None]:
    """(200, what is saved), or 409 or 422 and None; what is wrong stands in the editor then, and the form is as typed.

    stored: the module of `storage`, with its Conflict and KeyTaken. write(key, version): None overwrites.
    """
    key = key or editor.saved_key
    version = None if request.form.get("overwrite") == "1" else editor.version
    try:
        return 200, write(key, version)
    except stored.Conflict as error:
        editor.overtaken_by(error)
        return 409, None
    except stored.KeyTaken:
        editor.note([Fault("key", f"Another {word} has the key “{key}”. Choose another one.")])
        return 422, None


def plain_form(
    ref: str,
    editor: E,
    *,
    page: Callable[[E, int], tuple[str, int]],
    act: Callable[[E, str], int],
    save: Callable[[E], tuple[int, Stored | None]],
    address: Callable[[Stored], str],
) -> ResponseReturnValue:
    """The answer to a form that was sent without scripts: the page, or the way to what is saved.

    act: makes the move of a button (`op`) and gives the status of the page; "save" is the button of no name.
    """
    if editor.is_new and ref != NEW:
        return page(editor, 404)
    op = request.form.get("op", "save")
    if op != "save":
        return page(editor, act(editor, op))
    status, saved = save(editor)
    if saved is None:
        return page(editor, status)
    flash("Saved.", "success")
    return redirect(address(saved), 303)
