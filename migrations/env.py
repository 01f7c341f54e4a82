"""Alembic's environment: the connection and the tables of the running application, nothing of its own."""

from alembic import context

from httpstep.extensions import db
from httpstep.storage import tables  # noqa: F401  the tables register themselves

with db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
