"""Test cases of a step: kept values and what is expected of them"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade():
    op.create_table(
        'cases',
        sa.Column('id', ID, nullable=False),
        sa.Column('account_id', ID, nullable=False),
        sa.Column('step_id', ID, nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('document', sa.Text(), nullable=False),
        sa.Column('created_at', sa.Double(), nullable=False),
        sa.Column('created_by', sa.Text(), nullable=False),
        sa.Column('ran_at', sa.Double(), nullable=True),
        sa.Column('differences', sa.Text(), nullable=True),
        sa.Column('log_id', ID, nullable=True),
        sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_cases_account_id_accounts'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['step_id'], ['steps.id'], name=op.f('fk_cases_step_id_steps'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_cases')),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table('cases', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_cases_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_cases_step_id'), ['step_id'], unique=False)
