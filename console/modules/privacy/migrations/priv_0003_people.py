"""Unmasking with a reason, exports with consent, requests of those whom data is about, and when what was pruned."""

from alembic import op

revision = "priv_0003"
down_revision = "priv_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _grants()
    _exports()
    _requests()
    op.execute("""
        CREATE TABLE core_pruning (
            name text PRIMARY KEY,
            at bigint NOT NULL,
            rows bigint NOT NULL,
            removed_at bigint)""")


def _grants() -> None:
    op.execute("""
        CREATE TABLE priv_grant (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            account text NOT NULL,
            holder text NOT NULL,
            record text NOT NULL,
            reason text NOT NULL,
            words text NOT NULL,
            at bigint NOT NULL,
            until bigint NOT NULL)""")
    op.execute("CREATE INDEX priv_grant_account ON priv_grant (account, at)")
    op.execute("CREATE INDEX priv_grant_at ON priv_grant (at)")


def _exports() -> None:
    op.execute("""
        CREATE TABLE priv_export (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind text NOT NULL,
            query text NOT NULL,
            reason text NOT NULL,
            words text NOT NULL,
            rows integer NOT NULL,
            by text NOT NULL,
            by_name text NOT NULL,
            asked_at bigint NOT NULL,
            approved boolean,
            decided_by text,
            decided_name text NOT NULL DEFAULT '',
            decided_at bigint,
            note text NOT NULL DEFAULT '',
            expires_at bigint NOT NULL,
            fetched_at bigint,
            CONSTRAINT priv_export_two_people CHECK (decided_by <> by))""")
    op.execute("CREATE INDEX priv_export_asked ON priv_export (asked_at)")


def _requests() -> None:
    op.execute("""
        CREATE TABLE priv_request (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kind text NOT NULL,
            state text NOT NULL,
            received_at bigint NOT NULL,
            due date NOT NULL,
            by text NOT NULL,
            proof text NOT NULL,
            masked_name text NOT NULL,
            masked_number text NOT NULL,
            name_box text,
            number_box text,
            phone_box text,
            words_box text,
            handled_by text NOT NULL DEFAULT '',
            handled_at bigint,
            outcome text NOT NULL DEFAULT '',
            counts text NOT NULL DEFAULT '')""")
    op.execute("CREATE INDEX priv_request_state ON priv_request (state, due)")
    op.execute("CREATE INDEX priv_request_proof ON priv_request (proof)")
