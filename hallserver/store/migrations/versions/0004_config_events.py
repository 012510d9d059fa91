"""The few events that change the configuration, found without reading the whole log."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_event_config ON event (seq) WHERE k IN ('config.applied', 'config.edited')"
    )
