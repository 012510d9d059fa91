"""How long things take, learned from what happened: by item, day, clerk and hour, shrunk when data is thin.

A visit's expected length is ``typical × exp(item + today + clerk + hour)``, ``typical`` being the item's configured
minutes. An item's own visits are evidence about its level; the levels of all items say what the hall's is; and an item seen
seldom stays near the hall's (empirical Bayes). The other effects are zero until visits say otherwise. A finished
visit is taken as gamma distributed and moves what took part, each by its variance's share of what the visit makes most
likely. Between days the variances grow again, so old days fade.
"""

import math

import msgspec

from qingting.contract.ids import ItemId, Millis, StaffId

HALL_SD, ITEM_SD, TODAY_SD, CLERK_SD, HOUR_SD = 0.35, 0.45, 0.08, 0.25, 0.08
"""Prior standard deviations on the log scale: of the hall's level, of items around it (how far configured minutes
are usually off), of a day's mood, of clerks, of hours."""
ITEM_DRIFT, CLERK_DRIFT, HOUR_DRIFT = 0.03, 0.03, 0.02
"""What a night adds (standard deviation)."""
USUAL_CV = 0.65
CV_WEIGHT = 12.0
"""Coefficient of variation of a visit before data, and how many visits that is worth."""
RATIO_CAP = 5.0
"""A visit longer than five times the expected counts as five times: somebody forgot to press *finish*."""
SQUARE_LEAST = 0.01
"""No visits are so much alike that their squared coefficient of variation is less."""
HOUR_BAND = 2
"""Hours that share an effect."""
ABSENCE_WEIGHT = 15.0
"""Calls after which a quarter hour of waiting has an absence rate of its own."""
FADE = 0.7
"""What of the counted weight of means and shares is left after a night."""


class Effect(msgspec.Struct):
    """A learned deviation on the log scale with its variance."""

    mean: float
    var: float


class Evidence(msgspec.Struct):
    """What an item's own visits say of its level: precision (1/variance), and level times precision."""

    precision: float = 0.0
    total: float = 0.0


class Mean(msgspec.Struct):
    """A running mean of minutes that starts from a prior worth ``weight`` observations."""

    value: float
    weight: float

    def take(self, minutes: float, ceiling: float) -> None:
        """Counts one observation, cut at ``ceiling`` minutes."""
        self.weight += 1
        self.value += (min(max(minutes, 0.0), ceiling) - self.value) / self.weight


class Share(msgspec.Struct):
    """A learned probability: ``hits`` of ``total``, prior included."""

    hits: float
    total: float

    @property
    def value(self) -> float:
        return self.hits / self.total

    def take(self, hit: bool) -> None:
        self.hits += hit
        self.total += 1


class Spread(msgspec.Struct):
    """Squared coefficient of variation of an item's visits, prior included."""

    square: float = USUAL_CV**2
    weight: float = CV_WEIGHT


class Durations(msgspec.Struct, kw_only=True):
    """Everything a hall has learned about time. Plain data that lives in the hall's state."""

    hall: Evidence = msgspec.field(default_factory=lambda: Evidence(HALL_SD**-2))
    """What the evidence of all items says of the hall's level."""
    items: dict[ItemId, Evidence] = {}
    today: Effect = msgspec.field(default_factory=lambda: Effect(0.0, TODAY_SD**2))
    clerks: dict[StaffId, Effect] = {}
    hours: dict[int, Effect] = {}
    spreads: dict[ItemId, Spread] = {}
    walk: Mean = msgspec.field(default_factory=lambda: Mean(0.5, 10))
    """Call to begin."""
    gap: Mean = msgspec.field(default_factory=lambda: Mean(0.5, 10))
    """End of a turn to the next call while somebody waits."""
    reaction: Mean = msgspec.field(default_factory=lambda: Mean(0.3, 10))
    """Arrival to call at an idle window."""
    missed: Mean = msgspec.field(default_factory=lambda: Mean(2.0, 5))
    """Call to giving up on somebody who is not there."""
    pause: Mean = msgspec.field(default_factory=lambda: Mean(10.0, 5))
    absent: Share = msgspec.field(default_factory=lambda: Share(0.5, 10))
    """People not there when called."""
    gone: dict[int, Share] = {}
    """The same by how long they had waited (:func:`wait_band`)."""
    booked: Share = msgspec.field(default_factory=lambda: Share(8.5, 10))
    """Booked people who come."""


def observe_visit(
    learned: Durations,
    item: ItemId,
    clerk: StaffId | None,
    band: int,
    minutes: float,
    typical: float,
) -> None:
    """Learns from a finished visit of ``minutes`` begun in hour band ``band``."""
    level = item_level(learned, item)
    today = learned.today
    hour = learned.hours.get(band) or learned.hours.setdefault(band, Effect(0.0, HOUR_SD**2))
    effects = [level, today, hour]
    if clerk is not None:
        own = learned.clerks.get(clerk)
        effects.append(own or learned.clerks.setdefault(clerk, Effect(0.0, CLERK_SD**2)))
    spread = learned.spreads.get(item) or learned.spreads.setdefault(item, Spread())
    mean = known = 0.0
    for one in effects:
        mean += one.mean
        known += one.var
    ratio = min(minutes / (typical * math.exp(mean)), RATIO_CAP)
    step = _likeliest(known, 1 / spread.square, ratio) / known
    for one in effects:
        one.mean += one.var * step
        one.var -= one.var * one.var / (known + spread.square)
    _weigh(learned, item, level)
    spread.weight += 1
    spread.square += (max((ratio - 1) ** 2 - known, SQUARE_LEAST) - spread.square) / spread.weight


