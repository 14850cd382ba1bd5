"""The cards of an exporter: registration, certificates, payments, transmissions and products that need attention."""

from collections.abc import Sequence

from services.portal.cards import Card, Dashboard, Section
from services.portal.company_words import CompanyWords
from services.portal.pages import certificates as certificates_page
from services.portal.pages import mandates as mandates_page
from services.portal.visit import Visit
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.certificates.lists import CertificateCounts, CountCertificates, ListCertificates, ListProducts, Products
from shared.contracts.certificates.products import ProductStatus
from shared.contracts.fees import Invoices, ListInvoices
from shared.contracts.gateway.transmissions import ListTransmissions, Transmissions
from shared.contracts.registry.mandates import AGENT_ROLES
from shared.contracts.registry.registrations import GetRegistration, RegistrationState, RegistrationStatus, RenewalStatus

CERTIFICATES, COMPANY = "/portal/certificates", "/portal/company"
PAGE = 100
LAST = 5
"""How many certificates the page shows, and how many companies to act for."""
AT_THE_MINISTRY = (CertificateStatus.SUBMITTED, CertificateStatus.REVIEWED, CertificateStatus.APPROVED)
BEFORE_APPROVAL = frozenset({RegistrationStatus.APPLIED, RegistrationStatus.RETURNED, RegistrationStatus.REFUSED})


