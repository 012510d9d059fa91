"""Writes the committed copy of the OpenAPI document: ``python -m console.app.openapi``.

``--check`` writes nothing and fails when the copy differs from what the program would serve (drift).
"""

import sys
from pathlib import Path

from console.app.modules import MODULES
from console.core.audit import Audit
from console.core.db import Database
from console.core.module import ModuleContext, set_up
from console.core.signals import Signals
from console.modules.gateway.document import source_of, written
from qingting.kernel.aio.clock import SystemClock
from qingting.kernel.security.seal import Sealer, new_key, parse_keys

COPY = Path(__file__).resolve().parents[2] / "docs" / "integrators" / "openapi.json"
_NOWHERE = "postgresql+asyncpg://nobody@127.0.0.1:1/none"
"""Modules are set up without a database: nothing connects before it is used."""


def declared() -> ModuleContext:
    """A context that every module has declared its calls and events to; nothing runs."""
    clock = SystemClock()
    context = ModuleContext(
        db=Database(_NOWHERE),
        clock=clock,
        audit=Audit(clock),
        signals=Signals(_NOWHERE),
        sealer=Sealer(parse_keys(new_key("none"))),
        utc_offset_minutes=480,
    )
    set_up(MODULES, context)
    return context


def served() -> bytes:
    """The document as this program serves it."""
    context = declared()
    return written(source_of(context.calls, context.events.types))


def main(arguments: list[str]) -> int:
    """0 when all is well."""
    text = served()
    if "--check" in arguments:
        same = COPY.exists() and COPY.read_bytes() == text
        if not same:
            sys.stderr.write(f"{COPY.name} is out of date: python -m console.app.openapi\n")
        return 0 if same else 1
    COPY.write_bytes(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
