"""Roles, their assignments, and where an account belongs. Two duties never meet in one account: the database
refuses it whatever the program does."""

from alembic import op

revision = "ident_0002"
down_revision = "ident_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE ident_account
            ADD COLUMN duty text NOT NULL DEFAULT ''
                CHECK (duty IN ('', 'system', 'security', 'audit')),
            ADD COLUMN division text NOT NULL DEFAULT '',
            ADD COLUMN staff text UNIQUE,
            ADD UNIQUE (id, duty)""")
    op.execute("UPDATE ident_account SET duty = role, division = '230600000000'")
    op.execute("""
        CREATE TABLE ident_role (
            id text PRIMARY KEY,
            name text NOT NULL,
            name_en text NOT NULL,
            functions text[] NOT NULL,
            duty text NOT NULL CHECK (duty IN ('', 'system', 'security', 'audit')),
            version integer NOT NULL,
            UNIQUE (id, duty)
        )""")
    # The second key holds only for duties. It is looked at with the commit: a role and its accounts change together.
    op.execute("""
        CREATE TABLE ident_assignment (
            account text NOT NULL REFERENCES ident_account (id),
            role text NOT NULL,
            duty text NOT NULL,
            exclusive text GENERATED ALWAYS AS (nullif(duty, '')) STORED,
            kind text NOT NULL CHECK (kind IN ('region', 'department', 'hall', 'own')),
            target text NOT NULL,
            given_by text NOT NULL,
            given_at bigint NOT NULL,
            PRIMARY KEY (account, role, kind, target),
            FOREIGN KEY (role, duty) REFERENCES ident_role (id, duty) ON UPDATE CASCADE,
            FOREIGN KEY (account, exclusive) REFERENCES ident_account (id, duty)
                DEFERRABLE INITIALLY DEFERRED
        )""")
    op.execute("CREATE INDEX ident_assignment_role ON ident_assignment (role)")
    _give()


def _give() -> None:
    """The administrators that there are keep what they had."""
    op.execute("""
        INSERT INTO ident_role (id, name, name_en, functions, duty, version)
        SELECT DISTINCT role, role, role, '{}'::text[], role, 0 FROM ident_account""")
    op.execute("""
        INSERT INTO ident_assignment (account, role, duty, kind, target, given_by, given_at)
        SELECT id, role, role, 'region', '230600000000', 'system', created_at FROM ident_account""")
    op.execute("ALTER TABLE ident_account DROP COLUMN role")
