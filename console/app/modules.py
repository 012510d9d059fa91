"""The modules of the city, in any order: the registry sorts them by what they require."""

from console.core.module import ModuleSpec, in_order
from console.halls.module import MODULE as HALLS
from console.modules.devices.module import MODULE as DEVICES
from console.modules.evaluation.module import MODULE as EVALUATION
from console.modules.statistics.module import MODULE as STATISTICS

MODULES: tuple[ModuleSpec, ...] = (HALLS, DEVICES, STATISTICS, EVALUATION)


def _migrations() -> tuple[str, ...]:
    packages = [module.package for module in in_order(MODULES) if module.table_prefix]
    return ("console.core", *packages)


MIGRATIONS: tuple[str, ...] = _migrations()
"""Packages whose ``migrations/`` make the schema; the core's environment comes first."""
