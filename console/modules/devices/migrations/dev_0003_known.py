"""Since when the city knows a device. Built again from the log."""

from alembic import op

revision = "dev_0003"
down_revision = "dev_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE dev_device ADD COLUMN known_since bigint NOT NULL DEFAULT 0")
    op.execute("UPDATE core_projection_cursor SET epoch = -1, seq = 0 WHERE projector = 'devices'")
