"""Service items with versions, flags, materials and themes."""

import sqlalchemy as sa
from alembic import op

revision = "cat_0001"
down_revision = None
branch_labels = ("catalogue",)
depends_on = ("core_0001",)

TABLES = (
    """
    CREATE TABLE cat_version (
        code text NOT NULL,
        version integer NOT NULL,
        state text NOT NULL CHECK (state IN ('draft', 'published')),
        effective_from date,
        body jsonb NOT NULL,
        words text NOT NULL,
        pinyin text NOT NULL,
        initials text NOT NULL,
        origin text NOT NULL,
        made_at bigint NOT NULL,
        made_by text NOT NULL,
        published_at bigint,
        published_by text,
        PRIMARY KEY (code, version),
        CHECK ((state = 'published') = (effective_from IS NOT NULL)),
        CHECK ((state = 'published') = (published_at IS NOT NULL))
    )""",
    "CREATE UNIQUE INDEX cat_version_one_draft ON cat_version (code) WHERE state = 'draft'",
    """
    CREATE INDEX cat_version_in_force ON cat_version (code, effective_from DESC, version DESC)
    WHERE state = 'published'""",
    """
    CREATE FUNCTION cat_published_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.state = 'published' THEN
            RAISE EXCEPTION 'a published version is never changed' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER cat_version_guard BEFORE UPDATE OR DELETE ON cat_version
    FOR EACH ROW EXECUTE FUNCTION cat_published_stays()""",
    """
    CREATE TABLE cat_flag (
        code text PRIMARY KEY,
        bookable boolean NOT NULL,
        on_site boolean NOT NULL,
        changed_at bigint NOT NULL,
        changed_by text NOT NULL
    )""",
    "CREATE TABLE cat_material (name text PRIMARY KEY, name_en text NOT NULL, note text NOT NULL)",
    "CREATE TABLE cat_theme (name text PRIMARY KEY, name_en text NOT NULL, place integer NOT NULL)",
    "CREATE TABLE cat_rule (name text PRIMARY KEY, value text NOT NULL)",
    'CREATE TABLE cat_upload (id text PRIMARY KEY, "by" text NOT NULL, at bigint NOT NULL, data bytea NOT NULL)',
)
THEMES = (
    ("生育收养", "Birth and adoption"), ("户籍办理", "Household registration"), ("教育科研", "Education and research"),
    ("就业创业", "Work and business"), ("设立变更", "Founding and change"), ("准营准办", "Licences"),
    ("职业资格", "Professional qualification"), ("婚姻登记", "Marriage"), ("优待抚恤", "Veterans and families"),
    ("规划建设", "Planning and building"), ("住房保障", "Housing"), ("社会保障", "Social security"),
    ("证件办理", "Certificates"), ("交通出行", "Transport"), ("出境入境", "Entry and exit"),
    ("税收财务", "Tax and finance"), ("公共安全", "Public safety"), ("司法公证", "Justice and notary"),
    ("环保绿化", "Environment"), ("文化体育", "Culture and sport"), ("医疗卫生", "Health"),
    ("离职退休", "Retirement"), ("死亡殡葬", "Death and burial"), ("其他", "Other"),
)  # fmt: skip


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    rows = [
        {"name": name, "name_en": en, "place": place} for place, (name, en) in enumerate(THEMES)
    ]
    op.bulk_insert(sa.table("cat_theme", *(sa.column(key) for key in rows[0])), rows)
