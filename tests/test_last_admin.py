"""An account keeps an admin who can sign in, also when its admins send each other away at the same moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from httpstep.extensions import db
from httpstep.storage import users
from httpstep.storage.database import editing
from httpstep.storage.tables import User
from tests.house import House

ADMINS = ("ada", "eve", "kim", "lea")


def _linger(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    """Stay between counting the admins and what follows from it, so that the others come to count as well."""
    if "count(" in statement:
        time.sleep(0.1)


def test_admins_who_disable_each_other_at_once_leave_one(make_house: Callable[..., House]) -> None:
    house = make_house()
    owner, ids = house.account(), []
    with house.app.app_context(), editing():
        for name in ADMINS:
            row = {"email": f"{name}@example.com", "password_hash": "-", "role": "admin", "created_at": time.time()}
            db.session.add(user := User(account_id=owner, **row))
            db.session.flush()
            ids.append(user.id)
        event.listen(db.engine, "after_cursor_execute", _linger)
    start, kept = threading.Barrier(len(ids)), []

    def disable(user_id: int) -> None:
        with house.app.app_context():
            start.wait()
            try:
                users.change(owner, user_id, role="admin", disabled=True)
            except users.LastAdmin:
                kept.append(user_id)

    threads = [threading.Thread(target=disable, args=(user_id,)) for user_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with house.app.app_context():
        assert [user.id for user in users.listed(owner) if user.disabled_at is None] == kept
    assert len(kept) == 1
