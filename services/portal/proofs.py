"""What a person shows for changes of their second factor: the password, and a code or a passkey if they have one."""

import logging
from typing import Any

from services.portal.visit import Visit
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.messages import Command, Request
from shared.contracts.registry.passkeys import ChallengeSecondFactor, PasskeyOptions

log = logging.getLogger(__name__)


def second_factor_of(visit: Visit) -> dict[str, Any]:
    """The code or the passkey of a form. A recovery code may be typed in lower case and with spaces."""
    if passkey := visit.form.text("passkey"):
        return {"passkey": passkey, "code": None}
    return {"code": "".join(visit.form.text("code").upper().split()) or None, "passkey": None}


def proof_of(visit: Visit) -> dict[str, Any]:
    """The password and the second factor of a form."""
    return {"password": visit.form.text("password"), **second_factor_of(visit)}


async def challenge(visit: Visit, passkeys: int, act: type[Command]) -> str | None:
    """The challenge that a passkey answers in place of a code; None if the person has no passkey."""
    if not passkeys:
        return None
    return await options_or_none(visit, ChallengeSecondFactor(act=act.subject))


async def options_or_none(visit: Visit, question: Request) -> str | None:
    """The options of a challenge; None if there is no answer, because a code is possible too."""
    try:
        answer: PasskeyOptions = await (visit.ask_anonymously(question) if question.anonymous else visit.ask(question))
    except (AskRefused, NobodyAnswers):
        log.warning("a page has no passkey challenge", extra={"question": type(question).__name__})
        return None
    return answer.options
