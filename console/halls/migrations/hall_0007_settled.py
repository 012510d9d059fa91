"""Whether a hall has said how far it got since the city was put back from a backup."""

from alembic import op

revision = "hall_0007"
down_revision = "hall_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE hall_hall ADD COLUMN settled boolean NOT NULL DEFAULT true")
