"""A punishment or a place on a list that stands when an account ends is found by the person's number again."""

from alembic import op

revision = "app_0003"
down_revision = "app_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("app_ban", "app_listed"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN number_index text NOT NULL DEFAULT ''")
        op.execute(
            f"CREATE INDEX {table}_number ON {table} (number_index) WHERE number_index <> ''"
        )
