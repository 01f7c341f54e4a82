"""Users of an account, and the codes that work once: the setup code, invitations, links to a new password.

Functions that say "the caller commits" belong inside `database.editing()`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, func, select, update
from werkzeug.security import check_password_hash, generate_password_hash

from httpstep.core.document.addressees import is_address
from httpstep.core.step.naming import in_lists
from httpstep.extensions import db
from httpstep.storage import sessions
from httpstep.storage.database import editing, end_transaction, writing
from httpstep.storage.keys import digest
from httpstep.storage.tables import Account, OneTimeCode, User

ROLES: Final = ("viewer", "editor", "admin")
"""What each may do, the next includes the one before: see; change steps, attributes and mappings and test; users, keys,
secrets and addresses."""
SHORTEST_PASSWORD: Final = 10
MAX_PASSWORD_CHARACTERS: Final = 200
CODE_SECONDS: Final = 7 * 24 * 3600
_SPARE_HASH: Final = (
    "scrypt:32768:8:1$qP9GUcql1uVljgLV$c7e17d5327bea84db4b77a7b1fd1cf9fae508351a1c6d4697c18250ca41e8b99"
    "840bb96df26eb75bd253bdc715d57baa26a39cd1e371e60ce4a09610f14113ab"
)
"""The hash of a password that nobody knows, checked where there is no user, so that both take as long."""


class LastAdmin(Exception):
    """The account would be left without an admin who can sign in."""


class AddressTaken(Exception):
    """There is a user with this e-mail address already, perhaps in another account."""


def email_fault(email: str) -> str:
    """A sentence on what is wrong with an address, or ""."""
    if not email.strip():
        return "Enter an e-mail address."
    return "" if is_address(email.strip()) else "This is not an e-mail address, such as ana@example.com."


def password_fault(password: str) -> str:
    """A sentence on what is wrong with a new password, or ""."""
    if len(password) < SHORTEST_PASSWORD:
        return f"A password has at least {SHORTEST_PASSWORD} characters."
    return (
        f"A password has at most {MAX_PASSWORD_CHARACTERS} characters."
        if len(password) > MAX_PASSWORD_CHARACTERS
        else ""
    )


def check_new_password(note: Callable[[str, str], None], password: str, again: str) -> None:
    """Tell `note(field, sentence)` what is wrong with a new password typed twice."""
    note("password", password_fault(password))
    note("password_again", "" if password == again else "The two passwords are not the same.")


# ---------------------------------------------------------------- users


def listed(account_id: int) -> list[User]:
    found = db.session.scalars(select(User).where(User.account_id == account_id))
    return sorted(found, key=lambda user: in_lists(user.email))


def admins(account_id: int) -> list[str]:
    """The e-mails of those who may sign in."""
    return [user.email for user in listed(account_id) if user.role == "admin" and user.disabled_at is None]


def get(account_id: int, user_id: int) -> User | None:
    return db.session.scalar(select(User).where(User.account_id == account_id, User.id == user_id))


def by_email(email: str) -> User | None:
    return db.session.scalar(select(User).where(User.email == email.strip().lower()))


def authenticated(email: str, password: str) -> User | None:
    """The user behind a sign-in. None in about the same time for an unknown, disabled or mistyped one."""
    user = by_email(email)
    known = check_password_hash(user.password_hash if user else _SPARE_HASH, password[:MAX_PASSWORD_CHARACTERS])
    return user if user is not None and known and user.disabled_at is None else None


def add(account_id: int, email: str, password: str, role: str, *, operator: bool = False) -> User:
    """A new user; the caller commits. Raises AddressTaken."""
    if by_email(email) is not None:
        raise AddressTaken(email)
    user = User(
        account_id=account_id, email=email.strip().lower(), password_hash=generate_password_hash(password),
        role=role, operator=operator, created_at=time.time(),
    )  # fmt: skip
    db.session.add(user)
    db.session.flush()
    return user


def change(account_id: int, user_id: int, *, role: str | None = None, disabled: bool | None = None) -> User | None:
    """Set role, state, or both; a disabled user is signed out at once. None: not of this account. Raises LastAdmin.

    One at a time per account, which PostgreSQL has to be told: two admins who disable each other would both be counted.
    """
    with editing():
        db.session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
        user = get(account_id, user_id)
        if user is None:
            return None
        was_admin = user.role == "admin" and user.disabled_at is None
        user.role = user.role if role is None else role
        if disabled is not None:
            user.disabled_at = (user.disabled_at or time.time()) if disabled else None
        db.session.flush()
        if was_admin and not _admins(account_id):
            raise LastAdmin
    if disabled:
        sessions.end_all(user_id)
    return user


def _admins(account_id: int) -> int:
    able = User.account_id == account_id, User.role == "admin", User.disabled_at.is_(None)
    return db.session.scalar(select(func.count()).select_from(User).where(*able)) or 0


def set_password(user_id: int, password: str, *, keep_session: int | None = None) -> None:
    """A new password; every other browser of the user is signed out, and links to a new password stop working."""
    hashed = generate_password_hash(password)
    with writing() as connection:
        _write_password(connection, user_id, hashed, keep_session)


def _write_password(connection: Connection, user_id: int, hashed: str, keep_session: int | None = None) -> None:
    connection.execute(update(User).where(User.id == user_id).values(password_hash=hashed))
    connection.execute(delete(OneTimeCode).where(OneTimeCode.user_id == user_id, OneTimeCode.purpose == "reset"))
    sessions.end_all(user_id, but=keep_session)


# ---------------------------------------------------------------- codes


def invite(account_id: int, email: str, role: str) -> str:
    """The code of an invitation for seven days; earlier ones to the same address stop working. Raises AddressTaken."""
    code, now = secrets.token_urlsafe(24), time.time()
    address = email.strip().lower()
    with editing():
        if by_email(address) is not None:
            raise AddressTaken(address)
        same = OneTimeCode.purpose == "invite", OneTimeCode.account_id == account_id, OneTimeCode.email == address
        db.session.execute(delete(OneTimeCode).where(*same))
        db.session.execute(delete(OneTimeCode).where(OneTimeCode.expires_at < now - CODE_SECONDS))
        db.session.add(
            OneTimeCode(
                purpose="invite",
                code_hash=digest(code),
                account_id=account_id,
                email=address,
                role=role,
                expires_at=now + CODE_SECONDS,
            )
        )
    return code


def invitations(account_id: int) -> list[OneTimeCode]:
    """Those that can still be used."""
    still_good = OneTimeCode.used_at.is_(None), OneTimeCode.expires_at > time.time()
    mine = OneTimeCode.purpose == "invite", OneTimeCode.account_id == account_id
    found = db.session.scalars(select(OneTimeCode).where(*mine, *still_good))
    return sorted(found, key=lambda code: in_lists(code.email))


def last_invited(account_id: int) -> str:
    """The address of the account's newest invitation, whether or not it can still be used; "" where none is known."""
    mine = OneTimeCode.purpose == "invite", OneTimeCode.account_id == account_id
    query = select(OneTimeCode.email).where(*mine).order_by(OneTimeCode.id.desc()).limit(1)
    return db.session.scalar(query) or ""


