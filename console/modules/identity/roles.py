"""Roles as data, and the pure rules of who may give which role where."""

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.resources import files

import msgspec

from console.core.permissions import (
    CITY_WIDE,
    NOWHERE,
    Duty,
    Permission,
    Reach,
    Scope,
    Subject,
    duties_of,
)
from console.modules.organisation.api import Chart
from qingting.contract.base import Strict
from qingting.contract.errors import Refusal
from qingting.contract.states import Language


class Role(Strict, frozen=True, kw_only=True):
    """A set of functions under a name. ``version`` 0: as it came with the program."""

    id: str
    name: str
    name_en: str
    functions: frozenset[Permission]
    version: int = 0

    def title(self, language: Language) -> str:
        return self.name if language is Language.ZH else self.name_en or self.name

    @property
    def duty(self) -> Duty | None:
        """The administrator whose functions it has. Raises ``role.duties`` for those of two."""
        found = duties_of(self.functions)
        if len(found) > 1:
            raise Refusal("role.duties")
        return next(iter(found), None)

    @property
    def fixed(self) -> bool:
        """The three administrators' own roles stay what they are."""
        return self.id in set(Duty)


@dataclass(frozen=True, slots=True)
class Assignment:
    """An account has ``role`` within ``reach``."""

    role: Role
    reach: Reach


class _RoleFile(Strict, frozen=True, kw_only=True):
    role: tuple[Role, ...]


def _read() -> tuple[Role, ...]:
    text = files("console.modules.identity").joinpath("roles.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _RoleFile).role


BUILT_IN = _read()
"""Read at import: a lookup in an event loop must not open a file."""


def grants_of(
    assignments: Iterable[Assignment], scopes: dict[Reach, Scope]
) -> dict[Permission, Scope]:
    """Where each function may be used. What belongs to all halls at once comes with the whole city alone."""
    found: dict[Permission, Scope] = {}
    for one in assignments:
        scope = scopes[one.reach]
        for function in one.role.functions:
            if scope.areas and (scope.everywhere or function not in CITY_WIDE):
                found[function] = found.get(function, NOWHERE) | scope
    return found


def may_give(giver: Subject, role: Role, reach: Reach, chart: Chart) -> bool:
    """Whoever keeps the roles gives any; others give what they have themselves, within where they have it."""
    if giver.may(Permission.ROLES):
        return True
    needed = {Permission.ACCOUNTS, *role.functions}
    return all(
        giver.may(one) and chart.covers(giver.grants.get(one, NOWHERE), reach) for one in needed
    )


def joint_duty(roles: Collection[Role]) -> Duty | None:
    """The one duty that these roles have together. Raises ``role.duties`` when they have two."""
    found = {one.duty for one in roles} - {None}
    if len(found) > 1:
        raise Refusal("role.duties")
    return next(iter(found), None)
