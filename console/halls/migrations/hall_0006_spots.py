"""Where halls are on the earth, for whoever looks for the nearest."""

from alembic import op

revision = "hall_0006"
down_revision = "hall_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE hall_hall ADD COLUMN latitude double precision")
    op.execute("ALTER TABLE hall_hall ADD COLUMN longitude double precision")
    op.execute(
        "ALTER TABLE hall_hall ADD CONSTRAINT hall_hall_spot "
        "CHECK ((latitude IS NULL) = (longitude IS NULL))"
    )
