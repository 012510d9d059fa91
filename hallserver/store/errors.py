"""Why a hall's database cannot be opened or written. Messages are for technicians, in English."""


class StoreOpenError(RuntimeError):
    """The database must not be used; a person has to look at it."""


class NewerDatabaseError(StoreOpenError):
    """The file was written by a newer program; an older one would not understand it."""


class DamagedDatabaseError(StoreOpenError):
    """The integrity or foreign-key check of the file failed."""


class StoreInUseError(StoreOpenError):
    """Another process holds this database open for writing."""


class NoRoomError(StoreOpenError):
    """The disk has ``free`` bytes and ought to have ``wanted`` for a copy."""

    def __init__(self, wanted: int, free: int) -> None:
        self.wanted, self.free = wanted, free
        super().__init__(f"{free // 1_000_000} MB free, {wanted // 1_000_000} MB needed")


class CommitError(RuntimeError):
    """A transaction was rolled back or its fate is unknown; the cause is chained.

    ``conflict`` is True when a constraint refused a row: the batch holds a command that must not
    be carried out, and its neighbours may succeed without it.
    """

    def __init__(self, conflict: bool) -> None:
        self.conflict = conflict
        super().__init__("constraint" if conflict else "storage")


class ReadDeadlineError(TimeoutError):
    """A report took longer than its deadline; holding a read snapshot longer would grow the WAL."""
