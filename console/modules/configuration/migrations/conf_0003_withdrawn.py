"""Publications that a hall has not taken can be withdrawn."""

from alembic import op

revision = "conf_0003"
down_revision = "conf_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE conf_publication ADD withdrawn_at bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE conf_publication ADD withdrawn_by text NOT NULL DEFAULT ''")
