"""Where the city says that a hall belongs; empty: where its own configuration says."""

from alembic import op

revision = "hall_0004"
down_revision = "hall_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE hall_hall ADD COLUMN division text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE hall_hall ADD COLUMN department text NOT NULL DEFAULT ''")
