"""Every department that an appointment concerns, not that of its first item alone."""

from alembic import op

revision = "app_0002"
down_revision = "app_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was booked before knows the department of its first item only.
    op.execute("ALTER TABLE app_appointment ADD COLUMN departments text[] NOT NULL DEFAULT '{}'")
    op.execute("UPDATE app_appointment SET departments = ARRAY[department]")
