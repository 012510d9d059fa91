"""The provider over HTTP: discovery, keys, the page where one logs in, tokens, userinfo, logout, and its control page."""

import asyncio
import base64
from typing import Any
from urllib.parse import unquote, urlencode

import aiohttp
import msgspec
import structlog
from aiohttp import web

from simulators.identity_provider.provider import (
    Fault,
    IdentityProvider,
    RefusedError,
    Wish,
)
from simulators.pages import Folder, as_json

PROVIDER: web.AppKey[IdentityProvider] = web.AppKey("IDENTITY_PROVIDER", IdentityProvider)
MAX_BODY = 16 * 1024
COOKIE = "simulated_login"
TELL_SECONDS = 5.0
log = structlog.get_logger(__name__)
_FOLDER = Folder("simulators.identity_provider.page")


def create_provider_app(provider: IdentityProvider) -> web.Application:
    """Everything is below the path where it is mounted, which is the issuer."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_faults])
    app[PROVIDER] = provider
    app.on_shutdown.append(_lift)
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", _discovery),
            web.get("/jwks", _jwks),
            web.get("/authorize", _authorize),
            web.post("/authorize", _decide),
            web.post("/token", _token),
            web.get("/userinfo", _userinfo),
            web.get("/end-session", _end_session),
            web.get("/", _control),
            web.get("/form.css", _FOLDER.serve("form.css")),
            web.post("/fault", _fault),
            web.post("/rotate", _rotate),
        ]
    )
    return app


async def _lift(app: web.Application) -> None:
    app[PROVIDER].set_fault(None)


@web.middleware
async def _faults(request: web.Request, handler: Any) -> web.StreamResponse:
    provider, resource = request.app[PROVIDER], request.match_info.route.resource
    path = resource.canonical if resource is not None else ""
    if path.endswith(("/openid-configuration", "/jwks", "/token", "/userinfo")):
        await provider.dawdle()
        if provider.fault is Fault.DOWN:
            raise web.HTTPInternalServerError
        if provider.fault is Fault.MALFORMED:
            return web.Response(text="<html>Bad gateway</html>", content_type="text/html")
    response: web.StreamResponse = await handler(request)
    return response


def _draw(request: web.Request, page: str, status: int = 200, **context: Any) -> web.Response:
    base = request.app[PROVIDER].issuer
    return _FOLDER.draw(request, page, status=status, base=base, **context)


async def _discovery(request: web.Request) -> web.Response:
    issuer = request.app[PROVIDER].issuer
    return as_json(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "end_session_endpoint": f"{issuer}/end-session",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            "code_challenge_methods_supported": ["S256"],
            "backchannel_logout_supported": True,
            "backchannel_logout_session_supported": True,
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }
    )


async def _jwks(request: web.Request) -> web.Response:
    return as_json(request.app[PROVIDER].public_keys())


def _wish(values: Any) -> Wish:
    known = {field.name for field in msgspec.structs.fields(Wish)}
    given = {name: str(values[name])[:2000] for name in values if name in known}
    return Wish(**{"client_id": "", "redirect_uri": "", **given})


def _back(provider: IdentityProvider, wish: Wish, **query: str) -> web.HTTPException:
    where = wish.redirect_uri
    answer = {**query, "state": wish.state, "iss": provider.issuer}
    return web.HTTPSeeOther(f"{where}{'&' if '?' in where else '?'}{urlencode(answer)}")


async def _authorize(request: web.Request) -> web.Response:
    provider, wish = request.app[PROVIDER], _wish(request.query)
    client = provider.client_of(wish)
    if client is None:
        return _draw(request, "words.html", 400, title="unknown_client", back="")
    if wrong := provider.wrong(wish):
        raise _back(provider, wish, error=wrong)
    return _draw(
        request,
        "authorize.html",
        wish=msgspec.structs.asdict(wish),
        users=list(provider.users(client).values()),
        staff=client.audience.value == "staff",
    )


async def _decide(request: web.Request) -> web.Response:
    provider, form = request.app[PROVIDER], await request.post()
    wish = _wish(form)
    client = provider.client_of(wish)
    if client is None or provider.wrong(wish):
        return _draw(request, "words.html", 400, title="unknown_client", back="")
    if "deny" in form:
        raise _back(provider, wish, error="access_denied")
    user = provider.user(client, str(form.get("user", "")), str(form.get("number", "")).strip())
    if user is None:
        return _draw(request, "words.html", 400, title="unknown_user", back="")
    code, sid = provider.consent(
        wish, user, strong="strong" in form, sid=request.cookies.get(COOKIE, "")
    )
    back = _back(provider, wish, code=code)
    back.set_cookie(COOKIE, sid, httponly=True, samesite="Lax")
    raise back


async def _token(request: web.Request) -> web.Response:
    form = {name: str(value) for name, value in (await request.post()).items()}
    client, secret = _credentials(request, form)
    if form.get("grant_type") != "authorization_code":
        return as_json({"error": "unsupported_grant_type"}, 400)
    given = (form.get(name, "") for name in ("code", "redirect_uri", "code_verifier"))
    try:
        return as_json(request.app[PROVIDER].exchange(client, secret, *given))
    except RefusedError as error:
        return as_json({"error": error.code}, 401 if error.code == "invalid_client" else 400)


def _credentials(request: web.Request, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        user, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote(user), unquote(secret)


async def _userinfo(request: web.Request) -> web.Response:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        return as_json(request.app[PROVIDER].userinfo(token))
    except RefusedError as error:
        return as_json({"error": error.code}, 401)


async def _end_session(request: web.Request) -> web.Response:
    client = request.app[PROVIDER].clients.get(request.query.get("client_id", ""))
    back = request.query.get("post_logout_redirect_uri", "")
    told = request.app[PROVIDER].log_out(request.cookies.get(COOKIE, ""))
    await asyncio.gather(*(_tell(where, token) for where, token in told))
    page = _draw(
        request, "words.html", title="out", back=back if client and client.takes(back) else ""
    )
    page.del_cookie(COOKIE)
    return page


async def _tell(where: str, token: str) -> None:
    """Back-Channel Logout 1.0 §2.5. A client that does not answer is told no second time."""
    limit = aiohttp.ClientTimeout(total=TELL_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as http,
            http.post(where, data={"logout_token": token}) as answer,
        ):
            log.info("simulated.logout_told", status=answer.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        log.warning("simulated.logout_not_told", error=type(error).__name__)


async def _control(request: web.Request) -> web.Response:
    provider = request.app[PROVIDER]
    return _draw(request, "control.html", faults=list(Fault), fault=provider.fault or "")


async def _fault(request: web.Request) -> web.Response:
    """``fault`` empty: none any more."""
    name = str((await request.post()).get("fault", ""))
    if name and name not in set(Fault):
        raise web.HTTPUnprocessableEntity
    request.app[PROVIDER].set_fault(Fault(name) if name else None)
    raise web.HTTPSeeOther(f"{request.app[PROVIDER].issuer}/")


async def _rotate(request: web.Request) -> web.Response:
    request.app[PROVIDER].rotate()
    raise web.HTTPSeeOther(f"{request.app[PROVIDER].issuer}/")
