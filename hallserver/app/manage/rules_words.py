"""Calling rules in sentences, and what one version changed against another. Gives text keys, never text."""

from typing import Any, NamedTuple

import msgspec

from qingting.contract.rules import (
    Between,
    CallCondition,
    CalledFewer,
    CallingRules,
    LineAtLeast,
    Place,
    RuleTest,
    WaitingOver,
)


class Said(NamedTuple):
    """A text key with its parameters."""

    key: str
    params: dict[str, Any]


class Names(NamedTuple):
    """Names of classes and queues in the reader's language."""

    classes: dict[str, str]
    queues: dict[str, str]
    english: bool

    def of(self, classes: tuple[str, ...], queues: tuple[str, ...]) -> str:
        """Whom a condition means; empty: everybody."""
        named = [self.classes.get(one, one) for one in classes]
        named += [self.queues.get(one, one) for one in queues]
        return (", " if self.english else "、").join(named)


def steps_of(rules: CallingRules, names: Names) -> list[list[Said]]:
    """The steps of the choice in their order, each as sentences."""
    bound, cap = rules.max_delay_minutes, rules.priority_in_a_row
    return [
        [Said("rules.say.sent", {})],
        [Said("rules.say.bound", {"n": bound}) if bound else Said("rules.say.no_bound", {})],
        [_condition(one, names) for one in rules.conditions]
        or [Said("rules.say.no_conditions", {})],
        [Said("rules.say.cap", {"n": cap}) if cap else Said("rules.say.no_cap", {})],
        [
            Said(
                "rules.say.ratio",
                {
                    "a": one.a,
                    "b": one.b,
                    "first": names.classes.get(one.first, one.first),
                    "second": names.classes.get(one.second, one.second),
                },
            )
            for one in rules.ratios
        ]
        or [Said("rules.say.no_ratios", {})],
        [Said("rules.say.score", {})],
    ]


def _condition(one: CallCondition, names: Names) -> Said:
    return Said(
        "rules.say.condition",
        {
            "name": one.name_en if names.english and one.name_en else one.name,
            "when": [_test(test, names) for test in one.when],
            "who": names.of(one.classes, one.queues),
        },
    )


def _test(test: RuleTest, names: Names) -> Said:
    match test:
        case WaitingOver(minutes=minutes, classes=classes, queues=queues):
            return Said("rules.say.waiting_over", {"n": minutes, "who": names.of(classes, queues)})
        case LineAtLeast(people=people, classes=classes, queues=queues):
            return Said("rules.say.line_at_least", {"n": people, "who": names.of(classes, queues)})
        case CalledFewer(classes=classes, than=than, of=of):
            return Said(
                "rules.say.called_fewer", {"n": than, "of": of, "who": names.of(classes, ())}
            )
        case Between(period=period):
            return Said("rules.say.between", {"start": period.start, "end": period.end})


def others_of(rules: CallingRules) -> list[Said]:
    """Everything beside the choice."""
    on_time, back = rules.punctuality, rules.returning
    said = [
        Said(
            "rules.say.punctuality", {"early": on_time.early_minutes, "late": on_time.late_minutes}
        ),
        Said("rules.say.no_second_chance", {})
        if not back.second_chances
        else Said(
            "rules.say.second_chance",
            {"n": back.second_chances, "minutes": back.within_minutes, "people": back.after_people},
        ),
        Said(f"rules.say.parked_{Place(back.parked).value}", {}),
        Said(f"rules.say.chained_{Place(back.chained).value}", {}),
        Said("rules.say.recall", {"n": rules.recall_pause_seconds}),
    ]
    if rules.max_calls:
        said.append(Said("rules.say.max_calls", {"n": rules.max_calls}))
    return said


class Change(NamedTuple):
    """One field of two versions; ``before`` and ``after`` are empty for lists, whose content is too long."""

    key: str
    before: str
    after: str


def changes(before: CallingRules, after: CallingRules) -> list[Change]:
    """What ``after`` changed, the version number left out."""
    found = []
    one, other = _flat(before), _flat(after)
    for name in one:
        if one[name] != other[name] and name != "version":
            plain = not isinstance(one[name], list | tuple)
            found.append(
                Change(
                    f"rules.f.{name}",
                    str(one[name]) if plain else "",
                    str(other[name]) if plain else "",
                )
            )
    return found


def _flat(rules: CallingRules) -> dict[str, Any]:
    raw: dict[str, Any] = msgspec.to_builtins(rules)
    return {
        name: value
        for part in (raw, raw.pop("punctuality"), raw.pop("returning"))
        for name, value in part.items()
    }
