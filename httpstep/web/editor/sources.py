"""What the database knows beside the step on the screen: each asked for once, and only where somebody needs it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from httpstep.core import jsontext
from httpstep.core.jsontext import Json
from httpstep.core.outcome.fallback import SUCCESS
from httpstep.execution.budget import ratelimit
from httpstep.storage import logs, overview
from httpstep.storage.tables import AcceptedStructure, Log
from httpstep.web.access import current_user
from httpstep.web.here import account_id


class Sources:
    """step_id: None for a draft, whose tests are found by draft_id. looked_at: ids of the logs that are read whole."""

    def __init__(self, step_id: int | None, draft_id: str, looked_at: Iterable[int | None]) -> None:
        self._step_id = step_id
        self._draft_id = draft_id
        self._whole = frozenset(log_id for log_id in looked_at if log_id is not None)
        self._others: dict[int, Log | None] = {}

    @cached_property
    def names(self) -> overview.Names:
        return overview.names_for(account_id(), self._step_id)

    @cached_property
    def budget(self) -> ratelimit.Budget:
        return ratelimit.budget_of(account_id(), current_user().account.per_minute)

    @cached_property
    def logs(self) -> list[Log]:
        if self._step_id is None and not self._draft_id:
            return []
        draft_id = self._draft_id if self._step_id is None else None
        return logs.newest(account_id(), step_id=self._step_id, draft_id=draft_id, whole=self._whole)

    @cached_property
    def history(self) -> list[AcceptedStructure]:
        return overview.history(self._step_id) if self._step_id is not None else []

    def log(self, log_id: int | None) -> Log | None:
        """A whole log row of this step or draft. Others, also of this account, are not found."""
        if log_id is None:
            return None
        if log_id in self._whole and (found := next((log for log in self.logs if log.id == log_id), None)):
            return found
        if log_id not in self._others:
            self._others[log_id] = self._mine(logs.get(account_id(), log_id))
        return self._others[log_id]

    def accepted_before(self, structure_id: int | None) -> AcceptedStructure | None:
        """One of the history by its id."""
        return None if structure_id is None else next((one for one in self.history if one.id == structure_id), None)

    @cached_property
    def last_given(self) -> dict[str, Json]:
        """The attributes of the newest test that is kept."""
        return _given(next((log for log in self._tests), None))

    @cached_property
    def good_given(self) -> dict[str, Json]:
        """Those of the newest test that succeeded; of the newest where none did."""
        return _given(next((log for log in self._tests if log.outcome == SUCCESS), None)) or self.last_given

    @property
    def _tests(self) -> Iterable[Log]:
        return (log for log in self.logs if log.source == "test" and log.detail)

    def given_for(self, answer: bytes) -> dict[str, Json] | None:
        """The attributes of the call of this step that got this answer; None where it is not kept any more."""
        detail = logs.detail_of_answer(account_id(), self._step_id, answer) if self._step_id is not None else None
        return jsontext.read_back(detail).get("given") if detail else None

    def know(self, history: list[AcceptedStructure], before: Sources | None) -> None:
        """What need not be asked again: the history, and the names as they were."""
        self.history = history
        if before is not None and "names" in before.__dict__:
            self.names = before.names

    def forget_names(self) -> None:
        """Names have been added meanwhile."""
        self.__dict__.pop("names", None)

    def _mine(self, log: Log | None) -> Log | None:
        if log is None:
            return None
        mine = log.draft_id == self._draft_id if log.step_id is None else log.step_id == self._step_id
        return log if mine else None


def _given(test: Log | None) -> dict[str, Json]:
    given = jsontext.read_back(test.detail).get("given") if test is not None and test.detail else None
    return given if isinstance(given, dict) else {}