def item_level(learned: Durations, item: ItemId) -> Effect:
    """An item's level: its own evidence and the hall's level, each by its precision."""
    mean, prior = _hall_level(learned)
    own = learned.items.get(item)
    if own is None:
        return Effect(mean, 1 / prior)
    precision = own.precision + prior
    return Effect((own.total + mean * prior) / precision, 1 / precision)


def _hall_level(learned: Durations) -> tuple[float, float]:
    """The level of an item of which nothing is known, and its precision."""
    hall = learned.hall
    return hall.total / hall.precision, 1 / (ITEM_SD**2 + 1 / hall.precision)


def _weigh(learned: Durations, item: ItemId, level: Effect) -> None:
    """Takes what is now known of an item's level into its evidence, and that into the hall's level."""
    mean, prior = _hall_level(learned)
    precision = 1 / level.var
    own = Evidence(precision - prior, level.mean * precision - mean * prior)
    former, hall = _share(learned.items.get(item)), learned.hall
    learned.items[item] = own
    part = _share(own)
    hall.precision += part.precision - former.precision
    hall.total += part.total - former.total


def _share(own: Evidence | None) -> Evidence:
    """What an item's evidence says of the hall's level, around which items differ."""
    if own is None:
        return Evidence()
    part = 1 / (1 + ITEM_SD**2 * own.precision)
    return Evidence(own.precision * part, own.total * part)


def _likeliest(var: float, shape: float, ratio: float) -> float:
    """Log factor on the expected length after a visit of ``ratio`` times that: the mode for a normal prior with
    ``var`` and a gamma visit of ``shape``. Newton's steps come from below after the first."""
    value = 0.0
    for _ in range(4):
        pull = shape * ratio * math.exp(-value)
        value -= (value / var + shape - pull) / (1 / var + pull)
    return value


def expected_minutes(learned: Durations, item: ItemId, typical: float) -> float:
    """Mean visit of today at a clerk and an hour of no special pace."""
    return typical * math.exp(item_level(learned, item).mean + learned.today.mean)


def pace(learned: Durations, clerk: StaffId | None) -> float:
    """Factor of a clerk on every duration."""
    own = learned.clerks.get(clerk) if clerk is not None else None
    return math.exp(own.mean) if own is not None else 1.0


def hour_pace(learned: Durations, band: int) -> float:
    own = learned.hours.get(band)
    return math.exp(own.mean) if own is not None else 1.0


def variation(learned: Durations, item: ItemId) -> float:
    """Coefficient of variation of an item's visits."""
    spread = learned.spreads.get(item)
    return math.sqrt(spread.square) if spread is not None else USUAL_CV


def wait_band(minutes: float) -> int:
    """Quarter hours of waiting, an hour and more alike."""
    return min(4, int(minutes // 15))


def observe_call(learned: Durations, waited: float, came: bool) -> None:
    """Learns from somebody called after ``waited`` minutes who came to the window, or did not."""
    learned.absent.take(not came)
    band = wait_band(waited)
    own = learned.gone.get(band) or learned.gone.setdefault(band, Share(0.0, 0.0))
    own.take(not came)


def absence(learned: Durations, waited: float) -> float:
    """Probability that somebody is not there when called after ``waited`` minutes; the hall's share until
    that wait has been seen often."""
    overall = learned.absent.value
    own = learned.gone.get(wait_band(waited))
    if own is None:
        return overall
    return (own.hits + ABSENCE_WEIGHT * overall) / (own.total + ABSENCE_WEIGHT)


def night(learned: Durations) -> None:
    """The turn of the day: what was learned stays, and is a little less certain."""
    learned.today = Effect(0.0, TODAY_SD**2)
    for own in learned.items.values():
        keep = 1 / (1 + ITEM_DRIFT**2 * own.precision)
        own.precision *= keep
        own.total *= keep
    shares = [_share(own) for own in learned.items.values()]
    learned.hall = Evidence(
        HALL_SD**-2 + sum(one.precision for one in shares), sum(one.total for one in shares)
    )
    for group, drift, prior in (
        (learned.clerks, CLERK_DRIFT, CLERK_SD),
        (learned.hours, HOUR_DRIFT, HOUR_SD),
    ):
        for one in group.values():
            _widen(one, drift, prior)
    for spread in learned.spreads.values():
        spread.weight = max(CV_WEIGHT, spread.weight * FADE)
    for mean in (learned.walk, learned.gap, learned.reaction, learned.missed, learned.pause):
        mean.weight = max(5.0, mean.weight * FADE)
    for share in learned.gone.values():
        share.hits *= FADE
        share.total *= FADE
    for share in (learned.absent, learned.booked):
        keep = max(10.0, share.total * FADE) / share.total
        share.hits *= keep
        share.total *= keep


def _widen(effect: Effect, drift: float, prior: float) -> None:
    effect.var = min(effect.var + drift**2, prior**2)


def band_of(at: Millis, offset_minutes: int) -> int:
    """The hour band of an instant in a hall ``offset_minutes`` east of UTC."""
    return int((at // 60_000 + offset_minutes) // 60 % 24) // HOUR_BAND
