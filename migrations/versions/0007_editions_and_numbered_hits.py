"""Editions of accounts, and numbered rows of budgets. Their triggers are made after every upgrade (httpstep/storage/schema.py)
"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade():
    op.create_table('editions',
    sa.Column('account_id', _ID, nullable=False),
    sa.Column('edition', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_editions_account_id_accounts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_editions'))
    )
    op.add_column('budget_hits', sa.Column('number', _ID, server_default='0', nullable=False))
    op.execute(
        'UPDATE budget_hits SET number = counted.number FROM (SELECT id, row_number() OVER '
        '(PARTITION BY key ORDER BY at, id) AS number FROM budget_hits) AS counted WHERE counted.id = budget_hits.id'
    )
    op.create_index('ix_budget_hits_key_at_number', 'budget_hits', ['key', 'at', 'number'])
    op.drop_index('ix_budget_hits_key_at', 'budget_hits')
