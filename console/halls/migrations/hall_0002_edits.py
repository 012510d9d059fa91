"""Names follow edits that a hall makes by itself; priority classes have names too. Built again from the log."""

from alembic import op

revision = "hall_0002"
down_revision = "hall_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE core_projection_cursor SET epoch = -1, seq = 0 WHERE projector = 'halls'")
