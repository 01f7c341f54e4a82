"""Run a step or a flow from the command line, as a bot would: the answer of execute goes to standard output."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from httpstep.commands.steps import account_option, chosen_account, json_argument, no_step, prepared, step
from httpstep.core import jsontext
from httpstep.core.errors import FailureKind
from httpstep.core.jsontext import Json
from httpstep.execution import calls, flows, runs
from httpstep.execution.budget import ratelimit
from httpstep.storage import flows as stored_flows
from httpstep.storage import steps
from httpstep.storage.database import end_transaction
from httpstep.storage.tables import Account
from httpstep.storage.vault import VaultError

FINISHING = 30.0
"""Seconds that a command waits at its end for a database that went away during its call."""
_attributes = click.option("--attributes", default="{}", metavar="JSON", help='An object, such as {"order.id": 42}.')

flow = AppGroup("flow", help="Flows: list, run. Their documents: apply and export.")


@step.command("run")
@click.argument("key_", metavar="KEY")
@_attributes
@account_option
@prepared
def step_run(key_: str, attributes: str, slug: str | None) -> None:
    """Run a step as a bot would and print the answer of execute."""
    owner, given = chosen_account(slug), _given(attributes)
    loaded = steps.load(owner.id, key=key_)
    if loaded is None:
        raise no_step(key_)
    call = calls.Call(
        tenant=_tenant(owner), source="bot", spec=loaded.spec, attributes=given, actor="command line",
        request_id=uuid.uuid4().hex, step=loaded,
    )  # fmt: skip
    with _told() as parts:
        try:
            answer = runs.run_step(parts, call).answer
        except calls.InternalError as error:
            answer = error.answer
        click.echo(jsontext.pretty(answer))
    _require_ours(answer)


@flow.command("run")
@click.argument("key_", metavar="KEY")
@_attributes
@account_option
@prepared
def flow_run(key_: str, attributes: str, slug: str | None) -> None:
    """Run a flow as a bot would and print the answer of execute."""
    owner, given = chosen_account(slug), _given(attributes)
    row = stored_flows.find(owner.id, key_)
    if row is None:
        raise click.ClickException(f'There is no flow with the key "{key_}".')
    spec, tenant = stored_flows.spec_of(row), _tenant(owner)
    with _told() as parts:
        next_ = flows.fallback_of(parts, tenant.account_id, spec)
        end_transaction()
        call = flows.FlowCall(
            tenant=tenant, source="bot", spec=spec, attributes=given, actor="command line",
            request_id=uuid.uuid4().hex, fallback=next_,
        )  # fmt: skip
        answer = flows.run_flow(parts, call)
        click.echo(jsontext.pretty(answer))
    _require_ours(answer)


@flow.command("list")
@account_option
@prepared
def flow_list(slug: str | None) -> None:
    """Print the flows: key, name."""
    for row in stored_flows.listed(chosen_account(slug).id):
        click.echo(f"{row.key}  {row.name}")


def _given(attributes: str) -> dict[str, Json]:
    given = json_argument(attributes, "--attributes")
    if not isinstance(given, dict):
        raise click.ClickException("--attributes must be a JSON object of names and values.")
    return given


def _require_ours(answer: dict[str, Json]) -> None:
    """A third party's failure is an answer like others; our own is an exit status too."""
    if answer["outcome"] == FailureKind.INTERNAL:
        raise click.ClickException(calls.INTERNAL_MESSAGE)


def _tenant(owner: Account) -> calls.Tenant:
    return calls.Tenant(owner.id, owner.per_minute, owner.in_flight, owner.slug)


@contextmanager
def _told() -> Iterator[calls.Parts]:
    """What refuses a call is a sentence. Afterwards all that was put off is written and sent."""
    parts: calls.Parts = current_app.extensions["httpstep"]
    try:
        yield parts
    except ratelimit.RateLimited as error:
        raise click.ClickException(f"Rate Limit Exceeded. Try again in {error.budget.reset} s.") from None
    except calls.TooManyInFlight:
        raise click.ClickException("Too Many Calls In Flight. Try again shortly.") from None
    except calls.ProcessFull:
        raise click.ClickException(calls.ProcessFull.SENTENCE) from None
    except VaultError as error:
        raise click.ClickException(f"Secrets Unavailable. {error}") from None
    if parts.postponed.finish(FINISHING):
        click.echo(
            "The database cannot be reached: the log of this call stays open, and no alert follows from it.", err=True
        )
    parts.alerts.finish()


def register(app: Flask) -> None:
    app.cli.add_command(flow)
