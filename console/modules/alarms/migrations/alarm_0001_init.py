"""Alarms: rules, alarms with their steps, maintenance, notices and deliveries."""

from alembic import op

revision = "alarm_0001"
down_revision = None
branch_labels = ("alarms",)
depends_on = ("core_0001",)

TABLES = (
    """
    CREATE TABLE alarm_rule (
        id text PRIMARY KEY,
        body jsonb NOT NULL,
        version integer NOT NULL,
        since bigint NOT NULL,
        changed_by text NOT NULL
    )""",
    """
    CREATE TABLE alarm_alarm (
        no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        rule text NOT NULL,
        hall text NOT NULL,
        device text NOT NULL,
        kind text NOT NULL,
        what text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
        state text NOT NULL CHECK (state IN ('raised', 'acknowledged', 'cleared')),
        began bigint NOT NULL,
        raised_at bigint NOT NULL,
        times integer NOT NULL,
        acked_at bigint,
        acked_by text NOT NULL,
        cleared_at bigint,
        cleared_by text NOT NULL,
        root bigint,
        behind integer NOT NULL,
        maintained boolean NOT NULL,
        notify boolean NOT NULL,
        told boolean NOT NULL,
        CHECK ((state = 'cleared') = (cleared_at IS NOT NULL)),
        CHECK (root <> no)
    )""",
    """
    CREATE UNIQUE INDEX alarm_alarm_open ON alarm_alarm (rule, hall, device, what)
        WHERE state <> 'cleared'""",
    "CREATE INDEX alarm_alarm_raised ON alarm_alarm (raised_at)",
    "CREATE INDEX alarm_alarm_cleared ON alarm_alarm (cleared_at)",
    "CREATE INDEX alarm_alarm_place ON alarm_alarm (hall, device, raised_at)",
    "CREATE INDEX alarm_alarm_root ON alarm_alarm (root) WHERE root IS NOT NULL",
    """
    CREATE TABLE alarm_raising (
        rule text NOT NULL,
        hall text NOT NULL,
        device text NOT NULL,
        what text NOT NULL,
        began bigint NOT NULL,
        alarm bigint NOT NULL,
        PRIMARY KEY (rule, hall, device, what, began)
    )""",
    """
    CREATE TABLE alarm_step (
        no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        alarm bigint NOT NULL,
        at bigint NOT NULL,
        act text NOT NULL,
        by text NOT NULL,
        note text NOT NULL
    )""",
    "CREATE INDEX alarm_step_alarm ON alarm_step (alarm, no)",
    """
    CREATE TABLE alarm_maintenance (
        no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        hall text NOT NULL,
        device text NOT NULL,
        start bigint NOT NULL,
        until bigint NOT NULL,
        reason text NOT NULL,
        by text NOT NULL,
        ended_by text NOT NULL,
        CHECK (until >= start)
    )""",
    "CREATE INDEX alarm_maintenance_until ON alarm_maintenance (until)",
    """
    CREATE TABLE alarm_notice (
        no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        alarm bigint NOT NULL,
        at bigint NOT NULL,
        act text NOT NULL
    )""",
    "CREATE INDEX alarm_notice_alarm ON alarm_notice (alarm)",
    """
    CREATE TABLE alarm_reader (
        account text PRIMARY KEY,
        upto bigint NOT NULL
    )""",
    """
    CREATE TABLE alarm_delivery (
        notice bigint NOT NULL,
        channel text NOT NULL,
        state text NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
        tries integer NOT NULL,
        next_at bigint NOT NULL,
        done_at bigint,
        reason text NOT NULL,
        PRIMARY KEY (notice, channel)
    )""",
    "CREATE INDEX alarm_delivery_due ON alarm_delivery (next_at) WHERE state = 'pending'",
    """
    CREATE TABLE alarm_watch (
        no integer PRIMARY KEY,
        since bigint NOT NULL,
        looked_at bigint NOT NULL
    )""",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
