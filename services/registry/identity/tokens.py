"""Actor tokens: registry signs them for people who have signed in."""

from datetime import UTC, datetime

from services.registry.identity.domain.session import TOKEN_LASTS
from services.registry.identity.signing_keys import SigningKeys
from shared.handling.actor import Actor
from shared.handling.work import Work
from shared.security.tokens import sign_token


def token_of(actor: Actor, until: datetime, work: Work) -> tuple[str, datetime]:
    """A token for 15 minutes, or until an earlier instant, and the instant at which it expires."""
    expires_at = min(work.now + TOKEN_LASTS, until).astimezone(UTC)
    key, lasts = work.use(SigningKeys).at(work.now), expires_at - work.now
    return sign_token(key, actor, audience=work.country, now=work.now, lasts=lasts), expires_at
