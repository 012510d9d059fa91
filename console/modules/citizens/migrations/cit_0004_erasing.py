"""Citizens who asked to be erased and are kept until a visit is over."""

from alembic import op

revision = "cit_0004"
down_revision = "cit_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE cit_citizen ADD COLUMN erasing_since bigint")
