"""Finds the sessions that are over by their age: with every login they are cleared away."""

from alembic import op

revision = "cit_0003"
down_revision = "cit_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX cit_session_created ON cit_session (created_at)")
