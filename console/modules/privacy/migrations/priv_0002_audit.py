"""Indexes for readers of the audit."""

from alembic import op

revision = "priv_0002"
down_revision = "priv_0001"
branch_labels = None
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("CREATE INDEX core_audit_actor ON core_audit (actor, no)")
    op.execute("CREATE INDEX core_audit_act ON core_audit (act, no)")
    op.execute("CREATE INDEX core_audit_at ON core_audit (at)")
    op.execute("CREATE INDEX core_audit_object ON core_audit (object text_pattern_ops, no)")
