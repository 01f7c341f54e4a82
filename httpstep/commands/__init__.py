"""The commands of `flask --app app`: thin, each reads its options and calls one thing."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup


class Commands(AppGroup):
    """Those of an application, made with the first that is asked for: a server starts without them and what they import."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app
        self._are_there = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._make()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        self._make()
        return super().get_command(ctx, name)

    def _make(self) -> None:
        if self._are_there:
            return
        from httpstep.commands import accounts, documents, running, steps, storage, users

        self._are_there = True
        for part in (steps, running, accounts, users, storage, documents):
            part.register(self._app)
