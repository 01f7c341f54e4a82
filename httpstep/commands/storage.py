"""What is stored, on the command line: backup, restore, the secrets, and a new key for them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from httpstep import config
from httpstep.commands.steps import account_option, chosen_account, prepared
from httpstep.core.document.entrydocuments import MAX_SECRET_BYTES, SECRET, secret_name_fault
from httpstep.core.document.kind import DocumentError
from httpstep.storage import catalogue
from httpstep.storage.vault import Vault, VaultError, secret_place
from httpstep.upkeep import accounts, backups, rotation

secret = AppGroup("secret", help="Secrets: list, set, delete; change the key they are encrypted with.")


def _app() -> Flask:
    found: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return found


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--without-keys", is_flag=True, help="Leave out vault.key and session.key; keep them elsewhere.")
@prepared
def backup(file: Path, without_keys: bool) -> None:
    """Write everything into FILE (.tar.gz), while httpstep serves. It holds the keys: keep it as safe as the data folder."""
    try:
        made = backups.make(_app(), file, with_keys=not without_keys)
    except backups.BackupError as error:
        raise click.ClickException(str(error)) from None
    click.echo(made.file)
    if "vault.key" not in made.keys:
        click.echo("The key of the secrets is not in it: a restore needs the same key.", err=True)


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@prepared
def restore(file: Path) -> None:
    """Replace all data by that of FILE. Stop httpstep first. What was there is kept as a backup in the data folder."""
    empty = accounts.are_empty()
    try:
        aside = backups.restore(_app(), file)
    except backups.BackupError as error:
        raise click.ClickException(str(error)) from None
    until_now = "There was no data until now; the keys that were here are" if empty else "The data until now is"
    click.echo(f"Restored. {until_now} in {aside}")


@secret.command("list")
@account_option
@prepared
def secret_list(slug: str | None) -> None:
    """Print the secrets: name, and where each may be sent. No value is ever shown."""
    for one in catalogue.secrets(chosen_account(slug).id):
        hosts = "any host" if one.hosts is None else ", ".join(one.hosts) or "nowhere"
        click.echo(f"{one.name}  {hosts}")


@secret.command("set")
@click.argument("name")
@click.option("--host", "hosts", multiple=True, required=True, help="Where it may be sent; as often as needed.")
@account_option
@prepared
def secret_set(name: str, hosts: tuple[str, ...], slug: str | None) -> None:
    """Store or replace a secret. Its value is read from standard input, or asked for at a terminal."""
    account, value = chosen_account(slug), _typed_value()
    try:
        if fault := secret_name_fault(name):
            raise click.ClickException(fault)
        document = SECRET.read({"value": value, "hosts": list(hosts)})
    except DocumentError as error:
        raise click.ClickException(error.faults[0].message) from None
    token = _app().extensions["httpstep"].vault.encrypt(document.secret, secret_place(account.slug, name))
    catalogue.put_secret(account.id, name, token, hosts=document.origins, now=time.time())
    click.echo(name)


def _typed_value() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Value", hide_input=True, err=True))
    try:
        return sys.stdin.buffer.read(MAX_SECRET_BYTES + 3).decode()  # one more than it may have, and a line's end
    except UnicodeDecodeError:
        raise click.ClickException("The value on standard input is no text in UTF-8.") from None


@secret.command("delete")
@click.argument("name")
@account_option
@prepared
def secret_delete(name: str, slug: str | None) -> None:
    """Delete a secret. Steps that use it fail from now on."""
    if not catalogue.remove_secret(chosen_account(slug).id, name):
        raise click.ClickException(f'There is no secret "{name}".')
    click.echo(name)


@secret.command("rotate")
@prepared
def secret_rotate() -> None:
    """Encrypt every secret anew under a new key (vault.key) or under the newest of HTTPSTEP_VAULT_KEYS."""
    settings: config.Config = current_app.config["HTTPSTEP"]
    try:
        if settings.vault_keys:
            count = rotation.encrypt_anew(Vault(settings.vault_keys))
        else:
            backups.refuse_while_serving(settings)
            count = rotation.rotate_file(settings.data / "vault.key")
    except (VaultError, backups.BackupError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{count} values are encrypted with the newest key.")
    if len(settings.vault_keys) > 1:
        click.echo("The older keys in HTTPSTEP_VAULT_KEYS are no longer needed.", err=True)


def register(app: Flask) -> None:
    for command in (backup, restore, secret):
        app.cli.add_command(command)
