"""What can go wrong with a device. Words for people come from conditions and the error catalogue."""

from qingting.contract.states import Condition


class DeviceError(Exception):
    """Root of device errors; the text is for the log and holds no personal data."""


class TransientDeviceError(DeviceError):
    """The device may come back by itself: try again with backoff.

    ``condition`` is what the hall is told meanwhile.
    """

    def __init__(self, text: str, condition: Condition = Condition.COMM_ERROR) -> None:
        super().__init__(text)
        self.condition = condition


class SilentDeviceError(TransientDeviceError):
    """The line is open, the device does not answer within its deadline."""


class WrongModelError(TransientDeviceError):
    """Something answers, and says that it is not what the profile describes; ``said`` is how it calls itself."""

    def __init__(self, said: str) -> None:
        super().__init__(f"it says that it is {said!r}", Condition.WRONG_MODEL)
        self.said = said


class DeviceConfigError(DeviceError):
    """Trying again cannot help: the address or the profile is wrong and a person must correct it."""
