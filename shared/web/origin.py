"""Whether a form was posted from a page of this site (cross-site request forgery)."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

from starlette.requests import Request

from shared.refusals import Refused

FIELD = "csrf"


class PostedFromElsewhere(Refused):
    code = "posted_from_elsewhere"


def form_token(cookie: str) -> str:
    """The token in the forms of a browser. It is derived from its secret cookie, which no other site can read."""
    return urlsafe_b64encode(sha256(b"form " + cookie.encode()).digest()).decode().rstrip("=")


def must_come_from_here(request: Request, cookie: str, token: str) -> None:
    """Raises PostedFromElsewhere unless the browser says that a page of this site posts, and the form has its token."""
    fetched = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    here = fetched in ("same-origin", "none") if fetched else origin is None or origin.partition("://")[2] == request.url.netloc
    if not here or not hmac.compare_digest(token.encode(), form_token(cookie).encode()):
        raise PostedFromElsewhere()
