"""The halls and the shapes of day that ``qingting bench forecast`` runs through, as plain data.

Times are minutes since midnight, durations minutes. Configured (``typical``) and true durations
differ as they do in real halls. Nothing here is known to the forecaster but what
a hall's configuration and its roster say.
"""

from dataclasses import dataclass, field

OPENS, TICKETS_UNTIL, CLOSES, LAST_CALL = 510.0, 1010.0, 1020.0, 1035.0
"""08:30, 16:50, 17:00, and 17:15: until then clerks call who still waits, the rest is sent home."""
LUNCH_EARLY, LUNCH_LATE = (690.0, 750.0), (750.0, 810.0)


@dataclass(frozen=True)
class TrueItem:
    """A service item. ``law``: gamma, lognormal, or ``two_ways`` (papers incomplete: a quarter of the time)."""

    name: str
    queue: str
    typical: float
    mean: float
    cv: float
    law: str
    share: float


@dataclass(frozen=True)
class Post:
    """A window with its clerk. ``away`` are the planned absences; ``until`` the planned end of its day."""

    name: str
    queues: tuple[str, ...]
    clerk: str
    away: tuple[tuple[float, float], ...] = ()
    until: float = CLOSES


@dataclass(frozen=True)
class Layout:
    name: str
    items: tuple[TrueItem, ...]
    posts: tuple[Post, ...]
    speeds: dict[str, float] = field(default_factory=dict)
    """True factor on a clerk's durations, by clerk; 1 for those not named."""


@dataclass(frozen=True)
class Shape:
    """One kind of day. ``load`` is offered work over capacity by hour of the day, from 08:30 on."""

    name: str
    layout: Layout
    load: tuple[float, ...]
    booked: float = 0.0
    """Share of the visitors who have an appointment."""
    priority: float = 0.05
    """Share of visitors who go first by law."""
    absent: float = 0.05
    """Probability not to be there when called; grows with the wait."""
    pauses: float = 0.12
    """Unplanned pauses of a window in an hour."""


COUNTY_ITEMS = (
    TrueItem("insurance-query", "insurance", 5, 4, 0.5, "gamma", 0.16),
    TrueItem("insurance-enrol", "insurance", 8, 9, 0.5, "lognormal", 0.10),
    TrueItem("insurance-transfer", "insurance", 15, 19, 0.6, "two_ways", 0.05),
    TrueItem("tax-invoice", "tax", 6, 5, 0.45, "gamma", 0.16),
    TrueItem("tax-register", "tax", 12, 15, 0.5, "two_ways", 0.07),
    TrueItem("tax-refund", "tax", 20, 24, 0.5, "lognormal", 0.03),
    TrueItem("estate-query", "estate", 5, 6, 0.5, "gamma", 0.05),
    TrueItem("estate-transfer", "estate", 25, 22, 0.4, "two_ways", 0.06),
    TrueItem("estate-first", "estate", 25, 30, 0.4, "lognormal", 0.04),
    TrueItem("licence", "general", 10, 12, 0.6, "two_ways", 0.10),
    TrueItem("residence", "general", 8, 7, 0.5, "gamma", 0.12),
    TrueItem("stamp", "general", 5, 3, 0.6, "lognormal", 0.06),
)
COUNTY_POSTS = (
    Post("w1", ("insurance",), "an", (LUNCH_EARLY,)),
    Post("w2", ("insurance",), "bo", (LUNCH_LATE,)),
    Post("w3", ("tax",), "chen", (LUNCH_EARLY,)),
    Post("w4", ("tax",), "du", (LUNCH_LATE,)),
    Post("w5", ("estate",), "fan", (LUNCH_EARLY,)),
    Post("w6", ("estate",), "gao", (LUNCH_LATE,)),
    Post("w7", ("general", "insurance"), "han", (LUNCH_EARLY,)),
    Post("w8", ("general", "tax"), "ji", (LUNCH_LATE,)),
    Post("w9", ("general",), "kong", (LUNCH_LATE,)),
)
SPEEDS = {"an": 0.9, "bo": 1.1, "chen": 1.05, "fan": 0.95, "han": 1.1, "ji": 0.9}
WIDE_SPEEDS = {
    "an": 0.65,
    "bo": 1.5,
    "chen": 0.7,
    "du": 1.4,
    "fan": 0.8,
    "gao": 1.3,
    "han": 1.25,
    "ji": 0.75,
}
COUNTY = Layout("county", COUNTY_ITEMS, COUNTY_POSTS, SPEEDS)

TOWN_ITEMS = (
    TrueItem("pension", "benefits", 8, 10, 0.5, "lognormal", 0.3),
    TrueItem("subsidy", "benefits", 12, 14, 0.6, "two_ways", 0.2),
    TrueItem("household", "papers", 6, 5, 0.5, "gamma", 0.3),
    TrueItem("permit", "papers", 12, 16, 0.5, "lognormal", 0.2),
)
TOWN_POSTS = (
    Post("w1", ("benefits", "papers"), "liu", (LUNCH_EARLY,)),
    Post("w2", ("papers", "benefits"), "ma", (LUNCH_LATE,)),
    Post("w3", ("papers",), "niu", (LUNCH_EARLY,)),
    Post("w4", ("benefits",), "pan", (LUNCH_LATE,)),
)
TOWN = Layout("town", TOWN_ITEMS, TOWN_POSTS, {"liu": 0.9, "niu": 1.15})

