"""Working days with the years 2025 and 2026, and the halls' opening hours.

The days are those of 国务院办公厅关于2025年部分节假日安排的通知 (国办发明电〔2024〕12号, 2024-11-12) and of the notice for
2026 (2025-11-04). A notice for 2027 was not to be found when this was written.
"""

from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "cal_0001"
down_revision = None
branch_labels = ("calendar",)
depends_on = ("core_0001",)

NOTICES = (
    (2025, "国办发明电〔2024〕12号", date(2024, 11, 12)),
    (2026, "国务院办公厅关于2026年部分节假日安排的通知", date(2025, 11, 4)),
)
REST = (
    (2025, "元旦", "New Year's Day", "0101", 1),
    (2025, "春节", "Spring Festival", "0128", 8),
    (2025, "清明节", "Qingming Festival", "0404", 3),
    (2025, "劳动节", "Labour Day", "0501", 5),
    (2025, "端午节", "Dragon Boat Festival", "0531", 3),
    (2025, "国庆节、中秋节", "National Day, Mid-Autumn Festival", "1001", 8),
    (2026, "元旦", "New Year's Day", "0101", 3),
    (2026, "春节", "Spring Festival", "0215", 9),
    (2026, "清明节", "Qingming Festival", "0404", 3),
    (2026, "劳动节", "Labour Day", "0501", 5),
    (2026, "端午节", "Dragon Boat Festival", "0619", 3),
    (2026, "中秋节", "Mid-Autumn Festival", "0925", 3),
    (2026, "国庆节", "National Day", "1001", 7),
)
"""Year, name, English name, first day, how many."""
WORK = (
    (2025, "春节", "Spring Festival", ("0126", "0208")),
    (2025, "劳动节", "Labour Day", ("0427",)),
    (2025, "国庆节、中秋节", "National Day, Mid-Autumn Festival", ("0928", "1011")),
    (2026, "元旦", "New Year's Day", ("0104",)),
    (2026, "春节", "Spring Festival", ("0214", "0228")),
    (2026, "劳动节", "Labour Day", ("0509",)),
    (2026, "国庆节", "National Day", ("0920", "1010")),
)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE cal_year (
            year integer PRIMARY KEY,
            source text NOT NULL,
            issued date,
            version integer NOT NULL,
            changed_at bigint NOT NULL,
            changed_by text NOT NULL
        )""")
    op.execute("""
        CREATE TABLE cal_day (
            day date NOT NULL,
            place text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('work', 'rest')),
            name text NOT NULL,
            name_en text NOT NULL,
            deadlines boolean NOT NULL,
            of_year integer NOT NULL,
            changed_at bigint NOT NULL,
            changed_by text NOT NULL,
            PRIMARY KEY (day, place)
        )""")
    op.execute("CREATE INDEX cal_day_year ON cal_day (of_year) WHERE place = ''")
    op.execute("CREATE TABLE cal_hall (hall text PRIMARY KEY, calendar jsonb NOT NULL)")
    years = [
        {"year": year, "source": source, "issued": issued, "version": 1, "changed_at": 0, "changed_by": "system"}
        for year, source, issued in NOTICES
    ]  # fmt: skip
    rest = [
        _day(year, _date(year, first) + timedelta(days=one), "rest", name, name_en)
        for year, name, name_en, first, count in REST
        for one in range(count)
    ]
    work = [
        _day(year, _date(year, one), "work", name, name_en)
        for year, name, name_en, days in WORK
        for one in days
    ]
    op.bulk_insert(_table("cal_year", years[0]), years)
    op.bulk_insert(_table("cal_day", rest[0]), [*rest, *work])


def _date(year: int, text: str) -> date:
    return date(year, int(text[:2]), int(text[2:]))


def _day(year: int, day: date, kind: str, name: str, name_en: str) -> dict[str, object]:
    return {
        "day": day,
        "place": "",
        "kind": kind,
        "name": name,
        "name_en": name_en,
        "deadlines": True,
        "of_year": year,
        "changed_at": 0,
        "changed_by": "system",
    }


def _table(name: str, row: dict[str, object]) -> sa.TableClause:
    return sa.table(name, *(sa.column(key) for key in row))
