"""Typed keys of what the middlewares put on a request."""

from aiohttp import web

from qingting.contract.states import Language
from qingting.kernel.web.session import WebSession

LANGUAGE = web.RequestKey("language", Language)
"""The reader's language; always set."""
SESSION = web.RequestKey("session", WebSession)
"""The session of a logged-in person; absent before login."""
SESSION_DIGEST = web.RequestKey("session_digest", str)
"""Digest of the session's cookie, the key of its row; set together with ``SESSION``."""
EXPIRED = web.RequestKey("session_expired", bool)
"""True when the cookie named a session that has idled out, so that the login page can say so."""
ANONYMOUS_CSRF = web.RequestKey("anonymous_csrf", str)
"""Token of a form before login; its cookie is set with the answer."""
