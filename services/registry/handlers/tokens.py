"""Actor tokens, as registry signs them for whoever has shown who they are."""

from datetime import UTC, datetime

from services.registry.domain.session import TOKEN_LASTS
from services.registry.settings import Issuer
from shared.handling.actor import Actor
from shared.handling.work import Work
from shared.security.tokens import sign_token


def token_of(actor: Actor, until: datetime, work: Work) -> tuple[str, datetime]:
    """A token for a quarter of an hour, or until an earlier instant; and when it expires."""
    issuer = work.use(Issuer)
    expires_at = min(work.now + TOKEN_LASTS, until).astimezone(UTC)
    lasts = expires_at - work.now
    return sign_token(issuer.keys.at(work.now), actor, audience=issuer.audience, now=work.now, lasts=lasts), expires_at
