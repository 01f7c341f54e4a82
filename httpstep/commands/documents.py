"""An account as documents, on the command line: apply a folder of them, export and import the whole."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click
from flask import Flask

from httpstep.commands.steps import account_option, chosen_account, prepared
from httpstep.core import jsontext
from httpstep.core.document import documents
from httpstep.core.document.documents import Document, Named, SecretNote, Unusable
from httpstep.core.document.planning import Plan
from httpstep.storage.database import end_transaction
from httpstep.upkeep import applying, documentfiles
from httpstep.upkeep.documentfiles import shown

_MAX_SENTENCES: Final = 20
_plan_only = click.option("--plan", "plan_only", is_flag=True, help="Only say what would be done.")
_yes = click.option("--yes", is_flag=True, help="Do not ask. Asked is only at a terminal.")


@click.command("apply")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_plan_only
@click.option("--delete", is_flag=True, help="Delete what the account has and the folder does not.")
@_yes
@account_option
@prepared
def apply(folder: Path, plan_only: bool, delete: bool, yes: bool, slug: str | None) -> None:
    """Make an account be what the documents (*.json) in FOLDER say: steps, flows, attributes. All of it or nothing."""
    account_id = chosen_account(slug).id
    try:
        wanted = documents.read_all(documentfiles.read_folder(folder))
        _carry_out(account_id, wanted, delete=delete, plan_only=plan_only, yes=yes)
    except Unusable as error:
        raise _refusal("Nothing was done.", error) from None
    _say_missing(applying.missing_secrets(account_id, wanted), ())


@click.command("export")
@click.option("--folder", type=click.Path(path_type=Path), help="As the documents that apply reads, into a new folder.")
@account_option
@prepared
def export(folder: Path | None, slug: str | None) -> None:
    """Print a whole account: attributes, steps, flows, and the names of its secrets without their values."""
    owner = chosen_account(slug)
    named = owner.slug, owner.name
    found, notes = applying.exported(owner.id)
    if folder is None:
        click.echo(jsontext.pretty(documents.write_account(*named, found, notes)))
        return
    try:
        for name in documentfiles.write_folder(folder, found):
            click.echo(name)
    except Unusable as error:
        raise _refusal("The export is not complete.", error) from None


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_plan_only
@_yes
@account_option
@prepared
def import_(file: Path, plan_only: bool, yes: bool, slug: str | None) -> None:
    """Take over the export of an account, beside what is there; what has the same key is replaced. All of it or nothing."""
    account_id = chosen_account(slug).id
    try:
        wanted, notes = documents.read_account(shown(file.name), documentfiles.read_export(file))
        _carry_out(account_id, wanted, delete=False, plan_only=plan_only, yes=yes)
    except Unusable as error:
        raise _refusal("Nothing was imported.", error) from None
    there = {one.name for one in applying.secret_notes(account_id)}
    _say_missing(applying.missing_secrets(account_id, wanted), [one for one in notes if one.name not in there])


def _carry_out(account_id: int, wanted: Mapping[Named, Document], *, delete: bool, plan_only: bool, yes: bool) -> None:
    plan = applying.plan(account_id, wanted, delete=delete)
    end_transaction()  # none is open while somebody thinks
    _print(plan)
    if plan_only or not plan.changes:
        return
    if not yes and sys.stdin.isatty():
        click.confirm("Do this?", abort=True, err=True)
    try:
        applying.apply(account_id, wanted, plan, delete=delete, by="command line", now=time.time())
    except applying.Overtaken:
        raise click.ClickException(applying.Overtaken.SENTENCE) from None
    click.echo(f"Done: {applying.told(plan)}.")


def _print(plan: Plan) -> None:
    for one in plan.changes:
        members = f"  ({', '.join(one.members)})" if one.members else ""
        click.echo(f"{one.doing}  {one.what:9}  {one.name}{members}")
    click.echo(f"{plan.unchanged} unchanged." if plan.changes else f"Nothing to do: {plan.unchanged} unchanged.")


def _say_missing(needed: Mapping[str, list[str]], notes: Iterable[SecretNote]) -> None:
    """On standard error: which secrets have to be set, and where they could be sent until now."""
    hosts = {one.name: ", ".join(one.hosts or ()) for one in notes}
    for name in sorted({*needed, *hosts}):
        where = f"; it may be sent to {hosts[name]}" if hosts.get(name) else ""
        users = f"; used by {', '.join(needed[name])}" if name in needed else ""
        click.echo(shown(f"The secret {name} has to be set, no document has its value{where}{users}."), err=True)


def _refusal(what: str, error: Unusable) -> click.ClickException:
    lines = [shown(sentence) for sentence in error.sentences[:_MAX_SENTENCES]]
    if more := len(error.sentences) - len(lines):
        lines.append(f"And {more:,} more.")
    return click.ClickException("\n".join([what, *lines]))


def register(app: Flask) -> None:
    commands: tuple[Any, ...] = (apply, export, import_)
    for command in commands:
        app.cli.add_command(command)
