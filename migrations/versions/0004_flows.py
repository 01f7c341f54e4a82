"""Flows, and idempotency keys of flows beside those of steps"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade():
    op.create_table('flows',
    sa.Column('id', _ID, nullable=False),
    sa.Column('account_id', _ID, nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.Double(), nullable=False),
    sa.Column('updated_at', sa.Double(), nullable=False),
    sa.Column('updated_by', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_flows_account_id_accounts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_flows')),
    sa.UniqueConstraint('account_id', 'key', name=op.f('uq_flows_account_id')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('flows', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_flows_account_id'), ['account_id'], unique=False)

    with op.batch_alter_table('idempotency', schema=None, table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.alter_column('step_id', existing_type=_ID, nullable=True)
        batch_op.add_column(sa.Column('flow_id', _ID, nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_idempotency_flow_id_flows'), 'flows', ['flow_id'], ['id'], ondelete='CASCADE')
        batch_op.create_unique_constraint(batch_op.f('uq_idempotency_flow_id'), ['flow_id', 'key'])


def downgrade():
    op.execute('DELETE FROM idempotency WHERE step_id IS NULL')
    with op.batch_alter_table('idempotency', schema=None, table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_idempotency_flow_id'), type_='unique')
        batch_op.drop_constraint(batch_op.f('fk_idempotency_flow_id_flows'), type_='foreignkey')
        batch_op.drop_column('flow_id')
        batch_op.alter_column('step_id', existing_type=_ID, nullable=False)
    op.drop_table('flows')
