"""How the detail of each act of the audit is read: code words become the words of the pages that show the same.

The audit itself is kept for good and says what the program said (:mod:`console.modules.privacy.audit_words`). Every act
with a detail stands here, among :data:`READERS` or, where the detail is words of people, a name or a number, in
:data:`PLAIN`; a test asks for it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol

import msgspec

from qingting.contract.conditions import condition_texts
from qingting.contract.errors import error_texts, sentence
from qingting.contract.states import Condition, Language


class Text(Protocol):
    """A text in the reader's language."""

    def __call__(self, key: str, /, **params: object) -> str: ...


@dataclass(frozen=True, slots=True)
class Words:
    """What a reader of details needs: texts in a language, and the city's time."""

    t: Text
    has: Callable[[str], bool]
    language: Language = Language.ZH
    zone: tzinfo = UTC

    def known(self, *keys: str, otherwise: str = "") -> str:
        """The first of these texts that there is."""
        return next((self.t(key) for key in keys if self.has(key)), otherwise)

    def code(self, prefix: str, value: str) -> str:
        """A code by its text; one that is unknown stays what it is."""
        return self.known(f"{prefix}.{value}", otherwise=value)

    def codes(self, prefix: str, values: Sequence[str]) -> str:
        found = [self.code(prefix, one) for one in values if one]
        return self.t("audit.and").join(found) if found else self.t("audit.none_of_it")

    def pair(self, name: str, value: object) -> str:
        return self.t("audit.pair", name=name, value=value)

    def row(self, *parts: str) -> str:
        return self.t("audit.then").join(one for one in parts if one)

    def version(self, no: str) -> str:
        return self.t("audit.version_n", n=int(no)) if no.isdecimal() else no

    def moment(self, ms: str) -> str:
        return f"{datetime.fromtimestamp(int(ms) / 1000, self.zone):%Y-%m-%d %H:%M}"

    def error(self, code: str) -> str:
        if code in error_texts():
            return sentence(code, {}, self.language)
        return self.code("rollout.why", code)


Reader = Callable[[str, Words], str]
"""Gives the words, or nothing for a detail that is not of the form it knows."""


def coded(prefix: str) -> Reader:
    """The whole detail is one code."""
    return lambda detail, w: w.known(f"{prefix}.{detail}")


def formed(pattern: str, say: Callable[[Words, re.Match[str]], str]) -> Reader:
    """A detail of a form; ``say`` gets what was found."""
    form = re.compile(pattern, re.DOTALL)

    def read(detail: str, w: Words) -> str:
        found = form.fullmatch(detail)
        return say(w, found) if found else ""

    return read


def _version(detail: str, w: Words) -> str:
    number = detail.removeprefix("version ")
    return w.version(number) if number.isdecimal() else ""


def _taken_out(w: Words, found: re.Match[str]) -> str:
    """Rows, kind of file, and which list: by its name, or the caption and the address of its page."""
    what = found["rest"].strip()
    if what.startswith("/"):
        path, _, caption = what.partition(" ")
        what = f"{caption} {path}".strip()
    elif "=" in what:
        pairs = [one.partition("=")[::2] for one in what.split("&")]
        what = w.row(*(_filter(w, name, value) for name, value in pairs))
    else:
        what = w.code("audit.list", what)
    return w.row(w.t("audit.rows", n=int(found["n"])), w.code("audit.file", found["kind"]), what)


def _filter(w: Words, name: str, value: str) -> str:
    said = w.known(f"device.state.{value}", f"filter.{value}", otherwise=_value(w, value))
    return w.pair(w.code("audit.filter", name), said)


def _flags(detail: str, w: Words) -> str:
    pairs = [one.partition("=")[::2] for one in detail.split()]
    if not pairs or not all(w.has(f"catalogue.{name}") for name, _ in pairs):
        return ""
    yes = {"True": "catalogue.yes", "False": "catalogue.no"}
    return w.row(*(w.pair(w.t(f"catalogue.{name}"), w.t(yes[value])) for name, value in pairs))


def _decided(detail: str, w: Words) -> str:
    if not all("=" in one for one in detail.split()):
        return ""
    pairs = [one.partition("=")[::2] for one in detail.split()]
    said = (
        w.pair(w.code("catalogue.field", name), w.code("audit.side", side)) for name, side in pairs
    )
    return w.row(*said)


def _draft(w: Words, found: re.Match[str]) -> str:
    """What was saved: a part, a former save, what was in force, or a note."""
    no, what = w.t("audit.saved_n", n=int(found["n"])), found["part"]
    if re.fullmatch(r"#\d+", what):
        return w.row(no, w.t("conf.back_to_part", n=int(what[1:])))
    return w.row(no, w.known(f"conf.part.{what}", f"audit.saved.{what}", otherwise=what))


