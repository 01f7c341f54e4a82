"""A copy of a PostgreSQL database by its own tool, pg_dump: one consistent state, while everything goes on.

pg_dump has to be as new as the server (its manual, "Notes"); what it says where it is not is what the operator reads.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

from sqlalchemy import URL, text

from httpstep.config import PG_DUMP
from httpstep.extensions import db
from httpstep.storage.database import reading

SECONDS: Final = 3 * 3600
_LOCK_SECONDS: Final = 60
_MAX_CHARACTERS: Final = 500


class DumpError(Exception):
    """There is no dump. The text is a sentence for the operator."""


def write(target: Path) -> None:
    """The whole database in pg_dump's custom format, which pg_restore reads. Raises DumpError.

    The password goes by the environment: other users of the machine see what a command is started with.
    """
    url = db.engine.url
    # Not `url.set(password=None)`, which leaves the password where it is, and so *** in the address.
    address = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    ).render_as_string()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HTTPSTEP_")}
    if url.password:
        environ["PGPASSWORD"] = str(url.password)
    command = [
        PG_DUMP, "--format=custom", "--no-owner", "--no-privileges", "--no-password",
        f"--lock-wait-timeout={_LOCK_SECONDS}s", f"--file={target}", f"--dbname={address}",
    ]  # fmt: skip
    try:
        ran = subprocess.run(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except OSError as error:
        raise DumpError(f"pg_dump cannot be started: {error.strerror}. Install PostgreSQL's client.") from None
    except subprocess.TimeoutExpired:
        raise DumpError(f"pg_dump was not done within {SECONDS // 3600} hours.") from None
    if ran.returncode:
        said = " ".join(ran.stderr.decode(errors="replace").replace("pg_dump: ", "").split())[-_MAX_CHARACTERS:]
        raise DumpError(f"pg_dump failed: {said.rstrip('.') or f'it ended with {ran.returncode}'}.")


def state() -> tuple[str, int]:
    """The revision of the data, and the size of the database in bytes, indexes included."""
    with reading() as connection:
        schema = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    return str(schema), int(size)
