"""The command `httpstep`, which is `python -m httpstep` as well: `serve`, `demo`, and the operator's commands."""

from __future__ import annotations

import click
from flask.cli import FlaskGroup

from httpstep import __version__
from httpstep.quickstart import importing

with importing():
    from httpstep.application import assemble_or_exit, main


class _Commands(FlaskGroup):
    """FlaskGroup loads the commands of every package first, and with `flask db` all of Alembic."""

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return self.commands.get(name) or super().get_command(ctx, name)


@click.group(
    "httpstep", cls=_Commands, create_app=assemble_or_exit, add_default_commands=False, add_version_option=False,
    load_dotenv=False,
)  # fmt: skip
@click.version_option(__version__, message="httpstep %(version)s")
def command() -> None:
    """HTTP API steps for a chatbot. The variables that it reads are in .env.example."""


@command.command("serve")
def serve() -> None:
    """Serve until it is told to stop, which lets running calls finish."""
    main([])


@command.command("demo")
def demo() -> None:
    """Serve beside a small order API, with three steps ready."""
    main(["--demo"])


if __name__ == "__main__":
    command(prog_name="httpstep")
