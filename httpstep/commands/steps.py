"""The commands under `flask --app app`: what an operator or a script does without a browser.

Each takes --account SLUG, optional while there is only one. What was asked for goes to standard output and
nothing else does; a refusal is a sentence on standard error and exit status 1.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, Literal, ParamSpec, TypeVar

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from httpstep import config
from httpstep.core import jsontext
from httpstep.core.document import stepdocument, visible
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.importing import anything
from httpstep.core.importing.steps import storable
from httpstep.core.importing.texts import structured
from httpstep.core.jsontext import Json
from httpstep.execution import drifting
from httpstep.extensions import db
from httpstep.storage import keys, steps
from httpstep.storage.database import editing
from httpstep.storage.tables import Account, ApiKey, Step
from httpstep.upkeep import installation

P = ParamSpec("P")
R = TypeVar("R")

step = AppGroup("step", help="Steps: import, export, run, drift, make from a text.")
key = AppGroup("key", help="API keys: create, list, revoke.")
config_group = AppGroup("config", help="The configuration in force.")


def prepared(command: Callable[P, R]) -> Callable[P, R]:
    """Bring the data folder up to date before the command, as the server does before it starts. A database that cannot
    be reached is a sentence, whenever that shows."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            data: Path = current_app.config["HTTPSTEP"].data
            installation.refuse_root_for_another(data)
            if installation.prepare(current_app._get_current_object()):  # type: ignore[attr-defined]
                click.echo(f"This is a new installation, its data is in {data}.", err=True)
            return command(*args, **kwargs)
        except config.StartError as error:
            raise click.ClickException(str(error)) from None
        except SQLAlchemyError as error:
            raise click.ClickException(str(installation.start_error(error))) from None

    return with_appcontext(run)


def account_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--account", "slug", metavar="SLUG", help="The account; optional while there is only one.")(
        command
    )


def chosen_account(slug: str | None) -> Account:
    found = list(db.session.scalars(select(Account).where(Account.slug == slug) if slug else select(Account)))
    if not found:
        raise click.ClickException(f'There is no account "{slug}".')
    if len(found) > 1:
        raise click.ClickException("There are several accounts. Name one with --account SLUG.")
    return found[0]


def json_argument(text: str, what: str) -> Json:
    try:
        return jsontext.loads(text)
    except UnreadableAnswer as error:
        raise click.ClickException(f"{what} is not JSON: {error.message}") from None


# ---------------------------------------------------------------- steps


def _step(owner: Account, key_: str) -> Step:
    found = steps.find(owner.id, key_)
    if found is None:
        raise no_step(key_)
    return found


def no_step(key_: str) -> click.ClickException:
    return click.ClickException(f'There is no step with the key "{key_}".')


@step.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@account_option
@prepared
def step_import(file: Path, slug: str | None) -> None:
    """Create or replace steps from FILE: one step document, or a list of them. All or none."""
    owner = chosen_account(slug)
    content = json_argument(file.read_bytes().decode("utf-8", "replace"), str(file))
    documents = content if isinstance(content, list) else [content]
    specs = []
    for index, document in enumerate(documents):
        try:
            specs.append(visible.refuse_masked(stepdocument.parse(document)))
        except stepdocument.DocumentError as error:
            where = f"step {index + 1}, " if len(documents) > 1 else ""
            lines = [f"{where}{fault.place or 'document'}: {fault.message}" for fault in error.faults]
            raise click.ClickException("Nothing was imported.\n" + "\n".join(lines)) from None
    for saved in steps.save_all(owner.id, specs, by="command line", now=time.time()):
        click.echo(saved.key)


@step.command("export")
@click.argument("key_", metavar="[KEY]", required=False)
@account_option
@prepared
def step_export(key_: str | None, slug: str | None) -> None:
    """Print a step's document, or a list of all of them. Secrets appear as {{secret.NAME}} only."""
    owner = chosen_account(slug)
    if key_ is None:
        found: Json = [stepdocument.dump(steps.document_of(one)) for one in steps.listed(owner.id)]
    else:
        found = stepdocument.dump(steps.document_of(_step(owner, key_)))
    click.echo(jsontext.pretty(found))


