"""What may have been told before a restore waits for a person."""

from alembic import op

revision = "note_0002"
down_revision = "note_0001"
branch_labels = None
depends_on = None
_STATES = (
    "'waiting', 'queued', 'held', 'parked', 'sending', 'sent', 'delivered', 'failed', 'dropped'"
)


def upgrade() -> None:
    op.execute("ALTER TABLE note_message ADD since bigint NOT NULL DEFAULT 0")
    op.execute("CREATE TABLE note_restored (at bigint PRIMARY KEY)")
    op.execute("ALTER TABLE note_delivery DROP CONSTRAINT note_delivery_state_check")
    op.execute(f"ALTER TABLE note_delivery ADD CHECK (state IN ({_STATES}))")
    op.execute(
        "CREATE INDEX note_delivery_parked ON note_delivery (message) WHERE state = 'parked'"
    )
