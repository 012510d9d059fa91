"""Tables of the jobs module. Instants are UTC milliseconds; JSON is text."""

import sqlalchemy as sa

from console.core.models import metadata


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


job = sa.Table(
    "job_job",
    metadata,
    sa.Column("no", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    *(_text(name) for name in ("kind", "argument", "subject", "asked_by", "asked_name")),
    *(_text(name) for name in ("hall", "permission", "state")),
    *(_big(name) for name in ("asked_at", "begun_at", "ended_at", "expires_at", "lease_until")),
    _text("worker"),
    sa.Column("attempts", sa.Integer, nullable=False),
    _text("cancelled_by"),
    *(_big(name) for name in ("done", "total")),
    *(_text(name) for name in ("saying", "checkpoint", "code", "params")),
    sa.Index("job_job_open", "no", postgresql_where=sa.text("state IN ('waiting', 'running')")),
    sa.Index("job_job_asked_by", "asked_by", "no"),
)
"""``lease_until``: whoever runs it must have renewed by then. ``saying``: the key of a text and its parameters,
what the job does now and in the end what came of it."""

file = sa.Table(
    "job_file",
    metadata,
    sa.Column("job", sa.BigInteger, sa.ForeignKey("job_job.no"), primary_key=True),
    *(_text(name) for name in ("name", "media")),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
