"""Which calls each loudspeaker (音箱) says: one choice a loudspeaker on the page of announcements."""

from collections.abc import Mapping
from dataclasses import dataclass

from hallserver.boards.speaking import scope_of, speakers
from hallserver.engine.state import DeviceLife, HallState
from qingting.contract.ids import DepartmentId, DeviceId
from qingting.contract.layouts import Scope, ScopeAreas, ScopeDepartments, ScopeHall

HALL, KEPT = "hall", "kept"
"""All calls, or what no choice of this page can say and stays as it is."""


@dataclass(frozen=True, slots=True)
class SpeakerField:
    """``choices`` are value, Chinese and English name; those of ``hall`` and ``kept`` have none."""

    life: DeviceLife
    chosen: str
    choices: tuple[tuple[str, str, str], ...]


def fields_of(state: HallState, typed: Mapping[str, str]) -> list[SpeakerField]:
    """A field for each loudspeaker, with what was typed before what is in force."""
    areas = sorted({one.area for one in state.window_config.values() if one.area})
    places = [(f"area:{one}", one, one) for one in areas]
    places += [
        (f"department:{one.id}", one.name, one.name_en) for one in state.departments.values()
    ]
    found = []
    for life in speakers(state):
        chosen = typed.get(f"speaker-{life.id}") or _choice_of(scope_of(state, life.id))
        kept = [(KEPT, "", "")] if chosen == KEPT else []
        found.append(SpeakerField(life, chosen, ((HALL, "", ""), *places, *kept)))
    return found


def _choice_of(scope: Scope) -> str:
    match scope:
        case ScopeHall():
            return HALL
        case ScopeAreas(areas=(area,)):
            return f"area:{area}"
        case ScopeDepartments(departments=(department,)):
            return f"department:{department}"
        case _:
            return KEPT


def scopes_of(state: HallState, typed: Mapping[str, str]) -> dict[DeviceId, Scope]:
    """What was chosen, for the configuration; a loudspeaker without a choice keeps what it has."""
    found: dict[DeviceId, Scope] = {}
    for life in speakers(state):
        kind, _, name = typed.get(f"speaker-{life.id}", KEPT).partition(":")
        scope = scope_of(state, life.id)
        if kind == HALL:
            scope = ScopeHall()
        elif kind == "area":
            scope = ScopeAreas(areas=(name,))
        elif kind == "department":
            scope = ScopeDepartments(departments=(DepartmentId(name),))
        if not isinstance(scope, ScopeHall):
            found[life.id] = scope
    return found
