"""Names as they are searched, and how they are read by syllables: for what people shorten when they type it in full."""

import sqlalchemy as sa
from alembic import op

from console.modules.catalogue.reading import syllables_of

revision = "cat_0004"
down_revision = "cat_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE cat_version ADD title text, ADD syllables text")
    _fill()
    op.execute("ALTER TABLE cat_version ALTER title SET NOT NULL, ALTER syllables SET NOT NULL")


def _fill() -> None:
    """Published versions never change, and these columns say nothing new of them."""
    connection = op.get_bind()
    names = connection.scalars(sa.text("SELECT DISTINCT body->>'name' FROM cat_version")).all()
    values = [
        {"name": one, "title": one.casefold(), "syllables": syllables_of(one)} for one in names
    ]
    if not values:
        return
    op.execute("ALTER TABLE cat_version DISABLE TRIGGER cat_version_guard")
    put = (
        "UPDATE cat_version SET title = :title, syllables = :syllables WHERE body->>'name' = :name"
    )
    connection.execute(sa.text(put), values)
    op.execute("ALTER TABLE cat_version ENABLE TRIGGER cat_version_guard")
