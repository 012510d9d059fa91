"""Halls, their logs, cursors, forks, links and directives."""

from alembic import op

revision = "hall_0001"
down_revision = None
branch_labels = ("halls",)
depends_on = ("core_0001",)

TABLES = (
    """CREATE TABLE hall_hall (
        id text PRIMARY KEY,
        name text NOT NULL,
        name_en text NOT NULL,
        key_digest text NOT NULL,
        enrolled_at bigint NOT NULL,
        next_directive bigint NOT NULL
    )""",
    """CREATE TABLE hall_cursor (
        hall text PRIMARY KEY REFERENCES hall_hall (id),
        epoch bigint NOT NULL,
        seq bigint NOT NULL,
        hash text NOT NULL,
        event_at bigint NOT NULL,
        received_at bigint NOT NULL,
        quarantined boolean NOT NULL
    )""",
    """CREATE TABLE hall_event (
        hall text NOT NULL,
        epoch bigint NOT NULL,
        seq bigint NOT NULL,
        at timestamptz NOT NULL,
        kind text NOT NULL,
        day date,
        raw bytea NOT NULL,
        hash text NOT NULL,
        received_at bigint NOT NULL,
        lost boolean NOT NULL,
        PRIMARY KEY (hall, epoch, seq, at)
    ) PARTITION BY RANGE (at)""",
    # Events of a hall whose clock is far off must find a place too.
    "CREATE TABLE hall_event_other PARTITION OF hall_event DEFAULT",
    """CREATE TABLE hall_fork (
        no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        hall text NOT NULL REFERENCES hall_hall (id),
        found_at bigint NOT NULL,
        city_epoch bigint NOT NULL,
        city_seq bigint NOT NULL,
        hall_epoch bigint NOT NULL,
        hall_seq bigint NOT NULL,
        parent_epoch bigint NOT NULL,
        parent_seq bigint NOT NULL,
        decision text,
        decided_by text,
        decided_at bigint,
        merged_at bigint
    )""",
    "CREATE INDEX hall_fork_hall ON hall_fork (hall, no)",
    """CREATE TABLE hall_link (
        hall text PRIMARY KEY REFERENCES hall_hall (id),
        session text NOT NULL,
        connected boolean NOT NULL,
        since bigint NOT NULL,
        seen_at bigint NOT NULL,
        head bigint NOT NULL,
        offset_ms bigint NOT NULL,
        build text NOT NULL,
        refused text NOT NULL
    )""",
    """CREATE UNLOGGED TABLE hall_live (
        hall text PRIMARY KEY REFERENCES hall_hall (id),
        received_at bigint NOT NULL,
        body bytea NOT NULL
    )""",
    """CREATE TABLE hall_directive (
        hall text NOT NULL REFERENCES hall_hall (id),
        no bigint NOT NULL,
        body bytea NOT NULL,
        created_by text NOT NULL,
        created_at bigint NOT NULL,
        expires_at bigint,
        acked_at bigint,
        PRIMARY KEY (hall, no)
    )""",
    """CREATE TABLE hall_profile (
        hall text PRIMARY KEY,
        name text NOT NULL,
        name_en text NOT NULL,
        division text NOT NULL,
        address text NOT NULL,
        phone text NOT NULL,
        utc_offset_minutes integer NOT NULL,
        config_version integer NOT NULL
    )""",
    """CREATE TABLE hall_notice (
        hall text PRIMARY KEY,
        text text NOT NULL,
        text_en text NOT NULL,
        at bigint NOT NULL
    )""",
    """CREATE TABLE hall_directory (
        hall text NOT NULL,
        kind text NOT NULL,
        id text NOT NULL,
        name text NOT NULL,
        name_en text NOT NULL,
        label text NOT NULL,
        present boolean NOT NULL,
        place integer NOT NULL,
        PRIMARY KEY (hall, kind, id)
    )""",
    """CREATE TABLE hall_directive_outcome (
        hall text NOT NULL,
        no bigint NOT NULL,
        code text NOT NULL,
        at bigint NOT NULL,
        PRIMARY KEY (hall, no)
    )""",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
