"""Every state of a ticket as a row, ratings by case, what a ticket knows of booking, class and party."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for column in (
        sa.Column("party", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("priority", sa.Text(), nullable=False, server_default="ordinary"),
        sa.Column("origin", sa.Text(), nullable=False, server_default="kiosk"),
        sa.Column("booking", sa.Text()),
        sa.Column("late", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("waiver", sa.Text(), nullable=False, server_default=""),
    ):
        op.add_column("ticket", column)
    _phases()
    _ratings()


def _phases() -> None:
    op.create_table(
        "phase",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.id"], name="fk_phase_ticket"),
    )
    op.create_index("ix_phase_ticket", "phase", ["ticket", "seq"])
    # Events of older programs: each of these kinds begins the state beside it.
    for kind, state, place in (
        ("ticket.issued", "waiting", "$.b.queue"),
        ("ticket.called", "called", "$.b.window"),
        ("service.begun", "serving", "$.b.window"),
        ("service.finished", "done", ""),
        ("ticket.no_show", "no_show", ""),
        ("ticket.cancelled", "cancelled", ""),
    ):
        op.execute(
            sa.text(
                "INSERT INTO phase (seq, ticket, state, place, at) "
                "SELECT seq, json_extract(CAST(json AS TEXT), '$.b.ticket'), :state, "
                "CASE :place WHEN '' THEN '' ELSE json_extract(CAST(json AS TEXT), :place) END, at "
                "FROM event WHERE k = :kind"
            ).bindparams(kind=kind, state=state, place=place)
        )


def _ratings() -> None:
    op.execute("ALTER TABLE rating RENAME TO rating_old")
    op.drop_index("ix_rating_bd")
    op.create_table(
        "rating",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("bd", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("window", sa.Text(), nullable=False),
        sa.Column("staff", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.id"], name="fk_rating_ticket"),
        sa.UniqueConstraint("case_no", name="uq_rating_case_no"),
    )
    op.create_index("ix_rating_bd", "rating", ["bd"])
    op.create_index("ix_rating_ticket", "rating", ["ticket"])
    op.execute("INSERT INTO rating SELECT * FROM rating_old")
    op.drop_table("rating_old")
