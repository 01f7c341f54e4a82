"""Indexes of the logs of drafts and of running calls that no other log is written to"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade():
    for name, columns, rows in (
        ('ix_logs_draft_id', ['draft_id'], sa.text('draft_id IS NOT NULL')),
        ('ix_logs_running', ['account_id', 'state', 'started_at'], sa.text("state = 'running'")),
    ):
        op.drop_index(name, table_name='logs')
        op.create_index(name, 'logs', columns, sqlite_where=rows, postgresql_where=rows)