async def registration(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """The registration: not approved yet, returned, about to end, ended or suspended. An agent does not see it."""
    if visit.someone.acting_for is not None:
        return []
    state: RegistrationState = await visit.ask(GetRegistration(exporter_id=visit.company))
    if state.status in BEFORE_APPROVAL:
        dashboard.kept["registering"] = state
        return []
    card = _suspended(visit, state) or _renewal(visit, state) or _about_to_end(visit, state)
    return [card] if card else []


def _suspended(visit: Visit, state: RegistrationState) -> Card | None:
    _ = visit.language.gettext
    if state.status is not RegistrationStatus.SUSPENDED:
        return None
    return Card(
        title=_("Your registration is suspended"),
        text=state.reason or _("The ministry tells you the reason."),
        action=_("Read the reason"),
        path=COMPANY,
        kind="bad",
    )


def _renewal(visit: Visit, state: RegistrationState) -> Card | None:
    _, renewal = visit.language.gettext, state.renewal
    if renewal is None:
        return None
    if renewal.status is RenewalStatus.RETURNED:
        return Card(
            title=_("Your renewal was returned"),
            text=renewal.remarks or _("The ministry asks you to correct something."),
            action=_("Correct and hand in again"),
            path=f"{COMPANY}/correct",
            kind="warn",
        )
    if missing := CompanyWords(visit.language).missing(state.lacks):
        return Card(
            title=_("Your renewal is not complete"),
            text=_("Missing: {missing}.").format(missing=", ".join(missing)),
            action=_("Complete it"),
            path=COMPANY,
            kind="warn",
        )
    return Card(
        title=_("Your renewal waits at the ministry"),
        text=_("You need to do nothing. We write to you when it is decided."),
        action=_("See the renewal"),
        path=COMPANY,
        asks=False,
    )


def _about_to_end(visit: Visit, state: RegistrationState) -> Card | None:
    _, ngettext = visit.language.gettext, visit.language.ngettext
    until, today = state.valid_until, visit.context.clock.today()
    if state.status is RegistrationStatus.EXPIRED:
        return Card(
            title=_("Your registration has ended"),
            text=_("You can submit no certificate until the ministry has registered you for another year."),
            action=_("Apply for another year"),
            path=f"{COMPANY}/renew",
            kind="bad",
        )
    if until is None or state.renewable_from is None or today < state.renewable_from:
        return None
    left = (until - today).days
    return Card(
        title=_("Your registration ends soon"),
        figure=ngettext("{num} day", "{num} days", left).format(num=visit.language.number(left)),
        text=_("Its last day is {day}. Renew it now: what you gave last year is filled in already.").format(
            day=visit.language.date(until)
        ),
        action=_("Renew"),
        path=f"{COMPANY}/renew",
        kind="warn",
    )


async def certificates(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """Certificates that were returned or not sent yet, and those at the ministry."""
    _, number = visit.language.gettext, visit.language.number
    counts: CertificateCounts = await visit.ask(CountCertificates(exporter_id=visit.company))
    returned = counts.by_status.get(CertificateStatus.RETURNED, 0)
    drafts = counts.by_status.get(CertificateStatus.DRAFT, 0)
    waiting = sum(counts.by_status.get(status, 0) for status in AT_THE_MINISTRY)
    found = []
    if returned:
        found.append(
            Card(
                title=_("Returned to you"),
                figure=number(returned),
                text=_("An officer asks you to correct something. The remarks stand at each box."),
                action=_("Correct them"),
                path=f"{CERTIFICATES}?tab=returned",
                kind="warn",
            )
        )
    if drafts:
        found.append(
            Card(
                title=_("Drafts"),
                figure=number(drafts),
                text=_("They were begun and not submitted yet."),
                action=_("Go on with them"),
                path=f"{CERTIFICATES}?tab=drafts",
            )
        )
    if waiting:
        found.append(
            Card(
                title=_("At the ministry"),
                figure=number(waiting),
                text=_("The ministry examines them. You need to do nothing."),
                action=_("See where each is"),
                path=f"{CERTIFICATES}?tab=waiting",
                asks=False,
            )
        )
    return found


async def unsent_forms(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """Forms that were filled in and not sent."""
    _ = visit.language.gettext
    saved = await certificates_page.unsent_forms(visit)
    if not saved:
        return []
    return [
        Card(
            title=_("Forms not sent yet"),
            figure=visit.language.number(len(saved)),
            text=_("We saved them while you typed. Nothing is lost."),
            action=_("Open the last one"),
            path=saved[0].address,
        )
    ]


async def unpaid(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """The fees that are owed."""
    _, number = visit.language.gettext, visit.language.number
    answer: Invoices = await visit.ask(ListInvoices(exporter_id=visit.company, settled=False, limit=PAGE))
    owed = [invoice for invoice in answer.invoices if not invoice.closed]
    if not owed:
        return []
    total = visit.language.riel(sum(invoice.amount_khr - invoice.paid_khr for invoice in owed))
    return [
        Card(
            title=_("To pay"),
            figure=total if answer.next is None else f"{total} +",
            text=visit.language.ngettext(
                "One certificate waits for its fee.", "{num} certificates wait for their fees.", len(owed)
            ).format(num=number(len(owed))),
            action=_("See how to pay"),
            path="/portal/payments?show=unpaid",
            kind="warn",
        )
    ]


async def transmissions(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """Certificates that the gateway of a partner has not accepted yet."""
    _ = visit.language.gettext
    answer: Transmissions = await visit.ask(ListTransmissions(exporter_id=visit.company, open=True, limit=PAGE))
    waiting = [each for each in answer.transmissions if each.waits_because]
    if not waiting:
        return []
    return [
        Card(
            title=_("Waiting at a partner country"),
            figure=visit.language.number(len(waiting)) + ("+" if answer.next else ""),
            text=_("The partner's system does not accept messages at the moment. They are sent by themselves when it does."),
            action=_("Track the first one"),
            path=f"{CERTIFICATES}/{waiting[0].certificate_id}",
            asks=False,
        )
    ]


async def products(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """Products whose origin the ministry did not accept."""
    _ = visit.language.gettext
    question = ListProducts(exporter_id=visit.company, status=ProductStatus.REFUSED, limit=PAGE)
    answer: Products = await visit.ask(question)
    if not answer.products:
        return []
    return [
        Card(
            title=_("Products refused"),
            figure=visit.language.number(len(answer.products)) + ("+" if answer.next else ""),
            text=_(
                "A certificate cannot contain them. Each has the officer's reason; register it again with what was missing."
            ),
            action=_("Read the reasons"),
            path="/portal/products?status=refused",
            asks=False,
        )
    ]


async def mandates(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """The first companies for which the person can act. While they act for one, the top of the page names it."""
    if visit.someone.acting_for is None and visit.someone.has(*AGENT_ROLES):
        answer = await mandates_page.mandates_of(visit)
        found = [mandate for mandate in answer.mandates if mandates_page.may_act(visit, mandate)]
        dashboard.kept["mandates"] = found[:LAST]
    return []


async def last_certificates(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """The last certificates, which the page lists below the cards."""
    answer = await visit.ask(ListCertificates(exporter_id=visit.company, limit=LAST))
    dashboard.kept["last"] = answer.certificates
    return []


SECTIONS: list[Section] = [
    (lambda _: _("Registration"), registration),
    (lambda _: _("Certificates"), certificates),
    (lambda _: _("Forms not sent yet"), unsent_forms),
    (lambda _: _("Payments"), unpaid),
    (lambda _: _("Transmissions"), transmissions),
    (lambda _: _("Products"), products),
    (lambda _: _("Mandates"), mandates),
    (lambda _: _("Last certificates"), last_certificates),
]
