"""Who may do what. Checked by the service in the first line of each use case, never in a template."""

from dataclasses import dataclass
from enum import StrEnum

from qingting.contract.errors import Refusal


class Permission(StrEnum):
    """A function of the console."""

    LOOK = "look"
    HALLS_ENROL = "halls.enrol"
    HALLS_DECIDE = "halls.decide"
    AUDIT_READ = "audit.read"
    ACCOUNTS = "accounts"
    HANDS = "hands"
    """Remote hands: have a device do something."""
    WALL = "wall"
    """Look at the wall screen's page, and at nothing else."""
    WALL_TOKENS = "wall.tokens"
    """Give wall screens their codes and take them back."""
    PHOTOS = "photos"
    """Put photographs of device models."""
    ALARMS_HANDLE = "alarms.handle"
    ALARMS_RULES = "alarms.rules"
    CALENDAR = "calendar"
    """Local days of rest and work, of a division or a hall."""
    CALENDAR_YEARS = "calendar.years"
    """The country's days, year by year."""


class AdminRole(StrEnum):
    """The three administrators, mutually exclusive (三员分立, standards.md C1 item 6)."""

    SYSTEM = "system"
    SECURITY = "security"
    AUDIT = "audit"


GRANTS: dict[AdminRole, frozenset[Permission]] = {
    AdminRole.SYSTEM: frozenset(
        {
            Permission.LOOK,
            Permission.HALLS_ENROL,
            Permission.HALLS_DECIDE,
            Permission.PHOTOS,
            Permission.HANDS,
            Permission.WALL,
            Permission.WALL_TOKENS,
            Permission.ALARMS_HANDLE,
            Permission.ALARMS_RULES,
            Permission.CALENDAR,
            Permission.CALENDAR_YEARS,
        }
    ),
    AdminRole.SECURITY: frozenset(
        {
            Permission.LOOK,
            Permission.WALL,
            Permission.WALL_TOKENS,
            Permission.ACCOUNTS,
            Permission.ALARMS_HANDLE,
        }
    ),
    AdminRole.AUDIT: frozenset({Permission.LOOK, Permission.WALL, Permission.AUDIT_READ}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whoever asks. ``address`` is the network address for the audit; ``id`` of an account or ``system``."""

    id: str
    name: str
    role: AdminRole | None
    permissions: frozenset[Permission]
    address: str = ""

    def may(self, permission: Permission) -> bool:
        """For a page that leaves out what would be refused; the service checks all the same."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises ``page.forbidden`` without the permission."""
        if permission not in self.permissions:
            raise Refusal("page.forbidden")


NOBODY = Subject(id="", name="", role=None, permissions=frozenset())
SYSTEM = Subject(id="system", name="system", role=None, permissions=frozenset(Permission))
"""The program itself and whoever has a shell on its machine."""
