"""OAuth 2 access tokens, shared by all processes"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'access_tokens',
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
        sa.Column('token', sa.LargeBinary(), nullable=True),
        sa.Column('good_until', sa.Double(), nullable=False),
        sa.Column('claimed_until', sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_access_tokens_account_id_accounts'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('name', name=op.f('pk_access_tokens')),
    )
    with op.batch_alter_table('access_tokens', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_access_tokens_account_id'), ['account_id'], unique=False)