MIXED_ITEMS = (
    TrueItem("stamp", "all", 3, 2.5, 0.5, "gamma", 0.35),
    TrueItem("certificate", "all", 8, 7, 0.5, "gamma", 0.30),
    TrueItem("licence", "all", 15, 18, 0.5, "two_ways", 0.20),
    TrueItem("estate", "all", 30, 40, 0.4, "lognormal", 0.15),
)
MIXED = Layout(
    "one queue",
    MIXED_ITEMS,
    tuple(
        Post(f"w{n}", ("all",), f"clerk{n}", ((LUNCH_EARLY, LUNCH_LATE)[n % 2],))
        for n in range(1, 7)
    ),
    {"clerk1": 0.85, "clerk4": 1.2},
)
NOON = Layout(
    "county, three windows close at noon",
    COUNTY_ITEMS,
    tuple(
        Post(one.name, one.queues, one.clerk, (), 720.0) if one.name in ("w2", "w4", "w9") else one
        for one in COUNTY_POSTS
    ),
    SPEEDS,
)
NO_LUNCH = Layout(
    "county, no lunch break",
    COUNTY_ITEMS,
    tuple(Post(one.name, one.queues, one.clerk) for one in COUNTY_POSTS),
    SPEEDS,
)
WIDE = Layout("county, slow and fast clerks", COUNTY_ITEMS, COUNTY_POSTS, WIDE_SPEEDS)

DISTRICT_ITEMS = (
    TrueItem("insurance-query", "insurance", 4, 3.5, 0.5, "gamma", 0.10),
    TrueItem("insurance-enrol", "insurance", 8, 10, 0.5, "lognormal", 0.08),
    TrueItem("tax-invoice", "tax", 5, 5, 0.5, "gamma", 0.12),
    TrueItem("tax-register", "tax", 15, 13, 0.5, "two_ways", 0.06),
    TrueItem("estate-query", "estate", 6, 5, 0.5, "gamma", 0.06),
    TrueItem("estate-transfer", "estate", 25, 28, 0.4, "two_ways", 0.09),
    TrueItem("police-card", "police", 6, 7, 0.4, "gamma", 0.14),
    TrueItem("police-move", "police", 12, 16, 0.5, "lognormal", 0.05),
    TrueItem("business-licence", "business", 15, 14, 0.5, "two_ways", 0.10),
    TrueItem("business-change", "business", 10, 9, 0.5, "gamma", 0.08),
    TrueItem("residence", "general", 8, 6, 0.5, "gamma", 0.08),
    TrueItem("stamp", "general", 4, 3, 0.6, "lognormal", 0.04),
)
DISTRICT_WINDOWS = (
    *((queue,) for queue in ("insurance", "tax", "estate", "police", "business") for _ in range(3)),
    ("estate",),
    ("insurance", "general"),
    ("tax", "general"),
    ("business", "general"),
    ("police", "general"),
    ("general", "insurance"),
    ("general",),
)
DISTRICT = Layout(
    "district, 22 windows",
    DISTRICT_ITEMS,
    tuple(
        Post(f"w{n}", queues, f"clerk{n}", ((LUNCH_EARLY, LUNCH_LATE)[n % 2],))
        for n, queues in enumerate(DISTRICT_WINDOWS, start=1)
    ),
    {f"clerk{n}": 0.8 + 0.4 * (n * 7 % 22) / 21 for n in range(1, 23)},
)

QUIET_LOAD = (0.5, 0.6, 0.6, 0.5, 0.4, 0.5, 0.6, 0.5, 0.4)
PEAKS_LOAD = (1.1, 1.45, 1.0, 0.6, 0.5, 1.2, 1.35, 0.8, 0.4)
CLOSING_LOAD = (0.8, 0.9, 0.9, 0.7, 0.7, 1.1, 1.4, 1.6, 0.9)
LUNCH_LOAD = (0.8, 0.9, 0.9, 0.9, 0.7, 0.9, 0.9, 0.7, 0.4)
BUSY_LOAD = (1.1, 1.2, 1.0, 0.7, 0.6, 1.0, 1.1, 0.9, 0.4)
NOON_LOAD = (1.0, 1.1, 1.0, 0.8, 0.5, 0.6, 0.6, 0.5, 0.3)

SHAPES = (
    Shape("quiet", COUNTY, QUIET_LOAD),
    Shape("two peaks", NO_LUNCH, PEAKS_LOAD),
    Shape("full before closing", COUNTY, CLOSING_LOAD),
    Shape("lunch with half the windows", COUNTY, LUNCH_LOAD),
    Shape("short and long items mixed", MIXED, BUSY_LOAD),
    Shape("slow and fast clerks", WIDE, BUSY_LOAD),
    Shape("appointments and walk-ins", COUNTY, BUSY_LOAD, booked=0.35),
    Shape("many who do not come", TOWN, BUSY_LOAD, absent=0.22),
    Shape("many who go first", TOWN, BUSY_LOAD, priority=0.22),
    Shape("windows close at noon", NOON, NOON_LOAD),
    Shape("large hall", DISTRICT, BUSY_LOAD, booked=0.1),
)
