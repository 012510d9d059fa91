"""The modules of the city, in any order: the registry sorts them by what they require."""

from console.core.module import ModuleSpec, in_order
from console.halls.module import MODULE as HALLS
from console.modules.acts.module import MODULE as ACTS
from console.modules.alarms.module import MODULE as ALARMS
from console.modules.appointments.module import MODULE as APPOINTMENTS
from console.modules.calendar.module import MODULE as CALENDAR
from console.modules.catalogue.module import MODULE as CATALOGUE
from console.modules.citizens.module import MODULE as CITIZENS
from console.modules.configuration.module import MODULE as CONFIGURATION
from console.modules.devicepage.module import MODULE as DEVICEPAGE
from console.modules.devices.module import MODULE as DEVICES
from console.modules.evaluation.module import MODULE as EVALUATION
from console.modules.gateway.module import MODULE as GATEWAY
from console.modules.identity.module import MODULE as IDENTITY
from console.modules.inbox.module import MODULE as INBOX
from console.modules.jobs.module import MODULE as JOBS
from console.modules.notifications.module import MODULE as NOTIFICATIONS
from console.modules.organisation.module import MODULE as ORGANISATION
from console.modules.overview.module import MODULE as OVERVIEW
from console.modules.privacy.module import MODULE as PRIVACY
from console.modules.rollouts.module import MODULE as ROLLOUTS
from console.modules.statistics.module import MODULE as STATISTICS
from console.modules.upkeep.api import Program
from console.modules.upkeep.module import MODULE as UPKEEP
from console.modules.wall.module import MODULE as WALL
from qingting.kernel.i18n import Catalogue

MODULES: tuple[ModuleSpec, ...] = (
    HALLS,
    JOBS,
    ORGANISATION,
    IDENTITY,
    PRIVACY,
    DEVICES,
    DEVICEPAGE,
    ACTS,
    ALARMS,
    CALENDAR,
    CATALOGUE,
    APPOINTMENTS,
    NOTIFICATIONS,
    INBOX,
    CITIZENS,
    CONFIGURATION,
    ROLLOUTS,
    STATISTICS,
    EVALUATION,
    OVERVIEW,
    UPKEEP,
    WALL,
    GATEWAY,
)


def _migrations() -> tuple[str, ...]:
    packages = [module.package for module in in_order(MODULES) if module.table_prefix]
    return ("console.core", *packages)


MIGRATIONS: tuple[str, ...] = _migrations()
"""Packages whose ``migrations/`` make the schema; the core's environment comes first."""
PROGRAM = Program(
    migrations=MIGRATIONS,
    passing=tuple(table for one in MODULES for table in one.passing),
    restored=tuple(statement for one in MODULES for statement in one.restored),
)
"""What a restored database needs of this program."""
PAGE_PACKAGES: tuple[str, ...] = (
    "console.app",
    "console.modules.organisation",
    "console.modules.identity",
    "console.modules.jobs",
    "console.modules.upkeep",
    "console.modules.overview",
    "console.modules.wall",
    "console.modules.devices",
    "console.modules.devicepage",
    "console.modules.acts",
    "console.modules.alarms",
    "console.modules.calendar",
    "console.modules.catalogue",
    "console.modules.notifications",
    "console.modules.appointments",
    "console.modules.inbox",
    "console.modules.citizens",
    "console.modules.privacy",
    "console.modules.configuration",
    "console.modules.rollouts",
    "console.modules.statistics",
    "console.modules.evaluation",
    "console.modules.gateway",
)
"""Packages that bring ``templates/`` and ``locale/``."""
TEXTS = Catalogue.load("qingting.web.pages", *PAGE_PACKAGES)
"""Of all pages, for what is written where no page is."""
