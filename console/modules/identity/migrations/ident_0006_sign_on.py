"""Accounts bound to people of an identity platform, who asks to be bound, and logins that wait for a telephone."""

from alembic import op

revision = "ident_0006"
down_revision = "ident_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE ident_binding (
            issuer text NOT NULL,
            subject text NOT NULL,
            account text NOT NULL REFERENCES ident_account (id),
            given_by text NOT NULL,
            given_at bigint NOT NULL,
            PRIMARY KEY (issuer, subject),
            UNIQUE (account, issuer)
        )""")
    op.execute("""
        CREATE TABLE ident_binding_wish (
            issuer text NOT NULL,
            subject text NOT NULL,
            staff text NOT NULL,
            name text NOT NULL,
            at bigint NOT NULL,
            PRIMARY KEY (issuer, subject)
        )""")
    op.execute("CREATE INDEX ident_binding_wish_staff ON ident_binding_wish (staff)")
    op.execute("""
        CREATE TABLE ident_scan (
            digest text PRIMARY KEY,
            waiter text NOT NULL UNIQUE,
            address text NOT NULL,
            program text NOT NULL,
            at bigint NOT NULL,
            state text NOT NULL CHECK (state IN ('waiting', 'confirmed', 'refused')),
            account text REFERENCES ident_account (id),
            means text NOT NULL DEFAULT ''
        )""")
