"""A person's own company and roles while they act for another company, and the change between the two."""

from dataclasses import replace
from uuid import UUID

from services.portal.browsers import Browser, Person
from services.portal.visit import NotForYou, SignInAgain, Visit
from shared.contracts.registry.mandates import ActingToken, ActUnderMandate
from shared.contracts.roles import Role


def oneself(visit: Visit) -> Person:
    """The person as they are at their own company. Raises SignInAgain."""
    own = visit.browser.as_oneself().person if visit.browser else None
    return own or visit.someone


def own_company(visit: Visit) -> UUID:
    """The person's own company. Raises NotForYou for an officer."""
    try:
        return UUID(oneself(visit).organisation)
    except ValueError:
        raise NotForYou from None


def must_administer(visit: Visit) -> None:
    """Raises NotForYou unless the person administers their own company, also while they act for another one."""
    if not oneself(visit).has(Role.COMPANY_ADMINISTRATOR):
        raise NotForYou


async def act_for(visit: Visit, command: ActUnderMandate, exporter_name: str) -> None:
    """From now on the person acts for this exporter."""
    token: ActingToken = await visit.ask(command)
    await visit.change_browser(lambda fresh: fresh.acting_under(token, exporter_name))


async def act_for_oneself(visit: Visit) -> None:
    """From now on the person acts for their own company again."""
    await visit.change_browser(Browser.as_oneself)


async def renew_token(visit: Visit) -> None:
    """Exchanges the token at once, so that the session has the person's present roles. Raises SignInAgain."""
    await visit.change_browser(lambda fresh: replace(fresh, expires_at=visit.now))
    assert visit.browser is not None
    valid = await visit.browsers.with_valid_token(visit.browser, visit.now, visit.address)
    if valid is None:
        raise SignInAgain
    visit.browser, visit.person = valid, valid.person
