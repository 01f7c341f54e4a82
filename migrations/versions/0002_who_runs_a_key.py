"""Who runs an idempotent call, so that its key can say at once when that process has ended"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('idempotency', schema=None) as batch_op:
        batch_op.add_column(sa.Column('instance', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('pid', sa.Integer(), server_default='0', nullable=False))


def downgrade():
    with op.batch_alter_table('idempotency', schema=None) as batch_op:
        batch_op.drop_column('pid')
        batch_op.drop_column('instance')
