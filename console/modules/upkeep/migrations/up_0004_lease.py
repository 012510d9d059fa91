"""Who tells of a part that is not well does so with a lease, and holds no lock while the network is asked."""

from alembic import op

revision = "up_0004"
down_revision = "up_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE up_told ADD lease_until bigint NOT NULL DEFAULT 0")
