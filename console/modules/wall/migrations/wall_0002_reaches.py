"""A wall screen shows what whoever gave its code may see."""

from alembic import op

revision = "wall_0002"
down_revision = "wall_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE wall_token ADD COLUMN reaches text[]")
