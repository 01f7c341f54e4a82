"""POST /api/v1/steps/<key>/execute and /api/v1/flows/<key>/execute: what a bot meets.

The contract is web/contract/openapi.py, tested against this.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from flask import Blueprint, Request, Response, current_app, request
from flask.globals import request_ctx
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from httpstep.core.document.flow import FlowSpec
from httpstep.core.errors import FailureKind, place_of
from httpstep.core.jsontext import Json
from httpstep.core.regex import regex
from httpstep.execution import (
    calls,
    flows,
    idempotency,
    runs,
)
from httpstep.execution.answers import internal_answer, internal_flow_answer
from httpstep.execution.budget import hits, ratelimit
from httpstep.execution.gathering import GatheredAccount
from httpstep.storage import flows as stored_flows
from httpstep.storage import keys, steps
from httpstep.storage.database import end_transaction
from httpstep.web.api import bearers, telling
from httpstep.web.api.asked import Asked, malformed
from httpstep.web.api.wishes import Wishes
from httpstep.web.callers import hangup
from httpstep.web.faults import unavailable
from httpstep.web.here import parts
from httpstep.web.problems import Problem, busy, json_response
from httpstep.web.responses import request_id

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

_REFUSED = "httpstep.refused"
_IS_KEY = regex(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")


def no_step(key: str) -> Problem:
    return Problem(404, "Not Found", f'There is no step with the key "{key[:63]}" in this account.')


def no_flow(key: str) -> Problem:
    return Problem(404, "Not Found", f'There is no flow with the key "{key[:63]}" in this account.')


@blueprint.post("/steps/<key>/execute")
def execute(key: str) -> Response:
    """Run a step. 200 whenever it ran, also when the third party failed; `next` tells the bot what to do."""
    asked = request_ctx.request
    if (refused := asked.environ.get(_REFUSED)) is not None:
        raise refused
    return _execute(asked, key, *bearers.authenticated(asked), None)


def execute_at_once(asked: Request, key: str) -> Response | None:
    """The same before Flask has anything to do with it (`incoming.Application`), where this process keeps the account:
    the statement that begins the call makes sure of that. None where no call was begun, for whatever reason: `execute`
    asks again with what is so now, and only that is told."""
    try:
        believed = bearers.believed(asked)
        return _execute(asked, key, *believed, believed[1].edition) if believed else None
    except Exception as error:  # from the begin on there is none
        if isinstance(error, SQLAlchemyError) or (isinstance(error, Problem) and error.status == 503):
            # The database is away: asked again it would be waited for again.
            asked.environ[_REFUSED] = error
        else:
            telling.nobodys()
        return None


def _execute(request: Request, key: str, who: keys.Caller, account: GatheredAccount, edition: int | None) -> Response:
    """edition: of the account, where nobody has looked yet whether it is still so. Then it may raise NotBegun."""
    step = account.step(key=key)
    if step is None:
        raise no_step(key)
    internal, wishes = internal_answer(step.spec, request_id(request)), Wishes.of(request)
    gives = step.spec.gives if wishes.flat else ()

    def executed() -> Response:
        asked = Asked.read(request, who, step.spec.fallback, gives, wishes)
        claimed = _claim(asked, step_id=step.id)
        return _executed(asked, claimed, internal, lambda peer: _run(asked, step, account, edition, peer))

    return _with_next(request, wishes.answered(internal, gives), executed)


@blueprint.post("/flows/<key>/execute")
def execute_flow(key: str) -> Response:
    """Run the steps of a flow. The answer has `flow` in the place of `step`, and `steps` as they went."""
    who = bearers.caller()
    flow = stored_flows.find(who.account_id, key)
    if flow is None:
        raise no_flow(key)
    flow_id, spec = flow.id, stored_flows.spec_of(flow)
    next_ = flows.fallback_of(parts(), who.account_id, spec)
    internal, wishes = internal_flow_answer(spec.key, next_, request_id()), Wishes.of(request)
    gives = flows.attributes_of(parts(), who.account_id, spec) if wishes.flat else ()
    end_transaction()

    def executed() -> Response:
        asked = Asked.read(request, who, next_, gives, wishes)
        claimed = _claim(asked, flow_id=flow_id)
        return _executed(asked, claimed, internal, lambda peer: _run_flow(asked, spec, peer))

    return _with_next(request, wishes.answered(internal, gives), executed)


def _with_next(request: Request, internal: Json, executed: Callable[[], Response]) -> Response:
    """What `executed` gives or refuses. A fault of our own in it is answered with `internal`, and by nothing that could
    have been the fault: from here on no answer is without `next`."""
    try:
        return executed()
    except (Problem, HTTPException, calls.NotBegun):
        raise
    except Exception as error:
        current_app.logger.error("%s failed, request %s\n%s", request.path, internal["request_id"], place_of(error))
        return Response(json.dumps(internal), 500, content_type="application/json")


Told = tuple[Json, ratelimit.Budget | None]
"""What the bot is told, and what is left of its budget where that is known already."""


def _executed(
    asked: Asked, claimed: idempotency.Claim | None, internal: Json, run: Callable[[int | None], Told]
) -> Response:
    """The stored answer of the Idempotency-Key, else what `run` gives; it is told the caller's socket or None.

    The key is settled whatever happens: given back where the call was refused, else the answer is stored. Where `run`
    failed otherwise, the call may have been made, so that `internal` is its answer.
    """
    if claimed is not None and claimed.answer is not None:
        return _answer(claimed.answer, asked, {"Idempotency-Replayed": "true"})
    made, now, budget = parts(), time.time(), None
    try:
        answer, budget = run(None if claimed else hangup(asked.request))
    except calls.REFUSALS as error:
        if claimed is not None:
            made.postponed.write_first_of(
                lambda: idempotency.release(claimed), lambda: idempotency.disclaim(claimed, now)
            )
        raise _refusal(error, asked.next_) from error
    except calls.NotBegun:
        raise
    except Exception as error:
        path, whose = asked.request.path, request_id(asked.request)
        current_app.logger.error("%s failed, request %s\n%s", path, whose, place_of(error))
        answer = internal
    if claimed is not None:
        made.postponed.write_first_of(
            lambda: idempotency.store(made.vault, claimed, answer), lambda: idempotency.disclaim(claimed, now)
        )
    return _answer(answer, asked, {}, budget)


def _claim(asked: Asked, *, step_id: int | None = None, flow_id: int | None = None) -> idempotency.Claim | None:
    key: str | None = asked.request.environ.get(bearers.IDEMPOTENCY_KEY)
    if key is None:
        return None
    next_ = asked.next_
    if not _IS_KEY.fullmatch(key):
        raise malformed("Idempotency-Key must have 1 to 255 printable ASCII characters.", next_)
    hashed = idempotency.body_hash(asked.request.get_data())
    try:
        return idempotency.claim(
            parts().vault, asked.who.account_id, step_id, key, hashed, time.time(), flow_id=flow_id,
            instance=parts().instance,
        )  # fmt: skip
    except idempotency.Running:
        raise Problem(
            409, "Call In Progress", "A call with this Idempotency-Key is under way. Ask again for its answer.",
            headers={"Retry-After": "1"}, next=next_,
        ) from None  # fmt: skip
    except idempotency.OutcomeUnknown as error:
        raise Problem(
            409, "Outcome Unknown",
            "A call with this Idempotency-Key was interrupted; whether the third party received it is not known. "
            f"The key is released after {idempotency.UNKNOWN_FOR / 60:.0f} minutes.",
            headers={"Retry-After": str(error.seconds)}, next=next_,
        ) from None  # fmt: skip
    except idempotency.AnswerDropped:
        raise Problem(
            409, "Answer No Longer Kept",
            "The call with this Idempotency-Key was made, and its answer was dropped: those of the account took more than "
            f"{idempotency.MAX_KEPT_BYTES / 1e6:.0f} MB. It is not made again; the step's logs may still have it.", next=next_,
        ) from None  # fmt: skip
    except idempotency.OtherBody:
        raise Problem(
            422, "Idempotency-Key Reused", "This Idempotency-Key was used with another body.", next=next_
        ) from None
    except calls.REFUSALS as error:
        raise _refusal(error, next_) from error


def _run(asked: Asked, step: steps.LoadedStep, account: GatheredAccount, edition: int | None, peer: int | None) -> Told:
    call = calls.Call(
        tenant=_tenant(asked.who), source="bot", spec=step.spec, attributes=asked.attributes,
        actor=f"key {asked.who.key_name}", request_id=request_id(asked.request), step=step, timeout=asked.timeout, hangup=peer,
        account=account, edition=edition,
    )  # fmt: skip
    try:
        done = runs.run_step(parts(), call)
    except calls.InternalError as error:
        return error.answer, None
    return done.answer, done.budget


def _run_flow(asked: Asked, spec: FlowSpec, peer: int | None) -> Told:
    call = flows.FlowCall(
        tenant=_tenant(asked.who), source="bot", spec=spec, attributes=asked.attributes,
        actor=f"key {asked.who.key_name}", request_id=request_id(), timeout=asked.timeout, hangup=peer,
        fallback=asked.next_,
    )  # fmt: skip
    return flows.run_flow(parts(), call), None


def _tenant(who: keys.Caller) -> calls.Tenant:
    return calls.Tenant(who.account_id, who.per_minute, who.in_flight, who.account)


def _answer(answer: Json, asked: Asked, headers: dict[str, str], budget: ratelimit.Budget | None = None) -> Response:
    status = 200
    if answer["outcome"] == FailureKind.INTERNAL:
        status = 500
    elif asked.wishes.errors == "http" and answer["outcome"] != "success":
        status = 504 if answer["outcome"] == FailureKind.TIMEOUT else 502
    headers |= _budget_headers(budget) if budget else _budget_left(asked.who)
    return json_response(asked.wishes.answered(answer, asked.gives), status, headers)


def _budget_left(who: keys.Caller) -> dict[str, str]:
    """The headers, or none where storage went away: the call has been made, and its answer is worth more."""
    try:
        return _budget_headers(ratelimit.budget_of(who.account_id, who.per_minute))
    except ratelimit.AWAY:
        current_app.logger.warning("the budget could not be read for the headers of an answer", exc_info=True)
        return {}


def _budget_headers(budget: ratelimit.Budget) -> dict[str, str]:
    """RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)."""
    return {
        "RateLimit-Policy": f'"account";q={budget.limit};w={hits.WINDOW}',
        "RateLimit": f'"account";r={budget.remaining};t={budget.reset}',
    }


def _refusal(error: Exception, next_: str) -> Exception:
    """The problem for a refusal before the call; any other error as it is."""
    if isinstance(error, IntegrityError):
        return Problem(404, "Not Found", "It was deleted just now.", next=next_)
    if isinstance(error, ratelimit.RateLimited):
        budget = error.budget
        return Problem(
            429, "Rate Limit Exceeded",
            f"{budget.limit} requests per minute per account. Try again in {budget.reset} s, or ask the operator for more.",
            headers={"Retry-After": str(budget.reset)} | _budget_headers(budget), next=next_,
        )  # fmt: skip
    if isinstance(error, calls.TooManyInFlight):
        return Problem(
            429, "Too Many Calls In Flight", "As many calls as allowed at once are waiting for answers. Try again shortly.",
            headers={"Retry-After": "1"}, next=next_,
        )  # fmt: skip
    if isinstance(error, calls.ProcessFull):
        return busy(error.SENTENCE, next=next_)
    return unavailable(error, next=next_) or error
