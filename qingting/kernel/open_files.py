"""How many connections a server may hold. Debian's soft limit of 1 024 is a hall's phones of one hour, and a city's
citizens of a minute."""

import resource

OPEN_FILES = 65_536
BACKLOG = 4_096
"""Connections that may wait to be taken: after an outage all come back at once. The system cuts it to its own limit."""


def lift_open_files(wanted: int = OPEN_FILES) -> int:
    """Raises the soft limit of open files as far as the hard one allows; returns what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(soft, allowed)


def open_files() -> int:
    """The soft limit, :data:`OPEN_FILES` when there is none."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return OPEN_FILES if soft == resource.RLIM_INFINITY else soft
