"""Accounts on the command line: create, list, limit, delete."""

from __future__ import annotations

import time

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy import select

from httpstep.commands.steps import chosen_account, prepared
from httpstep.core.step import stepkey
from httpstep.execution.budget import ratelimit
from httpstep.extensions import db
from httpstep.storage.database import editing, end_transaction
from httpstep.storage.tables import Account
from httpstep.upkeep import accounts

account = AppGroup("account", help="Accounts: create, list, limit, delete.")


@account.command("create")
@click.argument("slug")
@click.option("--name", default="")
@prepared
def account_create(slug: str, name: str) -> None:
    """Create an account."""
    if not stepkey.is_key(slug):
        raise click.ClickException("A slug has 1 to 63 of a-z, 0-9 and -, and begins with a letter or a digit.")
    with editing():
        if db.session.scalar(select(Account).where(Account.slug == slug)):
            raise click.ClickException(f'There is an account "{slug}" already.')
        db.session.add(Account(slug=slug, name=name or slug, created_at=time.time()))
    click.echo(slug)


@account.command("list")
@prepared
def account_list() -> None:
    """Print the accounts: slug and calls a minute."""
    for one in db.session.scalars(select(Account).order_by(Account.id)):
        click.echo(f"{one.slug}  {one.per_minute or ratelimit.PER_MINUTE}")


@account.command("limit")
@click.argument("slug")
@click.argument("per_minute", type=click.IntRange(1, 100_000))
@prepared
def account_limit(slug: str, per_minute: int) -> None:
    """Set how many calls in any 60 seconds an account has; in force at once."""
    with editing():
        chosen_account(slug).per_minute = per_minute
    click.echo(f"{slug}  {per_minute}")


@account.command("delete")
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Really delete it. Without, say what would go.")
@prepared
def account_delete(slug: str, yes: bool) -> None:
    """Delete an account with its users, steps, logs, secrets, keys and everything else. It cannot be undone."""
    account_id = chosen_account(slug).id
    end_transaction()
    try:
        if not yes:
            accounts.refuse_if_needed(account_id)  # before --yes is asked for, which would not help
            has = ", ".join(accounts.contents(account_id)) or "nothing in it"
            raise click.ClickException(
                f'The account "{slug}" has {has}. Nothing was deleted: add --yes to delete it all.'
            )
        accounts.remove(account_id)
    except accounts.Needed as error:
        raise click.ClickException(str(error)) from None
    click.echo(slug)


def register(app: Flask) -> None:
    app.cli.add_command(account)
