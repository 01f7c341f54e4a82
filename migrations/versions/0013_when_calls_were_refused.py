"""When a call was refused last, by account and reason, so that its people see that any were"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('call_counts', sa.Column('last_at', sa.Double(), nullable=True))
