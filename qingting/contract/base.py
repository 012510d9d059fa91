"""Ground for every type that crosses a process border.

Requests, commands and configuration refuse unknown fields: a typing error of a sender must not pass
in silence. Events and views accept unknown fields, because a newer writer may add optional ones and
version N-1 must still read them.
"""

from typing import Any

import msgspec

CONTRACT_VERSION = 1
"""Sent by every client when it authenticates; raised when a field is removed or changes its meaning."""

MIN_CONTRACT_VERSION = 1
"""The oldest version that the servers still understand."""


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frozen record that refuses unknown fields."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen record that ignores fields added by newer versions."""


def ready_for_threads(*kinds: Any) -> None:
    """Has msgspec take ``kinds`` apart now, for those that several threads may convert to as their first.

    It does so at a type's first use and shows the half-made result to other threads, which then crash the
    process (msgspec 0.22.0, seen twice as two agents of one process read their profiles).
    """
    for kind in kinds:
        _ = msgspec.json.Decoder(kind)
