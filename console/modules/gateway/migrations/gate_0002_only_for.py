"""Events for one subscription alone, such as the ping that somebody asked for."""

from alembic import op

revision = "gate_0002"
down_revision = "gate_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE gate_event ADD COLUMN only_for text NOT NULL DEFAULT ''")
