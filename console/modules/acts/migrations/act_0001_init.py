"""Acts of remote hands, and what halls brought back for the city."""

from alembic import op

revision = "act_0001"
down_revision = None
branch_labels = ("acts",)
depends_on = ("core_0001", "hall_0001")


def upgrade() -> None:
    op.execute("""
        CREATE TABLE act_act (
            hall text NOT NULL,
            id text NOT NULL,
            device text NOT NULL,
            action bytea NOT NULL,
            asked_at bigint NOT NULL,
            asked_by text NOT NULL,
            by_city boolean NOT NULL,
            directive bigint,
            reached boolean NOT NULL,
            outcome text,
            code text NOT NULL,
            figures jsonb NOT NULL,
            note text NOT NULL,
            ended_at bigint NOT NULL,
            PRIMARY KEY (hall, id)
        )""")
    op.execute("CREATE INDEX act_act_device ON act_act (hall, device, asked_at)")
    op.execute("CREATE INDEX act_act_at ON act_act (asked_at)")
    op.execute("CREATE INDEX act_act_directive ON act_act (hall, directive)")
    op.execute("""
        CREATE TABLE act_bundle (
            id text PRIMARY KEY,
            name text NOT NULL,
            files jsonb NOT NULL,
            put_at bigint NOT NULL,
            put_by text NOT NULL
        )""")
