"""The tables. Times are seconds since the epoch, UTC: no database then has a time zone to lose.

Documents are TEXT and not JSONB, which refuses U+0000; bodies are bytes. Everything that belongs to an
account names it and goes with it. What the machine writes about a step stands in `step_states`, apart
from what its editor wrote, so the two cannot conflict.
"""

from __future__ import annotations

from httpstep.storage.tables.accounts import (
    AccessToken,
    Account,
    ApiKey,
    Attribute,
    AuditEntry,
    Edition,
    NightlyBackup,
    OneTimeCode,
    Secret,
    Session,
    User,
)
from httpstep.storage.tables.columns import Text
from httpstep.storage.tables.inserting import insert_into
from httpstep.storage.tables.steps import (
    RUNNING,
    AcceptedStructure,
    Alert,
    BudgetHit,
    CallCount,
    Case,
    Flow,
    Idempotency,
    Log,
    Step,
    StepState,
)

__all__ = [
    "AcceptedStructure", "AccessToken", "Account", "Alert", "ApiKey", "Attribute", "AuditEntry", "BudgetHit", "CallCount", "Case", "Edition", "Flow",
    "Idempotency", "Log", "NightlyBackup", "OneTimeCode", "RUNNING", "Secret", "Session", "Step", "StepState", "Text", "User", "insert_into",
]  # fmt: skip
