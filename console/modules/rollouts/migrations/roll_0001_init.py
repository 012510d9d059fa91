"""Releases of the screens' programs, which halls have them, and rollouts with their devices and history."""

from alembic import op

revision = "roll_0001"
down_revision = None
branch_labels = ("rollouts",)
depends_on = ("core_0001", "hall_0005", "act_0001")


def upgrade() -> None:
    _releases()
    _rollouts()


def _releases() -> None:
    op.execute("""
        CREATE TABLE roll_release (
            id text PRIMARY KEY,
            app text NOT NULL,
            version text NOT NULL,
            build text NOT NULL,
            sha256 text NOT NULL,
            sm3 text NOT NULL,
            size bigint NOT NULL,
            files integer NOT NULL,
            name text NOT NULL,
            notes text NOT NULL,
            put_at bigint NOT NULL,
            put_by text NOT NULL
        )""")
    op.execute("""
        CREATE TABLE roll_shelf (
            hall text NOT NULL,
            release text NOT NULL REFERENCES roll_release (id),
            directive bigint NOT NULL,
            sent_at bigint NOT NULL,
            kept boolean NOT NULL,
            code text NOT NULL,
            PRIMARY KEY (hall, release)
        )""")


def _rollouts() -> None:
    op.execute("""
        CREATE TABLE roll_rollout (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            what text NOT NULL,
            release text NOT NULL,
            title text NOT NULL,
            phase text NOT NULL,
            wave integer NOT NULL,
            waves text NOT NULL,
            soak_ms bigint NOT NULL,
            within_s integer NOT NULL,
            started_at bigint NOT NULL,
            started_by text NOT NULL,
            ended_at bigint NOT NULL
        )""")
    _targets()


def _targets() -> None:
    op.execute("""
        CREATE TABLE roll_target (
            rollout bigint NOT NULL REFERENCES roll_rollout (no),
            hall text NOT NULL,
            device text NOT NULL,
            place integer NOT NULL,
            wave integer NOT NULL,
            at text NOT NULL,
            former text NOT NULL,
            act text NOT NULL,
            since bigint NOT NULL,
            retry_at bigint NOT NULL,
            code text NOT NULL,
            passed boolean NOT NULL,
            PRIMARY KEY (rollout, hall, device)
        )""")
    op.execute("CREATE INDEX roll_target_device ON roll_target (hall, device)")
    op.execute("""
        CREATE TABLE roll_step (
            no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            rollout bigint NOT NULL REFERENCES roll_rollout (no),
            at bigint NOT NULL,
            step text NOT NULL,
            hall text NOT NULL,
            device text NOT NULL,
            code text NOT NULL,
            wave integer NOT NULL,
            by text NOT NULL
        )""")
    op.execute("CREATE INDEX roll_step_rollout ON roll_step (rollout, no)")
