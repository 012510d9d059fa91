"""What a preview showed is kept with its spreadsheet, so that just that is taken in."""

from alembic import op

revision = "cat_0002"
down_revision = "cat_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM cat_upload")
    op.execute("ALTER TABLE cat_upload ADD digest text NOT NULL, ADD kind text NOT NULL")
