"""Refused publications keep the parameters of the reason."""

from alembic import op

revision = "conf_0002"
down_revision = "conf_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE conf_publication ADD params text NOT NULL DEFAULT '{}'")
