"""Administrators and sessions."""

from alembic import op

revision = "ident_0001"
down_revision = None
branch_labels = ("identity",)
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE ident_account (
            id text PRIMARY KEY,
            name text NOT NULL UNIQUE,
            role text NOT NULL CHECK (role IN ('system', 'security', 'audit')),
            password_hash text NOT NULL,
            must_change boolean NOT NULL,
            disabled boolean NOT NULL,
            totp_box text,
            created_at bigint NOT NULL,
            changed_at bigint NOT NULL,
            last_login_at bigint
        )""")
    op.execute("""
        CREATE TABLE ident_former_password (
            account text NOT NULL REFERENCES ident_account (id),
            at bigint NOT NULL,
            hash text NOT NULL,
            PRIMARY KEY (account, at)
        )""")
    op.execute("""
        CREATE TABLE ident_tries (
            name_digest text PRIMARY KEY,
            failed integer NOT NULL,
            locked_until bigint NOT NULL,
            at bigint NOT NULL
        )""")
    op.execute("""
        CREATE TABLE ident_session (
            digest text PRIMARY KEY,
            subject text NOT NULL,
            csrf text NOT NULL,
            created_at bigint NOT NULL,
            seen_at bigint NOT NULL,
            marks text[] NOT NULL
        )""")
    op.execute("CREATE INDEX ident_session_subject ON ident_session (subject)")
