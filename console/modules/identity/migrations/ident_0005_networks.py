"""Networks that staff may log in from."""

from alembic import op

revision = "ident_0005"
down_revision = "ident_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE ident_network (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            network cidr NOT NULL,
            account text REFERENCES ident_account (id),
            note text NOT NULL,
            given_by text NOT NULL,
            given_at bigint NOT NULL,
            UNIQUE NULLS NOT DISTINCT (network, account)
        )""")
