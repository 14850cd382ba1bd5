"""E-mails with one-time links. The token of a link is created when the e-mail is sent, and stored nowhere."""

from dataclasses import dataclass

from services.registry.identity.domain.link import MIN_INTERVAL, Purpose
from services.registry.identity.domain.secret_tokens import hashed
from services.registry.identity.domain.user import User
from services.registry.identity.store.links import link_sent_at, new_link, save_sent
from services.registry.mail.templates import EmailTemplates
from services.registry.mail.transport import Mailer
from shared.handling.work import Work


@dataclass(frozen=True)
class Portal:
    """The address of the portal, which every link begins with."""

    address: str = "http://127.0.0.1:8080"

    def link(self, purpose: Purpose, token: str) -> str:
        """A link to the portal. The token stands after `#`, so that no web server logs it."""
        return f"{self.address}/{purpose}#{token}"


async def send_link(user: User, purpose: Purpose, work: Work) -> None:
    """Sends a person a new link, unless one was sent a moment ago. The former link is void."""
    sent_at = await link_sent_at(work, user.user_id, purpose)
    if sent_at and sent_at >= work.now - MIN_INTERVAL:
        return
    token = await new_link(work, user.user_id, purpose)
    email = work.use(EmailTemplates).write(
        purpose,
        message_id=f"{purpose}-{hashed(token)[:20]}",
        to=user.email,
        now=work.now,
        language=user.language,
        fields={"name": user.name, "link": work.use(Portal).link(purpose, token)},
    )
    await work.between_transactions(work.use(Mailer).send, email)
    await save_sent(work, token)
