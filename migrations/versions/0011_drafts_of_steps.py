"""A step knows the draft that it was made of, so that a repeated first save makes no second one"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('steps', sa.Column('draft_id', sa.Text(), nullable=True))
    op.create_index('ix_steps_draft', 'steps', ['account_id', 'draft_id'], unique=True)
