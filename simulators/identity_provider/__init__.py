"""A provider of single sign-on (统一身份认证) as a city has one, by OpenID Connect: staff, natural and legal persons."""

from simulators.identity_provider.people import CITIZENS, STAFF, User
from simulators.identity_provider.provider import Audience, Client, Fault, IdentityProvider
from simulators.identity_provider.web import create_provider_app

__all__ = [
    "CITIZENS",
    "STAFF",
    "Audience",
    "Client",
    "Fault",
    "IdentityProvider",
    "User",
    "create_provider_app",
]
