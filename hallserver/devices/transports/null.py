"""In-process devices: ``null://name`` is a null modem to whoever listens under that name."""

from collections.abc import Callable

from qingting.kernel.aio.pipe import BytePipe, NullModemEnd, PipeClosedError, null_modem

_listeners: dict[str, Callable[[NullModemEnd], None]] = {}


def listen_null(name: str, plugged: Callable[[NullModemEnd], None]) -> Callable[[], None]:
    """Calls ``plugged`` with the device's end of each new cable; the result stops listening.

    Raises ValueError when somebody already listens under ``name``.
    """
    if name in _listeners:
        raise ValueError(f"null://{name} is taken")
    _listeners[name] = plugged
    return lambda: _stop(name, plugged)


def _stop(name: str, plugged: Callable[[NullModemEnd], None]) -> None:
    if _listeners.get(name) is plugged:
        del _listeners[name]


def open_null(name: str) -> BytePipe:
    """Raises :class:`PipeClosedError` when nobody listens: nothing is plugged in there."""
    plugged = _listeners.get(name)
    if plugged is None:
        raise PipeClosedError(f"nothing at null://{name}")
    near, far = null_modem()
    plugged(far)
    return near
