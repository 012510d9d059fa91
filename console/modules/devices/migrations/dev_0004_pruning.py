"""Finds old spans without reading all."""

from alembic import op

revision = "dev_0004"
down_revision = "dev_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX dev_span_ended ON dev_span (ended) WHERE ended IS NOT NULL")
