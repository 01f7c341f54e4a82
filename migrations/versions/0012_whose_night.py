"""Which host made the last nightly backup, and when, so that of several only one makes the next"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'nightly_backups',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('at', sa.Double(), nullable=False),
        sa.Column('instance', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_nightly_backups')),
    )
