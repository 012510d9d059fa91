"""Tables of the privacy module. Instants are UTC milliseconds."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

key = sa.Table(
    "priv_key",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
)
"""Keys that something in this database may be sealed with; what opens them is in the key file."""

grant = sa.Table(
    "priv_grant",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=False),
    sa.Index("priv_grant_account", "account", "at"),
    sa.Index("priv_grant_at", "at"),
)
"""Who was shown a record in clear, why, and until when."""

export = sa.Table(
    "priv_export",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("by_name", sa.Text, nullable=False),
    sa.Column("asked_at", sa.BigInteger, nullable=False),
    sa.Column("approved", sa.Boolean),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_name", sa.Text, nullable=False, server_default=""),
    sa.Column("decided_at", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("fetched_at", sa.BigInteger),
    sa.CheckConstraint("decided_by <> by", name="priv_export_two_people"),
    sa.Index("priv_export_asked", "asked_at"),
)
"""Lists with personal data that somebody wants to take out. ``query`` are filters as JSON, none of them personal.
``expires_at``: until when it can be decided, then until when it can be fetched."""

request = sa.Table(
    "priv_request",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("received_at", sa.BigInteger, nullable=False),
    sa.Column("due", sa.Date, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("proof", sa.Text, nullable=False),
    sa.Column("masked_name", sa.Text, nullable=False),
    sa.Column("masked_number", sa.Text, nullable=False),
    sa.Column("name_box", sa.Text),
    sa.Column("number_box", sa.Text),
    sa.Column("phone_box", sa.Text),
    sa.Column("words_box", sa.Text),
    sa.Column("handled_by", sa.Text, nullable=False, server_default=""),
    sa.Column("handled_at", sa.BigInteger),
    sa.Column("outcome", sa.Text, nullable=False, server_default=""),
    sa.Column("counts", sa.Text, nullable=False, server_default=""),
    sa.Column("finished_at", sa.BigInteger),
    sa.Index("priv_request_state", "state", "due"),
    sa.Index("priv_request_proof", "proof"),
)
"""Requests of those whom data is about. When one is over its boxes and masked texts are emptied; ``proof`` (a keyed
digest of the number) still tells the one who comes back with the number what was done and when. ``finished_at``: the
last that had to stay was erased then."""

left = sa.Table(
    "priv_left",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("request", sa.BigInteger),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("kept", pg.JSONB, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Index("priv_left_request", "request"),
    sa.Index("priv_left_next", "next_at"),
)
"""What an erasure had to leave: of whom (``record``, as the holder names people), and as ``kept`` why, how many and until
when. It is looked at again at ``next_at``, and goes when nothing is left; ``request`` null: of an account that its owner
deleted."""

policy = sa.Table(
    "priv_policy",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    *(
        sa.Column(name, sa.Integer, nullable=False)
        for name in (
            *("shown_minutes", "day_limit", "unusual_at", "unusual_factor", "max_rows"),
            *("decide_days", "fetch_hours", "answer_days", "least_words"),
        )
    ),
)
"""Every version of the limits; the highest is in force."""

alarm = sa.Table(
    "priv_alarm",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("acked_at", sa.BigInteger),
    sa.Column("acked_by", sa.Text),
    sa.Column("words", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("kind", "account", "day"),
    sa.CheckConstraint("acked_by <> account", name="priv_alarm_two_people"),
    sa.Index("priv_alarm_open", "no", postgresql_where=sa.text("acked_at IS NULL")),
)
"""Unusual use of personal data, once a day, account and kind; open until an audit administrator has looked into it."""

alarm_delivery = sa.Table(
    "priv_alarm_delivery",
    metadata,
    sa.Column("alarm", sa.BigInteger, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_at", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Index("priv_alarm_delivery_due", "next_at", postgresql_where=sa.text("state = 'pending'")),
)

told = sa.Table(
    "priv_told",
    metadata,
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("no", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("request", sa.BigInteger),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("done_at", sa.BigInteger),
    sa.Column("code", sa.Text, nullable=False, server_default=""),
    sa.Index("priv_told_request", "request"),
    sa.Index("priv_told_open", "at", postgresql_where=sa.text("done_at IS NULL")),
)
"""By hall and number the directives that told a hall to forget somebody; ``request`` null: for an account that its
owner deleted. ``done_at`` null: the hall has not answered; ``code``: why it could not."""

untold = sa.Table(
    "priv_untold",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("hall", sa.Text, nullable=False),
    sa.Column("request", sa.BigInteger),
    sa.Column("box", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("priv_untold_request", "request"),
)
"""Whom halls are to forget and were not told yet: it is done in a moment, or, for a hall that since the city was put back
from a backup has not said how far it is, once it has (decision 0056). ``box``: the certificate's number, until the word
has gone out."""

gone = sa.Table(
    "priv_gone",
    metadata,
    sa.Column("request", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hall", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("by_name", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)
"""Halls for which a request to erase waits no more, as somebody said why they do not come back (decision 0050)."""
