"""The simulated provider of single sign-on in a demonstration, and the console's settings for it."""

from simulators.identity_provider import Audience, IdentityProvider

HOST = "http://127.0.0.1"
"""Registered without a port: a demonstration may run on any."""
BACK = {
    Audience.STAFF: ("/login/sso/back", "/password/sso/back", "/login"),
    Audience.CITIZENS: ("/c/login/back", "/c"),
}
"""Where the console takes people back to, also after they have logged out."""


def demo_provider() -> IdentityProvider:
    """With a client for staff and one for citizens, whose secrets are new in each run."""
    provider = IdentityProvider()
    for audience, paths in BACK.items():
        logout = f"/callback/{audience.value}/logout"
        _ = provider.register(audience, *(HOST + path for path in paths), logout=logout)
    return provider


def sign_on_settings(provider: IdentityProvider) -> dict[str, str]:
    """Settings of a console that signs people on at ``provider``, which is served by now."""
    staff, citizens = (provider.clients[f"qingting-{one.value}"] for one in Audience)
    return {
        "oidc_issuer": provider.issuer,
        "oidc_client_id": staff.id,
        "oidc_client_secret": staff.secret,
        "citizen_oidc_issuer": provider.issuer,
        "citizen_oidc_client_id": citizens.id,
        "citizen_oidc_client_secret": citizens.secret,
    }
