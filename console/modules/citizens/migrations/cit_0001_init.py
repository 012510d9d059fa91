"""Citizens, their logins, firms they act for, sessions, addresses to be confirmed."""

from alembic import op

revision = "cit_0001"
down_revision = None
branch_labels = ("citizens",)
depends_on = ("core_0001",)

TABLES = (
    """
    CREATE TABLE cit_citizen (
        id text PRIMARY KEY,
        certificate text NOT NULL,
        number_index text,
        name_box text NOT NULL,
        number_box text NOT NULL,
        comes_box text NOT NULL,
        phone_box text NOT NULL,
        mail_box text NOT NULL,
        masked_name text NOT NULL,
        masked_number text NOT NULL,
        masked_phone text NOT NULL,
        masked_mail text NOT NULL,
        level text NOT NULL CHECK (level IN ('basic', 'real_name', 'face')),
        language text NOT NULL,
        registered boolean NOT NULL,
        consent text NOT NULL,
        consent_at bigint,
        made_at bigint NOT NULL,
        seen_at bigint NOT NULL,
        forgotten_at bigint,
        UNIQUE (certificate, number_index),
        CHECK (forgotten_at IS NULL OR (number_index IS NULL AND name_box = '' AND number_box = ''
               AND comes_box = '' AND phone_box = '' AND mail_box = ''))
    )""",
    """
    CREATE TABLE cit_login (
        digest text PRIMARY KEY,
        citizen text NOT NULL REFERENCES cit_citizen (id),
        made_at bigint NOT NULL
    )""",
    "CREATE INDEX cit_login_citizen ON cit_login (citizen)",
    "CREATE TABLE cit_firm (id text PRIMARY KEY, code text NOT NULL UNIQUE, name text NOT NULL)",
    """
    CREATE TABLE cit_mandate (
        citizen text NOT NULL REFERENCES cit_citizen (id),
        firm text NOT NULL REFERENCES cit_firm (id),
        legal boolean NOT NULL,
        PRIMARY KEY (citizen, firm)
    )""",
    """
    CREATE TABLE cit_errand (
        appointment text PRIMARY KEY,
        firm text NOT NULL REFERENCES cit_firm (id)
    )""",
    """
    CREATE TABLE cit_session (
        digest text PRIMARY KEY,
        subject text NOT NULL,
        csrf text NOT NULL,
        created_at bigint NOT NULL,
        seen_at bigint NOT NULL,
        marks text[] NOT NULL,
        address text NOT NULL,
        program text NOT NULL
    )""",
    "CREATE INDEX cit_session_subject ON cit_session (subject)",
    """
    CREATE TABLE cit_proof (
        citizen text NOT NULL REFERENCES cit_citizen (id),
        channel text NOT NULL CHECK (channel IN ('phone', 'mail')),
        box text NOT NULL,
        code text NOT NULL,
        expires_at bigint NOT NULL,
        tries integer NOT NULL,
        PRIMARY KEY (citizen, channel)
    )""",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
