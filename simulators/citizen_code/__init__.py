"""A platform of citizen codes (市民码) as a city has one: HTTP interface, live codes, faults, control page."""

from simulators.citizen_code.platform import CITIZENS, CitizenCodePlatform, Fault
from simulators.citizen_code.web import create_platform_app

__all__ = ["CITIZENS", "CitizenCodePlatform", "Fault", "create_platform_app"]
