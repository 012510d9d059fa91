"""The second factor, its recovery codes, by what a session came to be, and the rules of logging in."""

from alembic import op

revision = "ident_0004"
down_revision = "ident_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE ident_account
            ADD COLUMN totp_pending text,
            ADD COLUMN totp_step bigint NOT NULL DEFAULT 0,
            ADD COLUMN totp_since bigint""")
    op.execute("""
        CREATE TABLE ident_recovery (
            account text NOT NULL REFERENCES ident_account (id),
            digest text NOT NULL,
            used_at bigint,
            PRIMARY KEY (account, digest)
        )""")
    op.execute("ALTER TABLE ident_session ADD COLUMN means text NOT NULL DEFAULT ''")
    # The limits stand here too: nobody who reaches the database sets a policy that is none.
    op.execute("""
        CREATE TABLE ident_policy (
            id smallint PRIMARY KEY CHECK (id = 1),
            version integer NOT NULL,
            password_days integer NOT NULL CHECK (password_days BETWEEN 7 AND 365),
            remembered integer NOT NULL CHECK (remembered BETWEEN 1 AND 24),
            attempts integer NOT NULL CHECK (attempts BETWEEN 3 AND 10),
            lock_minutes integer NOT NULL CHECK (lock_minutes BETWEEN 5 AND 1440),
            idle_minutes integer NOT NULL CHECK (idle_minutes BETWEEN 5 AND 120),
            session_hours integer NOT NULL CHECK (session_hours BETWEEN 1 AND 24),
            grace_days integer NOT NULL CHECK (grace_days BETWEEN 0 AND 30),
            factor_for text[] NOT NULL
        )""")
    op.execute("INSERT INTO ident_policy VALUES (1, 0, 90, 5, 5, 15, 30, 12, 0, '{}')")
