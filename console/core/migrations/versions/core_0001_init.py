"""Audit, projection cursors and parked events.

File names say what a step is: ``init`` and ``expand`` work with the program of the release before,
``contract`` comes one release later. Each module is a branch of its own.
"""

from alembic import op

revision = "core_0001"
down_revision = None
branch_labels = ("core",)
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE core_audit (
            no bigint PRIMARY KEY,
            at bigint NOT NULL,
            actor text NOT NULL,
            address text NOT NULL,
            act text NOT NULL,
            object text NOT NULL,
            result text NOT NULL,
            detail text NOT NULL,
            previous text NOT NULL,
            hash text NOT NULL
        )""")
    op.execute("""
        CREATE FUNCTION core_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
        END $$""")
    op.execute("""
        CREATE TRIGGER core_audit_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON core_audit
        FOR EACH STATEMENT EXECUTE FUNCTION core_audit_is_append_only()""")
    op.execute("""
        CREATE TABLE core_projection_cursor (
            projector text NOT NULL,
            hall text NOT NULL,
            epoch bigint NOT NULL,
            seq bigint NOT NULL,
            PRIMARY KEY (projector, hall)
        )""")
    op.execute("""
        CREATE TABLE core_parked_event (
            projector text NOT NULL,
            hall text NOT NULL,
            epoch bigint NOT NULL,
            seq bigint NOT NULL,
            kind text NOT NULL,
            error text NOT NULL,
            at bigint NOT NULL,
            PRIMARY KEY (projector, hall, epoch, seq)
        )""")
