"""The limits of privacy as versions, alarms about unusual use, and what halls were told to forget."""

from alembic import op

revision = "priv_0004"
down_revision = "priv_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The limits stand here too: nobody who reaches the database sets a policy that is none.
    op.execute("""
        CREATE TABLE priv_policy (
            version integer PRIMARY KEY,
            at bigint NOT NULL,
            by text NOT NULL,
            shown_minutes integer NOT NULL CHECK (shown_minutes BETWEEN 1 AND 30),
            day_limit integer NOT NULL CHECK (day_limit BETWEEN 1 AND 500),
            unusual_at integer NOT NULL CHECK (unusual_at BETWEEN 2 AND 200),
            unusual_factor integer NOT NULL CHECK (unusual_factor BETWEEN 2 AND 10),
            max_rows integer NOT NULL CHECK (max_rows BETWEEN 1 AND 50000),
            decide_days integer NOT NULL CHECK (decide_days BETWEEN 1 AND 14),
            fetch_hours integer NOT NULL CHECK (fetch_hours BETWEEN 1 AND 72),
            answer_days integer NOT NULL CHECK (answer_days BETWEEN 1 AND 20),
            least_words integer NOT NULL CHECK (least_words BETWEEN 2 AND 50))""")
    op.execute("INSERT INTO priv_policy VALUES (1, 0, 'system', 5, 60, 20, 3, 5000, 3, 24, 15, 4)")
    _alarms()
    op.execute("""
        CREATE TABLE priv_told (
            hall text NOT NULL,
            no bigint NOT NULL,
            request bigint,
            at bigint NOT NULL,
            done_at bigint,
            code text NOT NULL DEFAULT '',
            PRIMARY KEY (hall, no))""")
    op.execute("CREATE INDEX priv_told_request ON priv_told (request)")
    op.execute("CREATE INDEX priv_told_open ON priv_told (at) WHERE done_at IS NULL")


def _alarms() -> None:
    op.execute("""
        CREATE TABLE priv_alarm (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind text NOT NULL,
            account text NOT NULL,
            day date NOT NULL,
            records integer NOT NULL,
            at bigint NOT NULL,
            acked_at bigint,
            acked_by text,
            words text NOT NULL DEFAULT '',
            UNIQUE (kind, account, day),
            CONSTRAINT priv_alarm_two_people CHECK (acked_by <> account))""")
    op.execute("CREATE INDEX priv_alarm_open ON priv_alarm (no) WHERE acked_at IS NULL")
    op.execute("""
        CREATE TABLE priv_alarm_delivery (
            alarm bigint NOT NULL,
            channel text NOT NULL,
            state text NOT NULL,
            tries integer NOT NULL,
            next_at bigint NOT NULL,
            reason text NOT NULL DEFAULT '',
            PRIMARY KEY (alarm, channel))""")
    op.execute(
        "CREATE INDEX priv_alarm_delivery_due ON priv_alarm_delivery (next_at)"
        " WHERE state = 'pending'"
    )
