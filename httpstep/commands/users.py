"""Users on the command line: for who has lost the way in, or has no browser at hand."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import AppGroup

from httpstep.commands.steps import account_option, chosen_account, prepared
from httpstep.storage import users
from httpstep.storage.database import editing

user = AppGroup("user", help="Users: add, reset a password.")


@user.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(users.ROLES), default="admin", show_default=True)
@click.option("--operator", is_flag=True, help="May also create accounts and change their limits.")
@click.password_option(help="Asked for unless given.")
@account_option
@prepared
def user_add(email: str, role: str, operator: bool, password: str, slug: str | None) -> None:
    """Add a user with a password."""
    owner = chosen_account(slug)
    for fault in (users.email_fault(email), users.password_fault(password)):
        if fault:
            raise click.ClickException(fault)
    try:
        with editing():
            made = users.add(owner.id, email, password, role, operator=operator)
    except users.AddressTaken:
        raise click.ClickException(f"There is a user {email} already.") from None
    click.echo(made.email)


@user.command("reset-password")
@click.argument("email")
@click.password_option(help="Asked for unless given.")
@account_option
@prepared
def user_reset_password(email: str, password: str, slug: str | None) -> None:
    """Set a user's password and sign the user out everywhere. An address has one user, so no account has to be named."""
    if fault := users.password_fault(password):
        raise click.ClickException(fault)
    found = users.by_email(email)
    if found is None or (slug is not None and found.account_id != chosen_account(slug).id):
        where = "" if slug is None else f' in the account "{slug}"'
        raise click.ClickException(f"There is no user {email}{where}.")
    users.set_password(found.id, password)
    click.echo(found.email)


def register(app: Flask) -> None:
    app.cli.add_command(user)
