"""The whole fleet asked in SQL: filter, order, count and page of thousands of devices in one statement.

What a connected hall says now (LIVE) is laid over what its log has told, row by row, as
:meth:`console.modules.devices.service.DeviceService.devices` does for one hall. The rules of
:mod:`qingting.contract.supervision` are said here a second time, in SQL; a test holds both together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from console.core.permissions import Scope
from console.core.uow import ReadUow
from console.halls.api import HallsApi, HallStatus, LinkState
from console.modules.devices.api import ConditionSince, DeviceInfo, FleetPage, FleetQuery, HallCount
from qingting.contract.conditions import Severity, condition_texts
from qingting.contract.ids import HallId
from qingting.contract.link import Live
from qingting.contract.states import Condition, DeviceKind, DeviceState
from qingting.contract.supervision import OWN_CONNECTION, PADS
from qingting.contract.views import DeviceView

_RANK = (
    DeviceState.LOST,
    DeviceState.DEGRADED,
    DeviceState.CONNECTING,
    DeviceState.IDENTIFYING,
    DeviceState.READY,
    DeviceState.ABSENT,
)
"""What asks for a look comes first, what was never there last."""
_NATURAL = ("length(p.name)", 'p.name COLLATE "C"')
"""2号 before 10号 among names of one pattern; a regular expression for each of 3 000 names costs more."""
_STATE_RANK = "array_position(CAST(:rank AS text[]), p.state)"
_ORDERS: dict[str, tuple[str, ...]] = {
    "device": ('p.kind COLLATE "C"', *_NATURAL, 'p.hall COLLATE "C"'),
    "hall": ('p.hall COLLATE "C"', "coalesce(p.parent, '') COLLATE \"C\"", *_NATURAL),
    "state": (
        "NOT (p.fresh AND p.needs)",
        _STATE_RANK,
        'p.hall COLLATE "C"',
        'p.kind COLLATE "C"',
        *_NATURAL,
    ),
    "since": ("p.since",),
    "seen": ("p.seen",),
}

_COLUMNS = ("t_hall", "t_at", "t_id", "t_state", "t_names", "t_place", "t_since", "t_seen")
_PRESENT = """
WITH said AS MATERIALIZED (
    SELECT * FROM unnest(
        CAST(:t_hall AS text[]), CAST(:t_at AS bigint[]), CAST(:t_id AS text[]),
        CAST(:t_state AS text[]), CAST(:t_names AS text[]), CAST(:t_place AS int[]),
        CAST(:t_since AS bigint[]), CAST(:t_seen AS bigint[]))
    AS t(hall, at, id, state, names, place, since, seen)
),
laid AS (
    SELECT d.hall, d.id, d.kind, d.name, d.name_en, d.parent, d.win,
           coalesce(h.since, 0) AS help_since, coalesce(g.began, 0) AS gone_at, d.known_since,
           d.hall = ANY(CAST(:online AS text[])) AS fresh,
           CASE WHEN d.kind = ANY(CAST(:pads AS text[])) AND d.win IS NOT NULL
                THEN coalesce(w.open, false) ELSE true END AS at_work,
           CASE WHEN t.at >= d.changed_at THEN t.state ELSE d.state END AS state,
           t.place AS told, CASE WHEN t.at >= d.changed_at THEN t.place END AS place,
           CASE WHEN t.at >= d.changed_at THEN t.names
                WHEN d.conditions = '{}' THEN ''
                ELSE (SELECT '|' || string_agg(one, '|') || '|'
                      FROM jsonb_object_keys(d.conditions) one) END AS names,
           d.conditions, d.detail,
           CASE WHEN t.at >= d.changed_at THEN t.since ELSE d.since END AS since,
           greatest(d.changed_at, coalesce(t.seen, 0)) AS seen
    FROM dev_device d
    LEFT JOIN said t ON t.hall = d.hall AND t.id = d.id
    LEFT JOIN dev_help h ON h.hall = d.hall AND h.device = d.id
    LEFT JOIN dev_span g ON g.hall = d.hall AND g.device = d.id AND g.what = 'gone'
        AND g.ended IS NULL
    LEFT JOIN dev_window w ON w.hall = d.hall AND w.id = d.win
    WHERE d.hall = ANY(CAST(:known AS text[]))
),
judged AS (
    SELECT l.*,
           CASE WHEN l.state = 'lost' THEN l.at_work OR NOT l.kind = ANY(CAST(:pads AS text[]))
                WHEN l.state = 'absent'
                THEN NOT l.kind = ANY(CAST(:own AS text[])) AND l.names <> ''
                ELSE l.names LIKE '%|offline|%' END AS gone
    FROM laid l
),
p AS MATERIALIZED (
    SELECT j.*,
           j.help_since > 0 OR j.gone OR (
               j.names <> '' AND j.state NOT IN ('lost', 'absent')
               AND j.names ~ :critical) AS needs
    FROM judged j
)
"""
_PAGE = """
SELECT c.known, c.problems, c.kept, x.*, k.name AS parent_name, k.name_en AS parent_name_en
FROM (SELECT count(*) AS known, count(*) FILTER (WHERE p.fresh AND p.needs) AS problems,
             count(*) FILTER (WHERE {where}) AS kept FROM p) c
