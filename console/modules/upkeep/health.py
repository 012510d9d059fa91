"""How the parts of the city do, from figures. Pure: what is gathered is judged here."""

from collections.abc import Iterator
from dataclasses import dataclass

from console.halls.api import HallStatus, LinkState
from console.modules.upkeep.api import Health, HealthState

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
BACKUP_LATE_MS, BACKUP_FAULT_MS = 26 * HOUR_MS, 50 * HOUR_MS
CLOCK_OFF_MS = 30_000
EVENTS_BEHIND = 5000
LOW_DISK, FULL_DISK = 15, 5
CERTIFICATE_DAYS = 30
KEY_DAYS = 400
OK, CAUTION, FAULT, UNKNOWN = HealthState


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was found. Ages in milliseconds, None: never or not known. ``disks``: percent free by path;
    ``certificate_days``: until it ends, ``key_age_days``: since the key file was changed. ``same_disk``: backups lie where
    the city's data does; ``restored``: the state that the city was restored to lately, empty for none; ``besides``: names and
    bytes of databases that were the city, or were to become it."""

    now: int
    ping_ms: int
    database_mb: int
    connections: int
    most_connections: int
    halls: tuple[HallStatus, ...]
    behind: int
    slowest: str
    parked: int
    jobs_waiting_ms: int | None
    jobs_failed: int
    channels: tuple[str, ...]
    given_up: int
    disks: tuple[tuple[str, int], ...]
    certificate_days: int | None
    key_age_days: int | None
    version: str
    backup_on: bool
    backup_age_ms: int | None
    drill_age_ms: int | None
    drill_good: bool
    drill_days: int
    same_disk: bool = False
    restored: str = ""
    besides: tuple[tuple[str, int], ...] = ()


def judged(figures: Figures) -> list[Health]:
    """Every part, in the order in which one looks."""
    return [
        _database(figures),
        _projectors(figures),
        _halls(figures),
        _clocks(figures),
        _jobs(figures),
        _channels(figures),
        *_disks(figures),
        _certificate(figures),
        _keys(figures),
        _version(figures),
        _backup(figures),
        _drill(figures),
        *_restored(figures),
    ]


def worst(parts: list[Health]) -> HealthState:
    states = {one.state for one in parts}
    return next((one for one in (FAULT, CAUTION) if one in states), OK)


def _part(
    name: str, state: HealthState, says: str = "", todo: bool | None = None, **params: str | int
) -> Health:
    act = state in (CAUTION, FAULT) if todo is None else todo
    return Health(
        name=name,
        state=state,
        says=f"health.{name}.{says or 'says'}",
        params=params,
        todo=f"health.{name}.todo" if act else "",
    )


def _database(f: Figures) -> Health:
    crowded = f.connections * 10 > f.most_connections * 9
    state = FAULT if crowded else CAUTION if f.ping_ms > 500 else OK
    used, most = f.connections, f.most_connections
    return _part("database", state, ms=f.ping_ms, mb=f.database_mb, used=used, most=most)


def _projectors(f: Figures) -> Health:
    if f.parked:
        return _part("projectors", FAULT, "parked", n=f.parked)
    late = f.behind > EVENTS_BEHIND
    says = "" if f.behind else "even"
    return _part("projectors", CAUTION if late else OK, says, n=f.behind, slowest=f.slowest or "—")


def _halls(f: Figures) -> Health:
    away = [one for one in f.halls if one.state is LinkState.OFFLINE]
    bad = [one for one in f.halls if one.state is LinkState.QUARANTINED or one.stalled(f.now)]
    state = FAULT if bad else CAUTION if away else OK
    return _part("halls", state, all=len(f.halls), away=len(away), bad=len(bad))


def _clocks(f: Figures) -> Health:
    known = [one for one in f.halls if one.state is LinkState.ONLINE]
    if not known:
        return _part("clocks", UNKNOWN, "unknown")
    far = max(known, key=lambda one: abs(one.clock_offset_ms))
    off = abs(far.clock_offset_ms)
    state = CAUTION if off > CLOCK_OFF_MS else OK
    name, name_en, seconds = far.name, far.name_en or far.name, off // 1000
    return _part(
        "clocks", state, seconds=seconds, hall=far.id, hall_name=name, hall_name_en=name_en
    )


def _jobs(f: Figures) -> Health:
    waiting = f.jobs_waiting_ms or 0
    state = (
        FAULT if waiting > HOUR_MS else CAUTION if f.jobs_failed or waiting > 10 * MINUTE_MS else OK
    )
    return _part("jobs", state, failed=f.jobs_failed, minutes=waiting // MINUTE_MS)


def _channels(f: Figures) -> Health:
    if not f.channels:
        return _part("channels", UNKNOWN, "none", todo=True)
    state = CAUTION if f.given_up else OK
    names = " ".join(f.channels)
    return _part("channels", state, names=names, count=len(f.channels), n=f.given_up)


def _disks(f: Figures) -> Iterator[Health]:
    if not f.disks:
        yield _part("disk", UNKNOWN, "unknown")
        return
    path, free = min(f.disks, key=lambda one: one[1])
    state = FAULT if free < FULL_DISK else CAUTION if free < LOW_DISK else OK
    yield _part("disk", state, path=path, free=free)


def _certificate(f: Figures) -> Health:
    days = f.certificate_days
    if days is None:
        return _part("certificate", UNKNOWN, "unknown")
    return _part(
        "certificate", FAULT if days < 1 else CAUTION if days < CERTIFICATE_DAYS else OK, days=days
    )


def _keys(f: Figures) -> Health:
    if f.key_age_days is None:
        return _part("keys", UNKNOWN, "unknown")
    return _part("keys", CAUTION if f.key_age_days > KEY_DAYS else OK, days=f.key_age_days)


def _version(f: Figures) -> Health:
    builds = {one.build for one in f.halls if one.build}
    says = "" if builds else "alone"
    return _part("version", OK, says, version=f.version, builds=", ".join(sorted(builds)))


def _backup(f: Figures) -> Health:
    if not f.backup_on and f.backup_age_ms is None:
        return _part("backup", CAUTION, "off")
    if f.backup_age_ms is None:
        return _part("backup", FAULT, "never")
    age = f.backup_age_ms
    state = FAULT if age > BACKUP_FAULT_MS else CAUTION if age > BACKUP_LATE_MS else OK
    says = "" if age >= HOUR_MS else "fresh"
    if f.same_disk and state is OK:
        says = "same_disk"
    return _part("backup", state, says, hours=age // HOUR_MS)


def _drill(f: Figures) -> Health:
    if f.drill_age_ms is None:
        return _part("drill", CAUTION if f.backup_on else UNKNOWN, "never", todo=True)
    if not f.drill_good:
        return _part("drill", FAULT, "failed")
    late = f.drill_days > 0 and f.drill_age_ms > 2 * f.drill_days * DAY_MS
    days = f.drill_age_ms // DAY_MS
    return _part("drill", CAUTION if late else OK, "" if days else "fresh", days=days)


def _restored(f: Figures) -> Iterator[Health]:
    """Only where there is something to tell."""
    names = ", ".join(name for name, _ in f.besides)
    mb = sum(size for _, size in f.besides) // 1_000_000
    if f.restored and f.besides:
        yield _part("restored", OK, "kept", todo=True, time=f.restored, names=names, mb=mb)
    elif f.restored:
        yield _part("restored", OK, time=f.restored)
    elif f.besides:
        yield _part("restored", OK, "beside", todo=True, names=names, mb=mb)
