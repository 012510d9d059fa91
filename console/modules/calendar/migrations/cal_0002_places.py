"""Days of divisions are kept for codes of twelve digits: those that a page kept for shorter ones held nowhere."""

from alembic import op

revision = "cal_0002"
down_revision = "cal_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        UPDATE cal_day AS short SET place = 'division:' || rpad(substr(place, 10), 12, '0')
        WHERE place ~ '^division:[0-9]{1,11}$' AND NOT EXISTS (
            SELECT FROM cal_day AS other WHERE other.day = short.day
            AND other.place = 'division:' || rpad(substr(short.place, 10), 12, '0'))""")
    op.execute("DELETE FROM cal_day WHERE place ~ '^division:[0-9]{1,11}$'")
