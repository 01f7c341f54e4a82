"""Counts of calls and refusals, for /metrics"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'call_counts',
        sa.Column('kind', sa.Text(), nullable=False),
        sa.Column('account', sa.Text(), nullable=False),
        sa.Column('source', sa.Text(), nullable=False),
        sa.Column('outcome', sa.Text(), nullable=False),
        sa.Column('shard', sa.Integer(), nullable=False),
        sa.Column('calls', sa.BigInteger(), nullable=False),
        sa.Column('milliseconds', sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint('kind', 'account', 'source', 'outcome', 'shard', name=op.f('pk_call_counts')),
    )
