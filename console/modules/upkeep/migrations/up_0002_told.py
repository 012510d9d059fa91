"""Who has been told that a part of the city is not well."""

from alembic import op

revision = "up_0002"
down_revision = "up_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE up_told (part text PRIMARY KEY, channels jsonb NOT NULL)")
