"""What the rest of the console may know of integrators."""

from typing import Protocol

from console.core.module import ApiKey
from console.core.permissions import Subject
from console.core.uow import Uow
from console.modules.gateway.clients import Access


class GatewayApi(Protocol):
    """Integrators."""

    async def make(self, uow: Uow, subject: Subject, name: str, access: Access) -> str:
        """Makes an integrator with the id ``name`` and gives its first secret, which is said this once."""
        ...


GATEWAY = ApiKey[GatewayApi]("GATEWAY")

__all__ = ["GATEWAY", "Access", "GatewayApi"]
