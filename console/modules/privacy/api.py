"""What other modules may use of the care for personal data."""

from typing import Protocol

from console.core.module import ApiKey
from console.core.uow import Uow
from qingting.kernel.security.seal import Sealer


class PrivacyApi(Protocol):
    """Keys, unmasking, exports and requests of those whom data is about."""

    async def check_keys(self, uow: Uow, sealer: Sealer) -> None:
        """Notes the keys of the key file. Raises ``keys.foreign`` when this database was sealed with a key that the
        file does not hold: another file belongs to it, and going on would split its data in two."""
        ...


PRIVACY = ApiKey[PrivacyApi]("PRIVACY")
