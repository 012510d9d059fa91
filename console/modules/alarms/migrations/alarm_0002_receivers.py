"""Receivers of alarms, escalation, and what pruning looks for."""

from alembic import op

revision = "alarm_0002"
down_revision = "alarm_0001"
branch_labels = None
depends_on = None

STEPS = (
    """
    CREATE TABLE alarm_receiver (
        id text PRIMARY KEY,
        body jsonb NOT NULL,
        version integer NOT NULL,
        since bigint NOT NULL,
        changed_by text NOT NULL
    )""",
    """
    CREATE TABLE alarm_escalation (
        alarm bigint NOT NULL,
        told_at bigint NOT NULL,
        receiver text NOT NULL,
        at bigint NOT NULL,
        PRIMARY KEY (alarm, told_at, receiver)
    )""",
    "ALTER TABLE alarm_alarm ADD COLUMN told_at bigint",
    "ALTER TABLE alarm_alarm ADD COLUMN asked_at bigint",
    """
    UPDATE alarm_alarm SET told_at = last.at, asked_at = last.at
    FROM (SELECT alarm, max(at) AS at FROM alarm_notice WHERE act = 'raised' GROUP BY alarm) AS last
    WHERE last.alarm = alarm_alarm.no""",
    "CREATE INDEX alarm_notice_at ON alarm_notice (at)",
    "CREATE INDEX alarm_raising_began ON alarm_raising (began)",
)


def upgrade() -> None:
    for statement in STEPS:
        op.execute(statement)
