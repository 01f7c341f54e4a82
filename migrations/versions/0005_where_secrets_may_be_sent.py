"""Where secrets may be sent: for those that are there, the hosts of the saved steps that send them

"*" where a step's host varies: any host, until an admin decides. A secret that no step sends may be sent nowhere.
"""

from collections import defaultdict

import sqlalchemy as sa
from alembic import op

from httpstep.core import jsontext
from httpstep.core.request import destinations
from httpstep.core.inserting import secrethosts
from httpstep.core.document import stepdocument
from httpstep.core.errors import UnreadableAnswer

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

_SECRETS = sa.table(
    'secrets', sa.column('id', sa.BigInteger), sa.column('account_id', sa.BigInteger), sa.column('name', sa.Text), sa.column('hosts', sa.Text)
)
_STEPS = sa.table('steps', sa.column('account_id', sa.BigInteger), sa.column('document', sa.Text))


def upgrade():
    with op.batch_alter_table('secrets', schema=None, table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.add_column(sa.Column('hosts', sa.Text(), server_default='', nullable=False))
    connection = op.get_bind()
    secrets = connection.execute(sa.select(_SECRETS.c.id, _SECRETS.c.account_id, _SECRETS.c.name)).all()
    if not secrets:
        return
    specs, unread = _steps(connection)
    told = {account: destinations.hosts_of_steps(found) for account, found in specs.items()}
    for row_id, account, name in secrets:
        hosts = told.get(account, {}).get(name, ())
        if any(f'secret.{name}' in document for document in unread[account]):
            hosts = None
        connection.execute(sa.update(_SECRETS).where(_SECRETS.c.id == row_id).values(hosts=secrethosts.dump(hosts)))


def _steps(connection):
    """The steps of each account, and the documents that cannot be read."""
    specs, unread = defaultdict(list), defaultdict(list)
    for account, document in connection.execute(sa.select(_STEPS.c.account_id, _STEPS.c.document)):
        try:
            specs[account].append(stepdocument.parse(jsontext.loads(document)))
        except (UnreadableAnswer, stepdocument.DocumentError):
            unread[account].append(document)
    return specs, unread
