"""Tables of the organisation: divisions, departments, staff."""

import sqlalchemy as sa

from console.core.models import metadata
from console.core.sheet_import import upload_table

division = sa.Table(
    "org_division",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("parent", sa.Text, sa.ForeignKey("org_division.code")),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Index("org_division_parent", "parent"),
)
"""Codes have twelve digits; the parent is what the code says it is. Only the city has none."""

department = sa.Table(
    "org_department",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("parent", sa.Text, sa.ForeignKey("org_department.id")),
    sa.Column("division", sa.Text, sa.ForeignKey("org_division.code"), nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("uscc", sa.Text, nullable=False),
    sa.Index("org_department_division", "division"),
)
"""``code`` is the department's id in the lists of the halls, empty: it is in none. ``uscc`` is its credit code."""

staff = sa.Table(
    "org_staff",
    metadata,
    sa.Column("number", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("post", sa.Text, nullable=False),
    sa.Column("division", sa.Text, sa.ForeignKey("org_division.code"), nullable=False),
    sa.Column("department", sa.Text, sa.ForeignKey("org_department.id")),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("left_at", sa.BigInteger),
    sa.Index("org_staff_division", "division"),
)
"""``number`` is the staff number (工号), in the city and in the lists of the halls. ``left_at``: no longer in service."""

upload = upload_table("org_upload")
