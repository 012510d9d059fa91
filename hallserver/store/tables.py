"""The tables of a hall's database, as SQLAlchemy Core metadata.

``event`` is the hall; all other tables but ``meta`` and those of accounts can be rebuilt from it.
What must be impossible is a constraint here, not a check elsewhere: two tickets with one number on
one day, two windows serving one ticket, a window serving two, a second rating of one case, a
command carried out twice. Citizens appear masked and sealed only.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

meta = Table(
    "meta",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("parent_epoch", Integer, nullable=False, server_default="0"),
    Column("parent_seq", Integer, nullable=False, server_default="0"),
    CheckConstraint("id = 1", name="one_row"),
)
"""One row: the epoch of this log and, after a fork, where it began."""

CONFIG_EVENT = text("k IN ('config.applied', 'config.edited')")
"""Events that change the configuration; SQLite uses their index only for this very text."""

event = Table(
    "event",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("bd", Text, nullable=False),
    Column("k", Text, nullable=False),
    Column("cmd", Text, nullable=False),
    Column("json", LargeBinary, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_event_bd", "bd"),
    Index("ix_event_config", "seq", sqlite_where=CONFIG_EVENT),
)
"""The log. ``json`` is the exact text that ``hash`` covers and that the city receives."""

command = Table(
    "command",
    metadata,
    Column("key", Text, primary_key=True, nullable=False),
    Column("first_seq", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Index("ix_command_last_seq", "last_seq"),
    sqlite_with_rowid=False,
)
"""Idempotency: a key can change the hall once."""

snapshot = Table(
    "snapshot",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("schema", Integer, nullable=False),
    Column("blob", LargeBinary, nullable=False),
)
"""The state after event ``seq``, zlib-compressed JSON; only a short cut past a replay."""

ticket = Table(
    "ticket",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("day", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("serial", Integer, nullable=False),
    Column("number", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("issued_at", Integer, nullable=False),
    Column("ended_at", Integer),
    Column("ended_by", Text),
    Column("ahead", Integer, nullable=False),
    Column("wait_low", Integer),
    Column("wait_high", Integer),
    Column("device", Text),
    Column("language", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("print_state", Text, nullable=False, server_default="pending"),
    Column("print_cause", Text),
    Column("person_kind", Text),
    Column("masked_name", Text),
    Column("masked_number", Text),
    Column("sealed", Text),
    Column("person_index", Text),
    Column("not_rated", Text),
    Column("party", Integer, nullable=False, server_default="1"),
    Column("priority", Text, nullable=False, server_default="ordinary"),
    Column("origin", Text, nullable=False, server_default="kiosk"),
    Column("booking", Text),
    Column("late", Integer, nullable=False, server_default="0"),
    Column("waiver", Text, nullable=False, server_default=""),
    UniqueConstraint("day", "queue", "serial"),
    UniqueConstraint("token"),
    Index("ix_ticket_person_index", "person_index"),
)

"""``queue`` and ``serial`` are those of the number; ``item`` and ``department`` the present ones."""

phase = Table(
    "phase",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("ticket", Text, ForeignKey("ticket.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("at", Integer, nullable=False),
    Index("ix_phase_ticket", "ticket", "seq"),
)
"""Every state of a ticket from ``at`` until its next row: ``place`` is the line it waits in or the window
it is at. A ticket is in exactly one state at any time, because each row ends the one before."""

visit = Table(
    "visit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("ticket", Text, ForeignKey("ticket.id"), nullable=False),
    Column("window", Text, nullable=False),
    Column("staff", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("called_at", Integer, nullable=False),
    Column("begun_at", Integer),
    Column("ended_at", Integer),
    Column("outcome", Text),
    Column("case_no", Text),
)
"""A ticket at a window, from the call to its end; ``seq`` is the call's event."""
Index("uq_visit_open_window", visit.c.window, unique=True, sqlite_where=visit.c.ended_at.is_(None))
Index("uq_visit_open_ticket", visit.c.ticket, unique=True, sqlite_where=visit.c.ended_at.is_(None))
Index("ix_visit_ticket", visit.c.ticket)

window = Table(
    "window",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("number", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("staff", Text),
    Column("reason", Text, nullable=False, server_default=""),
    Column("since", Integer, nullable=False),
)

rating = Table(
    "rating",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("ticket", Text, ForeignKey("ticket.id"), nullable=False),
    Column("case_no", Text, nullable=False),
    Column("bd", Text, nullable=False),
    Column("at", Integer, nullable=False),
    Column("window", Text, nullable=False),
    Column("staff", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("seconds", Integer, nullable=False),
    UniqueConstraint("case_no"),
    Index("ix_rating_bd", "bd"),
    Index("ix_rating_ticket", "ticket"),
)

device = Table(
    "device",
    metadata,
    Column("id", Text, primary_key=True, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("parent", Text),
    Column("window", Text),
    Column("state", Text, nullable=False),
    Column("conditions", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("changed_at", Integer, nullable=False),
)

PROJECTIONS = (ticket, phase, visit, window, rating, device)
"""Tables that are a pure function of the log."""
