"""Calling rules as a form: every field as typed, and back to the record."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from hallserver.app.manage.edits import Typed, convert, given, marked, ticks
from hallserver.app.manage.rows import Values, changed, read_rows
from qingting.contract.rules import BOOKED, ORDINARY, CallingRules
from qingting.contract.whatif import RosterPlan

LISTS = ("class", "ratio", "condition", "plan")
TESTS = ("waiting_over", "line_at_least", "called_fewer", "between")
MOST_TESTS = 4
PLANS = ("close", "open", "shut")
FRESH: dict[str, dict[str, Values]] = {
    "class": {"class": {"weight": "0", "ageing": "1"}},
    "ratio": {"ratio": {"a": "2", "b": "1"}},
    "condition": {"condition": {}},
    "plan": {"plan": {"kind": "open"}},
}
_PLAIN = (
    "name",
    "name_en",
    "max_delay_minutes",
    "priority_in_a_row",
    "recall_pause_seconds",
    "max_calls",
)
_PUNCTUALITY = ("early_minutes", "late_minutes")
_RETURNING = ("second_chances", "within_minutes", "after_people", "parked", "chained")
_CLASS = ("id", "name", "name_en", "weight", "ageing", "min_age", "proof", "proof_en")
_TEST = ("minutes", "people", "than", "of", "start", "end")


@dataclass(slots=True)
class RulesForm:
    """The editor as typed. ``rows`` are the lists, ``day`` the past day to try on."""

    base: int
    values: Values
    rows: dict[str, list[Values]] = field(default_factory=lambda: {name: [] for name in LISTS})
    day: str = ""

    @property
    def slots(self) -> list[int]:
        """How many tests each condition shows: those it has and an empty one."""
        return [min(MOST_TESTS, _filled(row) + 1) for row in self.rows["condition"]]


def _filled(row: Values) -> int:
    return sum(bool(row.get(f"t{n}.test")) for n in range(MOST_TESTS))


def form_of(rules: CallingRules, base: int) -> RulesForm:
    raw: dict[str, Any] = msgspec.to_builtins(rules)
    values = {name: str(raw[name]) for name in _PLAIN}
    values |= {name: str(raw["punctuality"][name]) for name in _PUNCTUALITY}
    values |= {name: str(raw["returning"][name]) for name in _RETURNING}
    rows = {
        "class": [_class_values(one) for one in raw["classes"]],
        "ratio": [{name: str(value) for name, value in one.items()} for one in raw["ratios"]],
        "condition": [_condition_values(one) for one in raw["conditions"]],
        "plan": [],
    }
    return RulesForm(base, values, rows)


def _class_values(raw: dict[str, Any]) -> Values:
    values = {name: _number(raw[name]) for name in _CLASS}
    return values | {name: "on" for name in ("statutory", "declared") if raw[name]}


def _number(value: object) -> str:
    """15.0 → 15: as people write it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _condition_values(raw: dict[str, Any]) -> Values:
    values: Values = {"name": raw["name"], "name_en": raw["name_en"]}
    values |= ticks("classes", raw["classes"]) | ticks("queues", raw["queues"])
    for n, test in enumerate(raw["when"]):
        values[f"t{n}.test"] = test["test"]
        values |= {f"t{n}.{name}": str(test[name]) for name in _TEST if name in test}
        values |= {f"t{n}.{name}": value for name, value in test.get("period", {}).items()}
        for kind in ("classes", "queues"):
            values |= ticks(f"t{n}.{kind}", test.get(kind, ()))
    return values


def read(fields: Typed) -> RulesForm:
    names = (*_PLAIN, *_PUNCTUALITY, *_RETURNING)
    rows = {name: read_rows(fields.data, name) for name in LISTS}
    return RulesForm(
        fields.base, {name: fields.one(name) for name in names}, rows, fields.one("day")
    )


def pressed(form: RulesForm, action: str) -> None:
    """Buttons of the lists: ``class/up:2``, ``ratio/add:ratio``; anything else changes nothing."""
    name, _, rest = action.partition("/")
    if name in form.rows:
        form.rows[name] = changed(form.rows[name], rest, FRESH[name])


# ---- back to records ----------------------------------------------------------------------------


def rules_of(request: web.Request, form: RulesForm, version: int) -> CallingRules:
    """The rules that were typed, as version ``version``. Raises ``form.invalid``."""
    raw: dict[str, object] = {
        **given(form.values, *_PLAIN),
        "version": version,
        "punctuality": given(form.values, *_PUNCTUALITY),
        "returning": given(form.values, *_RETURNING),
        "classes": [_class(row) for row in form.rows["class"]],
        "ratios": [given(row, "first", "second", "a", "b") for row in form.rows["ratio"]],
        "conditions": [_condition(row) for row in form.rows["condition"]],
    }
    return convert(request, raw, CallingRules, "rules.f")


def _class(row: Values) -> dict[str, object]:
    flags = {name: row.get(name) == "on" for name in ("statutory", "declared")}
    return {**given(row, *_CLASS), **flags}


def _condition(row: Values) -> dict[str, object]:
    return {
        **given(row, "name", "name_en"),
        "classes": marked(row, "classes"),
        "queues": marked(row, "queues"),
        "when": [_test(row, n) for n in range(MOST_TESTS) if row.get(f"t{n}.test")],
    }


def _test(row: Values, n: int) -> dict[str, object]:
    """Only the fields that the test has: others may be left from another choice."""
    test = row[f"t{n}.test"]
    here = {name: row.get(f"t{n}.{name}", "") for name in _TEST}
    raw: dict[str, object] = {"test": test}
    if test == "between":
        raw["period"] = given(here, "start", "end")
        return raw
    raw["classes"] = marked(row, f"t{n}.classes")
    if test == "called_fewer":
        return raw | given(here, "than", "of")
    raw["queues"] = marked(row, f"t{n}.queues")
    return raw | given(here, "minutes" if test == "waiting_over" else "people")


def roster_of(request: web.Request, form: RulesForm) -> RosterPlan | None:
    """The windows that are tried differently; None when the roster stays. Raises ``form.invalid``."""
    plans: dict[str, dict[str, Any]] = {}
    for row in form.rows["plan"]:
        plan = plans.setdefault(row.get("window", ""), {"id": row.get("window", "")})
        if row.get("kind") == "close":
            plan["closes_at"] = row.get("end", "")
        elif row.get("kind") == "shut":
            plan["hours"] = []
        else:
            stint: dict[str, object] = {"period": given(row, "start", "end")}
            plan.setdefault("hours", []).append(stint | given(row, "staff"))
    if not plans:
        return None
    return convert(request, {"windows": list(plans.values())}, RosterPlan, "rules.f")


def plan_rows(roster: RosterPlan | None) -> list[Values]:
    """Inverse of :func:`roster_of`."""
    rows: list[Values] = []
    for plan in roster.windows if roster is not None else ():
        if plan.closes_at is not None:
            rows.append({"window": plan.id, "kind": "close", "end": plan.closes_at})
        if plan.hours == ():
            rows.append({"window": plan.id, "kind": "shut"})
        for stint in plan.hours or ():
            span = {"start": stint.period.start, "end": stint.period.end}
            rows.append({"window": plan.id, "kind": "open", "staff": stint.staff or "", **span})
    return rows


def class_choices(form: RulesForm) -> list[tuple[str, str]]:
    """Classes as they are typed now, so that a new one can be named at once."""
    return [
        (row["id"], row.get("name", "") or row["id"]) for row in form.rows["class"] if row.get("id")
    ]


FIXED = (ORDINARY, BOOKED)
"""Classes that every hall has."""
