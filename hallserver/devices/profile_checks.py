"""What a profile must keep beyond its shape: a healthy device shows nothing, every row of bits shows its condition.

The shape itself (unknown keys, wrong types, broken hexadecimal) is refused with file and line by
:mod:`hallserver.devices.profiles`.
"""

from collections.abc import Iterator

from hallserver.devices.profile_types import BitRow, Confirm, PrinterProfile
from hallserver.devices.profiles import AnyProfile
from hallserver.devices.protocols.escpos.status import conditions_in, is_valid_answer
from qingting.contract.states import Condition


def faults_of(profile: AnyProfile) -> list[str]:
    """Every fault as one English line; empty for a sound profile."""
    faults = [] if profile.sources else ["sources: name at least one"]
    if isinstance(profile, PrinterProfile):
        faults += _printer(profile)
    return faults


def _printer(profile: PrinterProfile) -> Iterator[str]:
    if unknown := profile.commands.cut.slots - {"feed"}:
        yield f"commands.cut: nothing fills {', '.join(sorted(unknown))}"
    wants = {"id"} if profile.capabilities.confirm is Confirm.PROCESS_ID else set()
    if profile.commands.fence.slots != wants:
        yield f"commands.fence: {profile.capabilities.confirm} needs the slots {sorted(wants)}"
    told = {row.means for query in profile.status.query for row in query.bits}
    if profile.presenter is not None and not (
        profile.capabilities.presenter and Condition.TICKET_NOT_TAKEN in told
    ):
        yield "presenter: the model has none, or its status does not tell that a ticket is left"
    for query in profile.status.query:
        given = profile.simulator.initial.get(query.name)
        if given is None:
            yield f"simulator.initial: no healthy answer for {query.name}"
            continue
        healthy = bytes(given if isinstance(given, tuple) else (given,))
        if not is_valid_answer(query.reply, healthy):
            yield f"simulator.initial.{query.name}: not an answer that status.query describes"
        elif shown := conditions_in(query.bits, healthy):
            yield f"simulator.initial.{query.name}: a healthy answer shows {', '.join(sorted(shown))}"
        else:
            yield from _rows(query.name, query.bits, healthy)


def _rows(name: str, rows: tuple[BitRow, ...], healthy: bytes) -> Iterator[str]:
    for row in rows:
        if row.byte >= len(healthy):
            yield f"status.query {name}: an answer has no byte {row.byte}"
            continue
        lit = bytearray(healthy)
        lit[row.byte] = lit[row.byte] & ~row.mask if row.not_all else lit[row.byte] | row.mask
        if row.means not in conditions_in(rows, bytes(lit)):
            yield f"status.query {name}: bits {row.mask:#04x} never show {row.means}"