def _answered(w: Words, found: re.Match[str]) -> str:
    """What became of a request: by holder how many records, those that had to stay, and how many halls were told."""
    counts = msgspec.json.decode(found["counts"], type=dict[str, int])
    said = [w.t(f"request.kind.{found['kind']}")]
    for name, n in counts.items():
        holder = name.removesuffix(".kept")
        named = w.t("request.hall") if name == "halls" else w.code("personal.holder", holder)
        named = w.t("audit.kept", what=named) if name != holder else named
        said += [w.pair(named, n)] if n else []
    return w.row(*said)


def _asked(w: Words, found: re.Match[str]) -> str:
    reason = w.pair(w.code("personal.reason", found["reason"]), found["words"])
    return w.row(w.code("export.kind", found["kind"]), w.t("audit.rows", n=int(found["n"])), reason)


def _integrator(w: Words, found: re.Match[str]) -> str:
    kind, _, target = found["reach"].partition(":")
    where = w.pair(w.code("reach", kind), target) if target else w.code("reach", kind)
    quota = w.t("integrator.quota_words", minute=found["minute"], day=found["day"])
    networks = w.pair(w.t("integrator.networks"), found["networks"])
    scopes = w.t("audit.and").join(found["scopes"].split())
    return w.row(w.pair(w.t("integrator.scopes"), scopes), where, quota, networks)


def _rollout(detail: str, w: Words) -> str:
    """Why something did not go well, and which batch; the first one is written as nothing."""
    code, _, wave = detail.rpartition(" ") if " " in detail else (detail, "", "")
    if detail.isdecimal():
        code, wave = "", detail
    return w.row(w.error(code) if code else "", w.t("audit.wave", n=int(wave) + 1) if wave else "")


def _kept_rule(detail: str, w: Words) -> str:
    """An alarm's rule or receiver: its version, and what it says by the words of its form."""
    found = re.fullmatch(r"(\d+) (?:mails=(\d+) webhook=(\d) )?(\{.*\})", detail, re.DOTALL)
    if found is None:
        return ""
    body: dict[str, Any] = msgspec.json.decode(found[4])
    said = [w.version(found[1])]
    if found[2] is not None:
        said.append(w.pair(w.t("audit.mails"), found[2]))
        said.append(w.pair(w.t("alarm.receiver.webhook"), _yes(w, found[3] == "1")))
    for name, value in body.items():
        if w.has(f"audit.rule.{name}") and value not in ("", []):
            said.append(w.pair(w.t(f"audit.rule.{name}"), _value(w, value)))
    return w.row(*said)


def _yes(w: Words, value: bool) -> str:
    return w.t("catalogue.yes" if value else "catalogue.no")


def _value(w: Words, value: object) -> str:
    if isinstance(value, bool):
        return _yes(w, value)
    if isinstance(value, list):
        return w.t("audit.and").join(_value(w, one) for one in value)
    text = str(value)
    if text in set(Condition):
        said = condition_texts()[Condition(text)]
        return said.zh if w.language is Language.ZH else said.en
    return w.known(
        *(f"{one}.{text}" for one in ("alarm.what", "severity", "kind", "alarm.form")),
        otherwise=text,
    )


