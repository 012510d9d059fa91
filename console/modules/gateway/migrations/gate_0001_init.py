"""Integrators with their secrets, tokens and quotas; idempotency keys; events and their subscriptions."""

from alembic import op

revision = "gate_0001"
down_revision = None
branch_labels = ("gateway",)
depends_on = ("core_0001",)

STATEMENTS = (
    """
    CREATE TABLE gate_integrator (
        id text NOT NULL,
        name text NOT NULL,
        contact text NOT NULL,
        scopes text[] NOT NULL,
        reach text NOT NULL,
        networks text[] NOT NULL,
        per_minute integer NOT NULL,
        per_day integer NOT NULL,
        disabled boolean NOT NULL,
        version integer NOT NULL,
        made_at bigint NOT NULL,
        made_by text NOT NULL,
        PRIMARY KEY (id)
    )""",
    """
    CREATE TABLE gate_secret (
        digest text NOT NULL,
        client text NOT NULL,
        made_at bigint NOT NULL,
        ends_at bigint,
        PRIMARY KEY (digest),
        FOREIGN KEY (client) REFERENCES gate_integrator (id)
    )""",
    "CREATE INDEX gate_secret_client ON gate_secret (client)",
    """
    CREATE TABLE gate_token (
        digest text NOT NULL,
        client text NOT NULL,
        scopes text[] NOT NULL,
        ends_at bigint NOT NULL,
        PRIMARY KEY (digest),
        FOREIGN KEY (client) REFERENCES gate_integrator (id)
    )""",
    "CREATE INDEX gate_token_client ON gate_token (client)",
    "CREATE INDEX gate_token_ends ON gate_token (ends_at)",
    """
    CREATE TABLE gate_quota (
        client text NOT NULL,
        span text NOT NULL,
        began bigint NOT NULL,
        calls integer NOT NULL,
        PRIMARY KEY (client, span, began),
        FOREIGN KEY (client) REFERENCES gate_integrator (id)
    )""",
    "CREATE INDEX gate_quota_began ON gate_quota (began)",
    """
    CREATE TABLE gate_usage (
        client text NOT NULL,
        day date NOT NULL,
        call text NOT NULL,
        answered integer NOT NULL,
        refused integer NOT NULL,
        PRIMARY KEY (client, day, call),
        FOREIGN KEY (client) REFERENCES gate_integrator (id)
    )""",
    """
    CREATE TABLE gate_fault (
        no bigint GENERATED ALWAYS AS IDENTITY,
        client text NOT NULL,
        at bigint NOT NULL,
        call text NOT NULL,
        status integer NOT NULL,
        code text NOT NULL,
        field text NOT NULL,
        request text NOT NULL,
        PRIMARY KEY (no),
        FOREIGN KEY (client) REFERENCES gate_integrator (id)
    )""",
    "CREATE INDEX gate_fault_client ON gate_fault (client, no)",
    """
    CREATE TABLE gate_key (
        client text NOT NULL,
        key text NOT NULL,
        digest text NOT NULL,
        status integer,
        body bytea,
        at bigint NOT NULL,
        PRIMARY KEY (client, key),
        FOREIGN KEY (client) REFERENCES gate_integrator (id)
    )""",
    "CREATE INDEX gate_key_at ON gate_key (at)",
    """
    CREATE TABLE gate_event (
        no bigint GENERATED ALWAYS AS IDENTITY,
        place bigint,
        id text NOT NULL,
        kind text NOT NULL,
        hall text NOT NULL,
        at bigint NOT NULL,
        body jsonb NOT NULL,
        PRIMARY KEY (no),
        UNIQUE (place),
        UNIQUE (id)
    )""",
    "CREATE INDEX gate_event_at ON gate_event (at)",
    "CREATE INDEX gate_event_unplaced ON gate_event (no) WHERE place IS NULL",
    """
    CREATE TABLE gate_subscription (
        id text NOT NULL,
        client text NOT NULL,
        url text NOT NULL,
        kinds text[] NOT NULL,
        secret text NOT NULL,
        old_secret text NOT NULL,
        old_ends_at bigint,
        paused boolean NOT NULL,
        place bigint NOT NULL,
        again_from bigint,
        again_to bigint,
        tries integer NOT NULL,
        next_at bigint NOT NULL,
        lease text NOT NULL,
        made_at bigint NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY (client) REFERENCES gate_integrator (id)
    )""",
    "CREATE INDEX gate_subscription_client ON gate_subscription (client)",
    "CREATE INDEX gate_subscription_next ON gate_subscription (next_at)",
    """
    CREATE TABLE gate_delivery (
        no bigint GENERATED ALWAYS AS IDENTITY,
        subscription text NOT NULL,
        event text NOT NULL,
        place bigint NOT NULL,
        kind text NOT NULL,
        at bigint NOT NULL,
        outcome text NOT NULL,
        reason text NOT NULL,
        again boolean NOT NULL,
        PRIMARY KEY (no)
    )""",
    "CREATE INDEX gate_delivery_at ON gate_delivery (at)",
    "CREATE INDEX gate_delivery_subscription ON gate_delivery (subscription, no)",
)


def upgrade() -> None:
    for one in STATEMENTS:
        op.execute(one)
