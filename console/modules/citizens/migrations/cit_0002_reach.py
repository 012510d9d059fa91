"""Alipay accounts and phones of citizens, how phone numbers are found, whose session at the sign-on one of ours is, what somebody used of a limit."""

from alembic import op

revision = "cit_0002"
down_revision = "cit_0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE cit_alipay (
        citizen text PRIMARY KEY REFERENCES cit_citizen (id),
        app text NOT NULL,
        box text NOT NULL,
        masked text NOT NULL,
        made_at bigint NOT NULL
    )""",
    """
    CREATE TABLE cit_device (
        digest text PRIMARY KEY,
        citizen text NOT NULL REFERENCES cit_citizen (id),
        session text NOT NULL,
        platform text NOT NULL CHECK (platform IN ('android', 'ios', 'harmony')),
        app text NOT NULL,
        box text NOT NULL,
        made_at bigint NOT NULL,
        seen_at bigint NOT NULL
    )""",
    "CREATE INDEX cit_device_citizen ON cit_device (citizen)",
    "CREATE INDEX cit_device_seen ON cit_device (seen_at)",
    """
    CREATE UNLOGGED TABLE cit_measure (
        key text PRIMARY KEY,
        used double precision NOT NULL,
        at bigint NOT NULL
    )""",
    "CREATE INDEX cit_measure_at ON cit_measure (at)",
    "ALTER TABLE cit_citizen ADD COLUMN phone_index text",
    "CREATE INDEX cit_citizen_phone ON cit_citizen (phone_index)",
    "ALTER TABLE cit_session ADD COLUMN login text NOT NULL DEFAULT ''",
    "ALTER TABLE cit_session ADD COLUMN sid text NOT NULL DEFAULT ''",
    "CREATE INDEX cit_session_login ON cit_session (login)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
