"""Notifications to citizens: messages, their ways, wordings, settings, choices."""

from alembic import op

revision = "note_0001"
down_revision = None
branch_labels = ("notifications",)
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE note_message (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            key text NOT NULL UNIQUE,
            topic text NOT NULL,
            citizen text NOT NULL,
            hall text NOT NULL,
            params jsonb NOT NULL,
            at bigint,
            due bigint NOT NULL,
            until bigint NOT NULL,
            state text NOT NULL
                CHECK (state IN ('planned', 'told', 'cancelled', 'expired', 'repeated')),
            made_at bigint NOT NULL,
            told_at bigint,
            read_at bigint
        )""")
    op.execute("CREATE INDEX note_message_due ON note_message (due) WHERE state = 'planned'")
    op.execute("CREATE INDEX note_message_citizen ON note_message (citizen, no)")
    op.execute("CREATE INDEX note_message_made ON note_message (made_at)")
    _add_deliveries()
    _add_settings()
    _add_citizens()


def _add_deliveries() -> None:
    op.execute("""
        CREATE TABLE note_delivery (
            message bigint NOT NULL REFERENCES note_message (no) ON DELETE CASCADE,
            channel text NOT NULL,
            rank integer NOT NULL,
            state text NOT NULL CHECK (state IN
                ('waiting', 'queued', 'held', 'sending', 'sent', 'delivered', 'failed', 'dropped')),
            reason text NOT NULL,
            tries integer NOT NULL,
            next_at bigint NOT NULL,
            day date NOT NULL,
            language text NOT NULL,
            version integer NOT NULL,
            masked text NOT NULL,
            reference text NOT NULL,
            segments integer NOT NULL,
            cost bigint NOT NULL,
            sent_at bigint,
            done_at bigint,
            PRIMARY KEY (message, channel)
        )""")
    op.execute("""
        CREATE INDEX note_delivery_due ON note_delivery (next_at)
            WHERE state IN ('queued', 'held', 'sending')""")
    op.execute("""
        CREATE INDEX note_delivery_reference ON note_delivery (channel, reference)
            WHERE reference <> ''""")
    op.execute("CREATE INDEX note_delivery_day ON note_delivery (day, channel)")
    op.execute("""
        CREATE TABLE note_step (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            message bigint NOT NULL REFERENCES note_message (no) ON DELETE CASCADE,
            channel text NOT NULL,
            at bigint NOT NULL,
            what text NOT NULL,
            reason text NOT NULL
        )""")
    op.execute("CREATE INDEX note_step_message ON note_step (message, no)")


def _add_settings() -> None:
    op.execute("""
        CREATE TABLE note_wording (
            topic text NOT NULL,
            channel text NOT NULL,
            language text NOT NULL,
            version integer NOT NULL,
            title text NOT NULL,
            text text NOT NULL,
            code text NOT NULL,
            made_at bigint NOT NULL,
            made_by text NOT NULL,
            PRIMARY KEY (topic, channel, language, version)
        )""")
    for table, key in (("note_topic", "topic text"), ("note_settings", "no integer")):
        op.execute(f"""
            CREATE TABLE {table} (
                {key} PRIMARY KEY,
                body jsonb NOT NULL,
                version integer NOT NULL,
                changed_at bigint NOT NULL,
                changed_by text NOT NULL
            )""")
    op.execute("""
        CREATE TABLE note_channel (
            channel text PRIMARY KEY,
            paused boolean NOT NULL,
            reason text NOT NULL,
            changed_at bigint NOT NULL,
            changed_by text NOT NULL,
            down_since bigint,
            down_reason text NOT NULL
        )""")


def _add_citizens() -> None:
    op.execute("""
        CREATE TABLE note_choice (
            citizen text NOT NULL,
            topic text NOT NULL,
            channel text NOT NULL,
            wanted boolean NOT NULL,
            PRIMARY KEY (citizen, topic, channel)
        )""")
    op.execute("""
        CREATE TABLE note_follow (
            hall text NOT NULL,
            booking text NOT NULL,
            citizen text NOT NULL,
            until bigint NOT NULL,
            seen integer,
            outcome text NOT NULL,
            PRIMARY KEY (hall, booking)
        )""")
    op.execute("CREATE INDEX note_follow_open ON note_follow (until) WHERE outcome = ''")