def withdraw(account_id: int, code_id: int) -> bool:
    mine = OneTimeCode.purpose == "invite", OneTimeCode.account_id == account_id, OneTimeCode.id == code_id
    with editing():
        code = db.session.scalar(select(OneTimeCode).where(*mine))
        if code is not None:
            db.session.delete(code)
        return code is not None


def invitation(code: str) -> OneTimeCode | None:
    """The invitation behind a code, if it can still be used."""
    return db.session.scalar(select(OneTimeCode).where(_usable("invite", code)))


def accept(code: str, password: str) -> User | None:
    """The user an invitation makes; None where it was used, withdrawn or is too old. Raises AddressTaken."""
    with editing():
        used = _use("invite", code)
        if used is None or used.account_id is None:
            return None
        return add(used.account_id, used.email, password, used.role)


def set_up(code: str, email: str, password: str) -> User | None:
    """The first user, admin and operator, by the one-time code of the log, however its groups and letters are written;
    None where the code is not it."""
    signs = "".join(code.lower().replace("-", " ").split())
    code = "-".join(signs[start : start + 4] for start in range(0, len(signs), 4))
    with editing():
        if db.session.scalar(select(func.count()).select_from(User)) or _use("setup", code) is None:
            return None
        first = db.session.scalars(select(Account).order_by(Account.id)).first()
        assert first is not None, "the installation makes the first account before it serves"
        return add(first.id, email, password, "admin", operator=True)


def _usable(purpose: str, code: str) -> ColumnElement[bool]:
    return and_(
        OneTimeCode.purpose == purpose,
        OneTimeCode.code_hash == digest(code.strip()),
        OneTimeCode.used_at.is_(None),
        OneTimeCode.expires_at > time.time(),
    )


def _use(purpose: str, code: str) -> OneTimeCode | None:
    """One conditional statement, so that of two at once only one gets it, on PostgreSQL too."""
    taking = update(OneTimeCode).where(_usable(purpose, code)).values(used_at=time.time()).returning(OneTimeCode)
    return db.session.scalar(taking, execution_options={"synchronize_session": False})


def password_link(account_id: int, user_id: int) -> str | None:
    """The code of a link to a new password, for one day; an earlier one stops working. None: not of this account."""
    code, now = secrets.token_urlsafe(24), time.time()
    with editing():
        user = get(account_id, user_id)
        if user is None:
            return None
        db.session.execute(delete(OneTimeCode).where(OneTimeCode.user_id == user_id, OneTimeCode.purpose == "reset"))
        expires_at = now + 24 * 3600
        db.session.add(OneTimeCode(purpose="reset", code_hash=digest(code), user_id=user_id, expires_at=expires_at))
    return code


def reset_asked(code: str) -> User | None:
    """Whom a link to a new password is for, if it can still be used."""
    found = db.session.scalar(select(OneTimeCode).where(_usable("reset", code)))
    user = db.session.get(User, found.user_id) if found is not None and found.user_id is not None else None
    return user if user is not None and user.disabled_at is None else None


def reset(code: str, password: str) -> int | None:
    """Use a link to a new password, all or nothing. The user's id, or None where the link cannot be used."""
    user = reset_asked(code)
    if user is None:
        return None
    user_id, hashed = user.id, generate_password_hash(password)
    end_transaction()
    with writing() as connection:
        if connection.execute(update(OneTimeCode).where(_usable("reset", code)).values(used_at=time.time())).rowcount:
            _write_password(connection, user_id, hashed)
            return user_id
    return None
