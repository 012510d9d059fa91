"""Which integrator made which appointment."""

from alembic import op

revision = "gate_0003"
down_revision = "gate_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE gate_booking (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            client text NOT NULL REFERENCES gate_integrator (id),
            appointment text NOT NULL UNIQUE,
            citizen text NOT NULL,
            level text NOT NULL
        )""")
    op.execute("CREATE INDEX gate_booking_client ON gate_booking (client, no)")
