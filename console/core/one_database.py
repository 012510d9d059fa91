"""All connections of a pool lead to the same database, also after databases were exchanged under its name."""

from typing import Any

import sqlalchemy as sa

from qingting.contract.errors import Refusal

_OID = "SELECT oid FROM pg_database WHERE datname = current_database()"


class OneDatabase:
    """Refuses connections to another database than the first one: what a worker remembers from before an exchange that it
    slept through does not belong to what it would find. ``exchanged``: that has happened."""

    def __init__(self, engine: sa.Engine) -> None:
        self._oid: int | None = None
        self.exchanged = False
        sa.event.listen(engine, "connect", self._connected)

    def _connected(self, connection: Any, _: object) -> None:
        oid: int = connection.run_async(lambda driver: driver.fetchval(_OID))
        if self._oid is None:
            self._oid = oid
        if oid != self._oid:
            self.exchanged = True
            connection.close()
            raise Refusal("city.unavailable")
