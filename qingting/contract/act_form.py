"""The form by which a person asks for an act, the same on the hall's and the city's pages."""

from typing import Annotated, Any

import msgspec

from qingting.contract.acts import ALLOWED, DISRUPTIVE, Action, name_of
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.ids import Slug
from qingting.contract.states import DeviceKind

_actions: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)
_KINDS = {str(kind.__struct_config__.tag): kind for kind in ALLOWED}
WITHOUT_BUTTON = frozenset({"profiles.use", "release.use"})
"""Asked on a page of its own."""


class ActForm(Strict, frozen=True, kw_only=True):
    """``do`` is the action's word; of the other fields only its own count."""

    do: Slug
    number: Annotated[str, msgspec.Meta(max_length=12)] = ""
    metres: int | None = None
    percent: int | None = None
    on: Annotated[str, msgspec.Meta(max_length=5)] = ""
    off: Annotated[str, msgspec.Meta(max_length=5)] = ""
    days: tuple[int, ...] = ()
    bundle: Annotated[str, msgspec.Meta(max_length=16)] = ""


def action_of(form: ActForm) -> Action:
    """Raises ``form.invalid`` naming the field."""
    raw: dict[str, Any] = {"do": form.do}
    match form.do:
        case "print.number":
            raw["number"] = form.number.strip().upper()
        case "paper.new":
            raw["metres"] = form.metres or 0
        case "volume.set" | "brightness.set":
            raw["percent"] = form.percent
        case "screen.on" | "screen.off":
            raw = {"do": "screen.switch", "on": form.do == "screen.on"}
        case "screen.plan":
            raw["hours"] = (
                [{"days": form.days, "on": form.on, "off": form.off}] if form.days else []
            )
        case "profiles.use":
            raw["bundle"] = form.bundle
        case _:
            pass
    try:
        return _actions.decode(msgspec.json.encode(raw))
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].strip("`") if "$." in str(error) else "do"
        raise Refusal("form.invalid", field=field.partition("[")[0]) from error


def words_for(kind: DeviceKind) -> list[tuple[str, bool]]:
    """The actions with a button for a kind of device, each with whether it is asked once more (二次确认)."""
    found: list[tuple[str, bool]] = []
    for word, action in _KINDS.items():
        if kind not in ALLOWED[action] or word in WITHOUT_BUTTON:
            continue
        if word == "screen.switch":
            found += [("screen.off", True), ("screen.on", False)]
        else:
            found.append((word, action in DISRUPTIVE))
    return found


def word_of(action: Action) -> str:
    """The word of the button that asks for an action."""
    word = name_of(action)
    if word == "screen.switch":
        return "screen.on" if getattr(action, "on", True) else "screen.off"
    return word


def extent_of(action: Action) -> str:
    """What an action says beyond its name, short and without words: ``A023``, ``60 %``, ``1-5 08:00-17:30``."""
    raw = msgspec.to_builtins(action)
    match raw["do"]:
        case "print.number":
            return str(raw["number"])
        case "paper.new":
            return f"{raw['metres']} m" if raw["metres"] else ""
        case "volume.set" | "brightness.set":
            return f"{raw['percent']} %"
        case "screen.plan":
            return " / ".join(
                f"{''.join(str(day) for day in one['days'])} {one['on']}–{one['off']}"
                for one in raw["hours"]
            )
        case "profiles.use":
            return str(raw["bundle"])
        case "release.use":
            return str(raw["release"])
        case _:
            return ""
