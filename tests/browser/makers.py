"""What a story begins with: people, companies and certificates."""

from typing import Any
from uuid import UUID

from shared.contracts.certificates.issuing import ReviewCertificate, SubmitCertificate
from tests.browser.site import LiveSite
from tests.registry.people import Human
from tests.support.portal import a_consignment
from tests.support.service_under_test import a_person


def an_officer(site: LiveSite, *roles: str) -> Human:
    """An officer with a second factor."""

    async def make() -> Human:
        administrator = site.system.administrator
        administrator.later()
        await administrator.sign_in()  # the session of an earlier test has expired
        administrator.later()
        return await site.system.officer(*roles)

    return site.do(make())


def an_exporter(site: LiveSite, *, submitted: bool = True, count: int = 1, **changes: Any) -> tuple[Human, list[UUID]]:
    """An exporter with certificates. `changes`: in their consignments."""

    async def make() -> tuple[Human, list[UUID]]:
        exporter = await site.system.exporter()
        product_id = await site.system.product(exporter)
        certificates = [await site.system.certificate(exporter, product_id, **changes) for _ in range(count)]
        if submitted:
            await submit(site, exporter, certificates)
        return exporter, certificates

    return site.do(make())


def an_exporter_who_owes(site: LiveSite) -> tuple[Human, UUID]:
    """An exporter with a submitted certificate that is not free of charge."""

    async def make() -> tuple[Human, UUID]:
        exporter = await site.system.exporter()
        criterion = {"kind": "SP"}
        product_id = await site.system.product(exporter, description="Shirts", hs_code="620520", criterion=criterion)
        goods = {"unit": "PCS", "quantity": "4200", "hs_code": "620520"}
        item = a_consignment(product_id)["items"][0] | goods
        certificate_id = await site.system.certificate(exporter, product_id, items=[item])
        await submit(site, exporter, [certificate_id])
        return exporter, certificate_id

    return site.do(make())


async def submit(site: LiveSite, exporter: Human, certificates: list[UUID]) -> None:
    """Submits certificates."""
    assert exporter.session
    for each in certificates:
        await site.system.ask(SubmitCertificate(certificate_id=each), token=exporter.session.token)


def reviewed(site: LiveSite, certificates: list[UUID]) -> None:
    """An officer reviews certificates."""

    async def review() -> None:
        token = site.system.services["certificates"].token_of(a_person("reviewer"))
        for each in certificates:
            await site.system.ask(ReviewCertificate(certificate_id=each, worksheet="Complete."), token=token)

    site.do(review())
