"""How far the revisions of each hall's drafts are, whatever became of the drafts."""

from alembic import op

revision = "conf_0004"
down_revision = "conf_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE conf_revision (hall text PRIMARY KEY, last integer NOT NULL)")
    op.execute("""
        INSERT INTO conf_revision
        SELECT hall, max(revision) FROM (
            SELECT hall, revision FROM conf_draft
            UNION ALL SELECT hall, revision FROM conf_save
            UNION ALL SELECT hall, revision FROM conf_publication) AS known
        GROUP BY hall""")
