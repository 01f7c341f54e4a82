"""What the columns of several tables are made of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Dialect, ForeignKey, Integer
from sqlalchemy import Text as PlainText
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Text(TypeDecorator[str]):
    """TEXT. PostgreSQL takes no U+0000 in a text, not even to look for it; U+FFFD stands for it, on SQLite too."""

    impl = PlainText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else self.kept(value)

    @staticmethod
    def kept(value: str) -> str:
        return value.replace("\0", "\ufffd") if "\0" in value else value


Id = BigInteger().with_variant(Integer, "sqlite")
NEVER_REUSED = {"sqlite_autoincrement": True}


def account_column() -> Mapped[int]:
    """Whose the row is: it goes with the account."""
    return mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)


def step_column() -> Mapped[int]:
    """Whose the row is: it goes with the step."""
    return mapped_column(Id, ForeignKey("steps.id", ondelete="CASCADE"), index=True)