LEFT JOIN LATERAL (
    SELECT y.*, row_number() OVER () AS row
    FROM (SELECT * FROM p WHERE {where} ORDER BY {order} LIMIT :rows
          OFFSET least(:skip, greatest(0, (c.kept - 1) / :rows * :rows))) y) x ON true
LEFT JOIN dev_device k ON k.hall = x.hall AND k.id = x.parent
ORDER BY x.row
"""
_COUNTS = """
SELECT p.hall, count(*) AS devices, count(*) FILTER (WHERE p.fresh AND p.needs) AS needs
FROM p GROUP BY p.hall
"""
ALL = 1_000_000
"""More rows than there are devices."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What a hall says of its devices, as the columns of :data:`_PRESENT`'s ``said``."""

    live: Live
    columns: tuple[list[Any], ...]


def _said(hall: HallId, live: Live) -> _Said:
    columns: tuple[list[Any], ...] = tuple([] for _ in _COLUMNS)
    for place, one in enumerate(live.devices):
        names = "|".join(each.condition for each in one.conditions)
        row = (
            hall, live.at, one.id, one.state.value, f"|{names}|" if names else "", place, one.since, one.seen,
        )  # fmt: skip
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return _Said(live, columns)


class Fleet:
    """Questions about all devices of all halls. Keeps the columns of each hall's last LIVE frame, so that a
    refresh costs what has changed."""

    def __init__(self, halls: HallsApi) -> None:
        self._halls = halls
        self._kept: dict[HallId, _Said] = {}

    async def search(self, uow: ReadUow, scope: Scope, query: FleetQuery) -> FleetPage:
        """A page behind the end is the last one; an unknown order is that of the state."""
        statuses = await self._within(uow, scope)
        where, given = _where(query, statuses)
        sql = _PRESENT + _PAGE.format(where=where, order=_order(query))
        rows = query.rows or ALL
        given |= {"rows": rows, "skip": (max(1, query.page) - 1) * rows}
        lives = await self._halls.live(uow)
        found = await self._ask(uow, sql, statuses, lives, given)
        return FleetPage(
            devices=tuple(
                _device(row, statuses[HallId(row["hall"])], lives)
                for row in found
                if row["id"] is not None
            ),
            kept=found[0]["kept"],
            known=found[0]["known"],
            problems=found[0]["problems"],
        )

    async def counts(self, uow: ReadUow, scope: Scope) -> dict[HallId, HallCount]:
        statuses = await self._within(uow, scope)
        lives = await self._halls.live(uow)
        rows = await self._ask(uow, _PRESENT + _COUNTS, statuses, lives, {})
        return {HallId(row["hall"]): HallCount(row["devices"], row["needs"]) for row in rows}

    async def _within(self, uow: ReadUow, scope: Scope) -> dict[HallId, HallStatus]:
        """Halls whose devices are within ``scope``: the statements ask for those of these halls alone."""
        found = await self._halls.halls(uow, scope)
        return {status.id: status for status in found if scope.has(status.id)}

    async def _ask(
        self,
        uow: ReadUow,
        sql: str,
        statuses: Mapping[HallId, HallStatus],
        lives: Mapping[HallId, Live],
        given: Mapping[str, Any],
    ) -> Sequence[sa.RowMapping]:
        texts = condition_texts()
        facts = {
            **self._columns(lives),
            "known": list(statuses),
            "online": [key for key, one in statuses.items() if one.state is LinkState.ONLINE],
            "pads": sorted(PADS),
            "own": sorted(OWN_CONNECTION),
            "critical": _any_of(one for one in texts if texts[one].severity is Severity.CRITICAL),
            "rank": [state.value for state in _RANK],
        }
        statement = sa.text(sql)
        names = set(statement.compile().params)
        return await uow.all(
            statement, {key: one for key, one in (facts | dict(given)).items() if key in names}
        )

    def _columns(self, lives: Mapping[HallId, Live]) -> dict[str, list[Any]]:
        for hall, live in lives.items():
            kept = self._kept.get(hall)
            if kept is None or kept.live is not live:
                self._kept[hall] = _said(hall, live)
        said = [self._kept[hall].columns for hall in lives]
        return {
            name: [value for columns in said for value in columns[number]]
            for number, name in enumerate(_COLUMNS)
        }