_LIST = formed(r"(?P<n>\d+) (?P<kind>xlsx|csv)(?P<rest>.*)", _taken_out)
_COUNTS = r"(?P<kind>copy|correct|erase) (?P<counts>\{.*\})"
_WISH = r"(?P<kind>\S+) (?P<n>\d+) (?P<reason>\w+): (?P<words>.*)"
_ACCESS = r"(?P<scopes>.*?) ?(?P<reach>\w+:\S*) (?P<minute>\d+)/min (?P<day>\d+)/day networks=(?P<networks>\d+)"
_ANSWERED = formed(_COUNTS, _answered)
_ACCESSED = formed(_ACCESS, _integrator)
READERS: Mapping[str, Reader] = {
    **dict.fromkeys(("audit.export", "devices.export", "list.export"), _LIST),
    **dict.fromkeys(("request.done", "request.refused", "request.completed"), _ANSWERED),
    **dict.fromkeys(("integrator.made", "integrator.put"), _ACCESSED),
    **dict.fromkeys(("notice.wording", "notice.rules", "appointment.rule_put"), _version),
    "account.disabled": formed(r"unused (\d+)", lambda w, f: w.t("audit.unused", n=int(f[1]))),
    "alarm.receiver": _kept_rule,
    "alarm.rule": _kept_rule,
    "appointment.cancelled": coded("appointments.reason"),
    "backup.exchange": formed(r"before=(.*)", lambda w, f: w.pair(w.t("restored.before"), f[1])),
    "calendar.day_put": coded("calendar.edit"),
    "catalogue.draft_put": coded("catalogue.origin"),
    "catalogue.flags_put": _flags,
    "catalogue.four_eyes_put": coded("audit.switch"),
    "catalogue.published": formed(
        r"(\d+) (\S+)", lambda w, f: w.row(w.version(f[1]), w.t("audit.from_day", day=f[2]))
    ),
    "catalogue.sync_decide": _decided,
    "catalogue.sync_rules": formed(
        r"trusted=(\S*) withdrawn=(\d+)%",
        lambda w, f: w.row(
            w.pair(w.t("sync.trust"), w.codes("sync.group", f[1].split(","))),
            w.pair(w.t("sync.most_withdrawn"), f[2]),
        ),
    ),
    "catalogue.theme_moved": formed(r"(\d+)", lambda w, f: w.t("audit.place", n=int(f[1]) + 1)),
    "config.draft": formed(r"revision (?P<n>\d+) (?P<part>.*)", _draft),
    **dict.fromkeys(
        ("config.publish", "config.withdraw"),
        formed(
            r"version (\d+) directive (\d+)",
            lambda w, f: w.row(w.version(f[1]), w.t("audit.directive_n", n=int(f[2]))),
        ),
    ),
    "device.act": formed(
        r"\S+ (\S+) ?(.*)",
        lambda w, f: w.row(w.code("act", f[1]), f[2]) if w.has(f"act.{f[1]}") else "",
    ),
    "export.asked": formed(_WISH, _asked),
    "export.fetched": formed(
        r"(\S+) (\d+)",
        lambda w, f: w.row(w.code("export.kind", f[1]), w.t("audit.rows", n=int(f[2]))),
    ),
    **dict.fromkeys(
        ("hall.fork_accept", "hall.fork_reject"),
        formed(
            r"city (\S+) hall (\S+)",
            lambda w, f: w.row(
                w.pair(w.t("audit.of_city"), f[1]), w.pair(w.t("audit.of_hall"), f[2])
            ),
        ),
    ),
    "maintenance.begun": formed(
        r"(\d+) (\d+)-(\d+) (.*)",
        lambda w, f: w.row(
            w.t("audit.no_n", n=int(f[1])), f"{w.moment(f[2])}–{w.moment(f[3])}", f[4]
        ),
    ),
    "maintenance.ended": formed(r"(\d+)", lambda w, f: w.t("audit.no_n", n=int(f[1]))),
    **dict.fromkeys(
        ("network.opened", "notice.parked_sent", "notice.parked_dropped"),
        formed(r"(\d+)", lambda w, f: w.t("audit.rows", n=int(f[1]))),
    ),
    "notice.tried": formed(
        r"(.*) (\d+)", lambda w, f: w.row(f[1], w.t("audit.segments", n=int(f[2])))
    ),
    "personal.alarm_acked": formed(
        r"(\d+) (.*)", lambda w, f: w.pair(w.t("audit.no_n", n=int(f[1])), f[2])
    ),
    "personal.shown": formed(
        r"(\w+): (.*)", lambda w, f: w.pair(w.code("personal.reason", f[1]), f[2])
    ),
    "profiles.put": formed(r"(\d+) files", lambda w, f: w.t("release.files", n=int(f[1]))),
    "release.put": formed(
        r"(\S+) (\S+) (\S+)", lambda w, f: w.row(w.code("rollout.what", f[1]), f[2], f[3])
    ),
    "request.received": coded("request.kind"),
}
"""Acts whose detail has code words, or numbers that say nothing by themselves."""
PLAIN = frozenset(
    {
        *("account.created", "account.first", "staff.add", "staff.change"),
        *("alarm.acknowledged", "alarm.cleared", "appointment.ban_lifted", "appointment.moved"),
        *("appointment.breach_forgiven", "appointment.listed_black", "appointment.listed_white"),
        *("calendar.year_put", "catalogue.pattern_put", "catalogue.theme_put"),
        *("department.add", "department.change"),
        *("division.add", "division.change", "division.drop", "division.rename"),
        *("export.approved", "export.rejected", "hall.place", "job.file"),
        *("network.added", "network.dropped", "notice.paused", "notice.resumed", "photo.put"),
        *("request.hall_gone", "webhook.pause", "webhook.ping", "webhook.repeat", "webhook.resume"),
    }
)
"""Acts whose detail is what a person wrote, a name, a day, a code that people use, or what tells one thing from another."""


def read(act: str, detail: str, w: Words) -> str:
    """The detail of an act in words; nothing where it is not of the form that its act has."""
    reader = _rollout if act.startswith("rollout.") else READERS.get(act)
    try:
        return reader(detail, w) if reader is not None else ""
    except (ValueError, KeyError, msgspec.DecodeError):
        return ""
