"""Divisions, departments, staff."""

from alembic import op

revision = "org_0001"
down_revision = None
branch_labels = ("organisation",)
depends_on = ("core_0001",)


def upgrade() -> None:
    op.execute("""
        CREATE TABLE org_division (
            code text PRIMARY KEY CHECK (code ~ '^[0-9]{12}$'),
            parent text REFERENCES org_division (code),
            name text NOT NULL,
            name_en text NOT NULL
        )""")
    op.execute("CREATE INDEX org_division_parent ON org_division (parent)")
    op.execute("""
        CREATE TABLE org_department (
            id text PRIMARY KEY,
            parent text REFERENCES org_department (id),
            division text NOT NULL REFERENCES org_division (code),
            code text NOT NULL,
            name text NOT NULL,
            name_en text NOT NULL,
            uscc text NOT NULL
        )""")
    op.execute("CREATE INDEX org_department_division ON org_department (division)")
    op.execute("""
        CREATE TABLE org_staff (
            number text PRIMARY KEY,
            name text NOT NULL,
            post text NOT NULL,
            division text NOT NULL REFERENCES org_division (code),
            department text REFERENCES org_department (id),
            hall text NOT NULL,
            left_at bigint
        )""")
    op.execute("CREATE INDEX org_staff_division ON org_staff (division)")