def _any_of(conditions: Iterable[Condition]) -> str:
    """A regular expression that finds one of ``conditions`` among names between bars."""
    return f"\\|({'|'.join(one.value for one in conditions)})\\|"


def _where(query: FleetQuery, statuses: Mapping[HallId, HallStatus]) -> tuple[str, dict[str, Any]]:
    """The conditions of a search in SQL and what they name; nothing of a reader's gets into the text."""
    parts, given = ["true"], dict[str, Any]()
    for column, wanted in (("hall", query.hall), ("kind", query.kind), ("state", query.state)):
        if wanted:
            parts.append(f"p.{column} = :f_{column}")
            given[f"f_{column}"] = wanted
    if query.condition:
        parts.append("strpos(p.names, :f_condition) > 0")
        given["f_condition"] = f"|{query.condition}|"
    if query.problems:
        parts.append("p.needs")
    if query.fresh:
        parts.append("p.fresh")
    if query.text:
        parts.append(
            "(p.name ILIKE :f_text OR p.name_en ILIKE :f_text OR p.id ILIKE :f_text"
            " OR p.hall = ANY(CAST(:f_halls AS text[])))"
        )
        escaped = query.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        given["f_text"] = f"%{escaped}%"
        sought = query.text.casefold()
        given["f_halls"] = [
            key for key, one in statuses.items() if sought in f"{one.name} {one.name_en}".casefold()
        ]
    return " AND ".join(parts), given


def _order(query: FleetQuery) -> str:
    columns = (*_ORDERS.get(query.sort, _ORDERS["state"]), "p.hall", "p.id")
    if not query.descending:
        return ", ".join(columns)
    return ", ".join(f"{one} DESC" for one in columns)


def _device(row: sa.RowMapping, status: HallStatus, lives: Mapping[HallId, Live]) -> DeviceInfo:
    # Where the log is ahead of LIVE, LIVE still has what no log tells.
    told = lives[status.id].devices[row["told"]] if row["told"] is not None else None
    view = told if row["place"] is not None else None
    return DeviceInfo(
        hall=HallId(row["hall"]),
        hall_name=status.name,
        hall_name_en=status.name_en,
        id=row["id"],
        kind=DeviceKind(row["kind"]),
        name=row["name"],
        name_en=row["name_en"],
        parent=row["parent"] or "",
        parent_name=row["parent_name"] or "",
        parent_name_en=row["parent_name_en"] or row["parent_name"] or "",
        window=row["win"] or "",
        state=DeviceState(row["state"]),
        conditions=_logged(row["conditions"]) if view is None else _live(view),
        detail=row["detail"] if view is None else view.detail,
        since=row["since"],
        seen=row["seen"],
        fresh=row["fresh"],
        help_since=row["help_since"],
        at_work=row["at_work"],
        pad=told.pad if told is not None else None,
        runs=told.runs if told is not None else None,
        hands=told.hands if told is not None else None,
        gone_at=row["gone_at"],
        known_since=row["known_since"],
    )


def _live(view: DeviceView) -> tuple[ConditionSince, ...]:
    return tuple(
        ConditionSince(condition=one.condition, since=one.since) for one in view.conditions
    )


def _logged(kept: Any) -> tuple[ConditionSince, ...]:
    """``text()`` statements know no column types: JSON comes as text."""
    value: dict[str, int] = msgspec.json.decode(kept) if isinstance(kept, str) else kept
    return tuple(
        ConditionSince(condition=Condition(one), since=since)
        for one, since in sorted(value.items())
    )
