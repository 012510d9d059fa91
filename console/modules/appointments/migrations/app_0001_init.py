"""Appointments: rules, places, bookings with their life, what waits for the halls, breaches, lists."""

from alembic import op

revision = "app_0001"
down_revision = None
branch_labels = ("appointments",)
depends_on = ("core_0001",)

TABLES = (
    """
    CREATE TABLE app_rule (
        target text NOT NULL,
        version integer NOT NULL,
        body jsonb NOT NULL,
        at bigint NOT NULL,
        by text NOT NULL,
        note text NOT NULL,
        PRIMARY KEY (target, version)
    )""",
    "CREATE TABLE app_hall (hall text PRIMARY KEY, body jsonb NOT NULL)",
    # The key is the promise: no two people have one place. Full rows are changed in place, so leave room for that.
    """
    CREATE TABLE app_seat (
        hall text NOT NULL,
        pool text NOT NULL,
        day date NOT NULL,
        start smallint NOT NULL,
        no smallint NOT NULL CHECK (no > 0),
        until bigint NOT NULL,
        appointment text NOT NULL,
        by_staff boolean NOT NULL,
        PRIMARY KEY (hall, pool, day, start, no)
    ) WITH (fillfactor = 80)""",
    "CREATE INDEX app_seat_appointment ON app_seat (appointment)",
    """
    CREATE TABLE app_appointment (
        id text PRIMARY KEY,
        code text NOT NULL UNIQUE,
        citizen text NOT NULL,
        state text NOT NULL CHECK (state IN
            ('held', 'booked', 'arrived', 'served', 'left', 'missed', 'cancelled')),
        hall text NOT NULL,
        department text NOT NULL,
        items text[] NOT NULL CHECK (cardinality(items) BETWEEN 1 AND 5),
        day date NOT NULL,
        start smallint NOT NULL,
        "end" smallint NOT NULL,
        start_at bigint NOT NULL,
        end_at bigint NOT NULL,
        party smallint NOT NULL CHECK (party > 0),
        names jsonb NOT NULL,
        masked_name text NOT NULL,
        masked_number text NOT NULL,
        channel text NOT NULL CHECK (channel IN ('web', 'phone', 'staff', 'api')),
        made_at bigint NOT NULL,
        made_by text NOT NULL,
        held_until bigint NOT NULL,
        cancel_until bigint NOT NULL,
        early_minutes integer NOT NULL,
        late_minutes integer NOT NULL,
        remind_at bigint,
        reason text NOT NULL,
        words text NOT NULL,
        cancelled_at bigint NOT NULL,
        cancelled_by_citizen boolean NOT NULL,
        ticket text NOT NULL,
        number text NOT NULL,
        late boolean NOT NULL,
        arrived_at bigint NOT NULL,
        ended_at bigint NOT NULL,
        refused text NOT NULL,
        revision integer NOT NULL
    )""",
    "CREATE INDEX app_appointment_citizen ON app_appointment (citizen, day)",
    "CREATE INDEX app_appointment_hall ON app_appointment (hall, day, start)",
    "CREATE INDEX app_appointment_ticket ON app_appointment (hall, ticket) WHERE ticket <> ''",
    "CREATE INDEX app_appointment_day ON app_appointment (day)",
    """
    CREATE INDEX app_appointment_remind ON app_appointment (remind_at)
    WHERE remind_at IS NOT NULL""",
    """
    CREATE TABLE app_history (
        no bigserial PRIMARY KEY,
        appointment text NOT NULL,
        at bigint NOT NULL,
        act text NOT NULL,
        by text NOT NULL,
        detail text NOT NULL,
        key text UNIQUE
    )""",
    "CREATE INDEX app_history_appointment ON app_history (appointment, no)",
    """
    CREATE TABLE app_outgoing (
        no bigserial PRIMARY KEY,
        hall text NOT NULL,
        appointment text NOT NULL,
        body bytea,
        told bytea,
        CHECK ((body IS NULL) <> (told IS NULL))
    )""",
    """
    CREATE TABLE app_sent (
        hall text NOT NULL,
        no bigint NOT NULL,
        appointment text NOT NULL,
        PRIMARY KEY (hall, no)
    )""",
    """
    CREATE TABLE app_breach (
        appointment text PRIMARY KEY,
        citizen text NOT NULL,
        hall text NOT NULL,
        at bigint NOT NULL,
        forgiven_at bigint NOT NULL DEFAULT 0,
        forgiven_by text NOT NULL DEFAULT '',
        reason text NOT NULL DEFAULT ''
    )""",
    "CREATE INDEX app_breach_citizen ON app_breach (citizen, at)",
    """
    CREATE TABLE app_ban (
        no bigserial PRIMARY KEY,
        citizen text NOT NULL,
        hall text NOT NULL,
        masked_name text NOT NULL,
        masked_number text NOT NULL,
        began bigint NOT NULL,
        until bigint NOT NULL,
        breaches integer NOT NULL,
        lifted_at bigint NOT NULL DEFAULT 0,
        lifted_by text NOT NULL DEFAULT '',
        reason text NOT NULL DEFAULT ''
    )""",
    "CREATE INDEX app_ban_citizen ON app_ban (citizen, until)",
    """
    CREATE TABLE app_listed (
        no bigserial PRIMARY KEY,
        citizen text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('black', 'white')),
        masked_name text NOT NULL,
        masked_number text NOT NULL,
        reason text NOT NULL,
        until bigint NOT NULL,
        at bigint NOT NULL,
        by text NOT NULL,
        ended_at bigint NOT NULL DEFAULT 0,
        ended_by text NOT NULL DEFAULT ''
    )""",
    "CREATE UNIQUE INDEX app_listed_one ON app_listed (citizen) WHERE ended_at = 0",
)


def upgrade() -> None:
    for one in TABLES:
        op.execute(one)
