"""How many connections this process may hold. Debian's soft limit of 1 024 is a hall's phones of one hour."""

import resource

OPEN_FILES = 65_536


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