@step.command("drift")
@click.argument("key_", metavar="KEY")
@click.option(
    "--accept",
    type=click.Choice(("suggested", "none")),
    help="Accept the new structure: with every rule moved where the page would move it beforehand, or with none.",
)
@account_option
@prepared
def step_drift(key_: str, accept: Literal["suggested", "none"] | None, slug: str | None) -> None:
    """Print how the structure of a step's answers changed, and where each broken rule may read."""
    owner = chosen_account(slug)
    found = _step(owner, key_)
    drift = drifting.of_step(found)
    click.echo(jsontext.pretty(drifting.as_json(found, drift)))
    if accept is None:
        return
    if drift is None:
        raise click.ClickException("There is nothing to accept: the structure has not changed.")
    try:
        drifting.accept(owner.id, key_, accept, drift.log.id if drift.log else 0, by="command line")
    except (drifting.NotThere, drifting.WrongChoice) as error:
        raise click.ClickException(str(error)) from None
    except (steps.Conflict, steps.Gone):
        raise click.ClickException("Others change this step at the same time. Try again.") from None
    click.echo("The new structure is accepted.", err=True)


class _NotUnderstood(click.ClickException):
    exit_code = 2


@step.command("from")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--format", "format_", type=click.Choice(anything.FORMATS), help="What FILE holds; found out if it is not said."
)
@click.option("--operation", "wanted", metavar="ID", help='One of many: an operationId, or "GET /path".')
def step_from(file: BinaryIO, format_: str | None, wanted: str | None) -> None:
    """Print step documents made from FILE (- for standard input): a curl command, an address, a fetch(…), an HTTP
    request, a Postman collection, an OpenAPI document. What was left out goes to standard error."""
    text = file.read(structured.MAX_BYTES + 1).decode("utf-8", "replace")
    source = anything.read(text, format_)
    if source.fault:
        raise _NotUnderstood(source.fault)
    chosen = source.operations if wanted is None else [one for one in [source.find(wanted)] if one is not None]
    if not chosen:
        raise _NotUnderstood(
            f'There is no operation "{wanted}". The first ones: ' + ", ".join(one.id for one in source.operations[:10])
        )
    for sentence in source.left_out:
        click.echo(sentence, err=True)
    documents: list[Json] = []
    for one in chosen:
        found = source.read(one)
        spec, notes = storable(found, one)
        documents.append(stepdocument.dump(spec))
        for note in notes:
            click.echo(f"{one.method} {one.address}: {note}" if len(chosen) > 1 else note, err=True)
    click.echo(jsontext.pretty(documents[0] if len(documents) == 1 else documents))


# ---------------------------------------------------------------- keys


@key.command("create")
@click.option("--name", required=True, help="What the key is for; shown in the list.")
@click.option("--scope", type=click.Choice(keys.SCOPES), default="execute", show_default=True)
@account_option
@prepared
def key_create(name: str, scope: str, slug: str | None) -> None:
    """Create an API key and print its token, which is never shown again."""
    if not name.strip():
        raise click.ClickException("A key needs a name that says what it is for.")
    owner = chosen_account(slug)
    with editing():
        _, token = keys.create(owner.id, name.strip(), scope, time.time())
    click.echo(token)


@key.command("list")
@account_option
@prepared
def key_list(slug: str | None) -> None:
    """Print the keys: prefix, scope, state, name."""
    owner = chosen_account(slug)
    for one in db.session.scalars(select(ApiKey).where(ApiKey.account_id == owner.id).order_by(ApiKey.id)):
        click.echo(f"hs_{one.prefix}  {one.scope:8}  {'revoked' if one.revoked_at else 'active':8}  {one.name}")


@key.command("revoke")
@click.argument("prefix_or_name")
@account_option
@prepared
def key_revoke(prefix_or_name: str, slug: str | None) -> None:
    """Revoke a key, named by its prefix or, where only one has it, its name. It stops working at once."""
    owner = chosen_account(slug)
    prefix = prefix_or_name.removeprefix("hs_")[:8]
    with editing():
        found = list(
            db.session.scalars(
                select(ApiKey).where(
                    ApiKey.account_id == owner.id,
                    ApiKey.revoked_at.is_(None),
                    (ApiKey.prefix == prefix) | (ApiKey.name == prefix_or_name),
                )
            )
        )
        if len(found) != 1:
            known = "no active key" if not found else "more than one active key"
            raise click.ClickException(f'There is {known} "{prefix_or_name}". See: flask --app app key list')
        found[0].revoked_at = time.time()
    click.echo(f"hs_{found[0].prefix} revoked")


# ---------------------------------------------------------------- the installation


@config_group.command("show")
@with_appcontext
def config_show() -> None:
    """Print every variable, its value (secrets masked) and whether it was set."""
    for name, value, origin in config.shown(current_app.config["HTTPSTEP"]):
        click.echo(f"{name}={value}  # {origin}")


@click.command("upgrade")
@prepared
def upgrade() -> None:
    """Bring the data folder to this version, after a backup. `make run` does this by itself."""
    click.echo("The data folder is up to date.")


def register(app: Flask) -> None:
    for command in (step, key, config_group, upgrade):
        app.cli.add_command(command)
