"""Tables of citizens. Names, numbers, phones and addresses of mail are sealed; what pages show is masked."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from console.core.models import metadata

citizen = sa.Table(
    "cit_citizen",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("certificate", sa.Text, nullable=False),
    sa.Column("number_index", sa.Text),
    sa.Column("phone_index", sa.Text),
    sa.Column("name_box", sa.Text, nullable=False),
    sa.Column("number_box", sa.Text, nullable=False),
    sa.Column("comes_box", sa.Text, nullable=False),
    sa.Column("phone_box", sa.Text, nullable=False),
    sa.Column("mail_box", sa.Text, nullable=False),
    sa.Column("masked_name", sa.Text, nullable=False),
    sa.Column("masked_number", sa.Text, nullable=False),
    sa.Column("masked_phone", sa.Text, nullable=False),
    sa.Column("masked_mail", sa.Text, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("registered", sa.Boolean, nullable=False),
    sa.Column("consent", sa.Text, nullable=False),
    sa.Column("consent_at", sa.BigInteger),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("forgotten_at", sa.BigInteger),
    sa.Column("erasing_since", sa.BigInteger),
    sa.UniqueConstraint("certificate", "number_index"),
    sa.Index("cit_citizen_phone", "phone_index"),
)
"""Natural persons, and firms that logged in themselves (``certificate`` ``uscc``): of those ``comes_box`` holds name and
number of who comes to the halls. ``number_index`` is the blind index of the certificate's number, ``phone_index`` that of the phone's. ``registered``: entered by staff, never logged in.
``consent`` names the text that was agreed to, empty: none yet. Of somebody forgotten (``forgotten_at``) nothing
is kept but the row, to which old bookings belong. ``erasing_since``: asked to be erased and is kept until a visit is over
(decision 0063)."""

login = sa.Table(
    "cit_login",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("citizen", sa.Text, sa.ForeignKey("cit_citizen.id"), nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Index("cit_login_citizen", "citizen"),
)
"""By digest of issuer and subject at the sign-on (统一身份认证)."""

firm = sa.Table(
    "cit_firm",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
)

mandate = sa.Table(
    "cit_mandate",
    metadata,
    sa.Column("citizen", sa.Text, sa.ForeignKey("cit_citizen.id"), primary_key=True),
    sa.Column("firm", sa.Text, sa.ForeignKey("cit_firm.id"), primary_key=True),
    sa.Column("legal", sa.Boolean, nullable=False),
)
"""For which firms somebody may act, as the sign-on said at the last login. ``legal``: as its legal representative."""

errand = sa.Table(
    "cit_errand",
    metadata,
    sa.Column("appointment", sa.Text, primary_key=True),
    sa.Column("firm", sa.Text, sa.ForeignKey("cit_firm.id"), nullable=False),
)
"""Appointments that somebody made for a firm."""

session = sa.Table(
    "cit_session",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("marks", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("program", sa.Text, nullable=False),
    sa.Column("login", sa.Text, nullable=False, server_default=""),
    sa.Column("sid", sa.Text, nullable=False, server_default=""),
    sa.Index("cit_session_subject", "subject"),
    sa.Index("cit_session_login", "login"),
    sa.Index("cit_session_created", "created_at"),
)
"""``login``: whose at the sign-on, as in :data:`login`; ``sid``: digest of the sign-on's own session."""

alipay = sa.Table(
    "cit_alipay",
    metadata,
    sa.Column("citizen", sa.Text, sa.ForeignKey("cit_citizen.id"), primary_key=True),
    sa.Column("app", sa.Text, nullable=False),
    sa.Column("box", sa.Text, nullable=False),
    sa.Column("masked", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
)
"""The Alipay account that somebody showed: good for messages of the app (``app``) that it was shown to alone."""

device = sa.Table(
    "cit_device",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("citizen", sa.Text, sa.ForeignKey("cit_citizen.id"), nullable=False),
    sa.Column("session", sa.Text, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("app", sa.Text, nullable=False),
    sa.Column("box", sa.Text, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Index("cit_device_citizen", "citizen"),
    sa.Index("cit_device_seen", "seen_at"),
)
"""Phones with the city's app, by digest of the token under which its platform reaches it: a phone is one person's, the
last one's who logged in there. ``session`` is the digest of the session that named it; ``seen_at``: last named then."""

measure = sa.Table(
    "cit_measure",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("used", sa.Float, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("cit_measure_at", "at"),
    prefixes=["UNLOGGED"],
)
"""What an address or a browser has used of its measure, over all workers (:mod:`console.modules.citizens.limits`). ``key``
is a digest. Not kept over a crash of the database."""

proof = sa.Table(
    "cit_proof",
    metadata,
    sa.Column("citizen", sa.Text, sa.ForeignKey("cit_citizen.id"), primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("box", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
)
"""A phone or mail address that somebody wants kept, until the code sent there comes back. ``code`` is a digest."""
