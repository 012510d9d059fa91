"""Tables of the configuration module. Instants are UTC milliseconds; configurations are packed JSON."""

import sqlalchemy as sa

from console.core.models import metadata


def _text(name: str, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, primary_key=primary_key)


def _big(name: str, *, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        name, sa.BigInteger, nullable=False, primary_key=primary_key, autoincrement=False
    )


def _int(name: str, *, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, primary_key=primary_key, autoincrement=False)


def _body(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


version = sa.Table(
    "conf_version",
    metadata,
    _text("hall", primary_key=True),
    *(_big(name, primary_key=True) for name in ("epoch", "seq")),
    _int("version"),
    _big("at"),
    *(_text(name) for name in ("origin", "who", "note", "parts")),
    _body("body"),
)
"""What has been in force in a hall, from its own log. ``origin``: ``city``, ``hall`` or ``file``; ``who`` is a
name; ``parts`` are those that differ from before."""

draft = sa.Table(
    "conf_draft",
    metadata,
    _text("hall", primary_key=True),
    *(_int(name) for name in ("revision", "base_version")),
    *(_body(name) for name in ("base", "body")),
    _big("changed_at"),
    _text("changed_by"),
)
"""What is being written for a hall, on the version that was in force when it was begun."""

revision = sa.Table("conf_revision", metadata, _text("hall", primary_key=True), _int("last"))
"""The last revision that a draft of the hall had. It outlives the draft: a revision never comes twice, so that a page of a
former draft never passes for one of the present."""

save = sa.Table(
    "conf_save",
    metadata,
    _text("hall", primary_key=True),
    _int("revision", primary_key=True),
    _big("at"),
    *(_text(name) for name in ("who", "part")),
    _body("body"),
)
"""The draft as it was after each save."""

publication = sa.Table(
    "conf_publication",
    metadata,
    _text("hall", primary_key=True),
    _big("directive", primary_key=True),
    *(_int(name) for name in ("version", "base_version", "revision")),
    *(_text(name) for name in ("note", "who", "state", "code", "params", "withdrawn_by")),
    *(_big(name) for name in ("at", "ended_at", "withdrawn_at")),
    sa.Index("conf_publication_version", "hall", "version"),
)
"""What was sent: ``state`` is ``pending``, ``applied``, ``refused`` (``code`` with ``params`` says why) or ``withdrawn``.
``ended_at``: when the hall answered, 0 before. ``withdrawn_at`` is not 0 where somebody took it back, and stays when the
hall had it already: ``state`` is what the hall said. ``revision``: of the draft that it was, 0 for an earlier version put in
force again."""
