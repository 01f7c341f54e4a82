"""What was typed into a form and what is wrong with it, so that it can come back as typed; and where a good one leads."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from msgspec import Struct, field
from werkzeug import Response


class Form(Struct):
    """The fields of a small form. `values`: as typed. `errors`: field -> one sentence; "" holds the form's own."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def require(self, name: str, sentence: str) -> None:
        """Note `sentence` for a field that is wrong in that way; "" means nothing is. The first one stays."""
        if sentence:
            self.errors.setdefault(name, sentence)

    @property
    def is_good(self) -> bool:
        return not self.errors


def sent(*names: str) -> Form:
    """These fields of the request's form; spaces around go, apart from passwords."""
    values = {name: request.form.get(name, "") for name in names}
    return Form({name: text if "password" in name else text.strip() for name, text in values.items()})


def see_other(endpoint: str, sentence: str, kind: str = "success", **values: Any) -> Response:
    """303 to a page, which says the sentence once. kind: of the notice (`fragments.ToastKind`)."""
    flash(sentence, kind)
    return redirect(url_for(endpoint, **values), 303)
