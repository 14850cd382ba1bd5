"""The cards of the ministry and of customs: what waits in each queue."""

from collections.abc import Sequence
from datetime import date

from services.portal.browsers import Person
from services.portal.cards import Card, Dashboard, Section
from services.portal.certificate_words import counted, status_of
from services.portal.navigation import ADMINISTRATORS, AUDITORS, CASHIERS, CUSTOMS, DECIDING, REGISTERING
from services.portal.pages.waiting_times import WORKED_ON, duration
from services.portal.visit import Visit
from services.portal.wording import DECIDED
from shared.contracts.certificates.issuing import CertificateStatus
from shared.contracts.certificates.lists import CertificateCounts, CountCertificates, ListProducts, Products
from shared.contracts.certificates.products import ProductStatus
from shared.contracts.certificates.times import ListStatusTimes, StatusTimes
from shared.contracts.certificates.true_copies import ListTrueCopyRequests, TrueCopyRequests
from shared.contracts.fees import Invoices, ListInvoices
from shared.contracts.gateway.received import ListReceivedDocuments, ReceivedDocuments
from shared.contracts.gateway.verification import ListVerifications, Verifications
from shared.contracts.registry.registration_lists import CountRegistrations, RegistrationCounts
from shared.contracts.registry.registrations import RegistrationStatus
from shared.contracts.registry.users import ListUsers, Users, UserStatus
from shared.contracts.roles import Role

PAGE = 100


async def queue(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """Certificates of the officer's office that wait for a review or an approval, and those assigned to the officer."""
    _, number, person = visit.language.gettext, visit.language.number, visit.someone
    counts: CertificateCounts = await visit.ask(CountCertificates(office=person.organisation))
    submitted = counts.by_status.get(CertificateStatus.SUBMITTED, 0)
    reviewed = counts.by_status.get(CertificateStatus.REVIEWED, 0)
    found = []
    if person.has(Role.REVIEWER):
        found.append(
            Card(
                title=_("To review"),
                figure=number(submitted),
                text=_oldest(visit, counts.oldest_submitted_on) if submitted else _("Nothing waits for a review."),
                action=_("Open the queue"),
                path="/portal/queue?tab=review",
                asks=submitted > 0,
            )
        )
    if person.has(Role.APPROVER):
        found.append(
            Card(
                title=_("To approve"),
                figure=number(reviewed),
                text=_("Reviewed by a colleague. You can approve many with one confirmation.")
                if reviewed
                else _("Nothing waits for an approval."),
                action=_("Open the queue"),
                path="/portal/queue?tab=approve",
                asks=reviewed > 0,
            )
        )
    if counts.mine:
        found.append(
            Card(
                title=_("Assigned to me"),
                figure=number(counts.mine),
                text=_("You have taken these. Nobody else works on them."),
                action=_("Go on with them"),
                path="/portal/queue?tab=mine",
            )
        )
    if counts.held:
        found.append(
            Card(
                title=_("Approved, not issued"),
                figure=number(counts.held),
                text=_("Something is missing, such as the fee. Each is issued by itself once it is there."),
                action=_("See what they wait for"),
                path="/portal/queue?tab=held",
                asks=False,
            )
        )
    return found


def _oldest(visit: Visit, day: date | None) -> str:
    if day is None:
        return visit.language.gettext("They wait for a review.")
    days = (visit.context.clock.today() - day).days
    if days < 1:
        return visit.language.gettext("All were submitted today.")
    return visit.language.ngettext(
        "The oldest has waited for {num} day.", "The oldest has waited for {num} days.", days
    ).format(num=visit.language.number(days))


async def new_products(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """Products whose origin is to be examined."""
    _ = visit.language.gettext
    waiting = (ProductStatus.REGISTERED, ProductStatus.RENEWING)
    answers: list[Products] = [await visit.ask(ListProducts(status=status, limit=PAGE)) for status in waiting]
    count = sum(len(answer.products) for answer in answers)
    if not count:
        return []
    first = next(status for status, answer in zip(waiting, answers, strict=True) if answer.products)
    return [
        Card(
            title=_("Products to examine"),
            figure=visit.language.number(count) + ("+" if any(answer.next for answer in answers) else ""),
            text=_("Their exporters wait for the finding of origin."),
            action=_("Open the products"),
            path=f"/portal/products?status={first.value}",
        )
    ]


async def registrations(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """Applications and renewals that wait, and the registrations in force."""
    _, number = visit.language.gettext, visit.language.number
    counts: RegistrationCounts = await visit.ask(CountRegistrations())
    since = visit.language.instant(counts.oldest_waiting_since, "d MMMM y") if counts.oldest_waiting_since else ""
    suspended = counts.by_status.get(RegistrationStatus.SUSPENDED, 0)
    decides = visit.someone.has(*REGISTERING)
    return [
        Card(
            title=_("Registrations waiting"),
            figure=number(counts.waiting),
            text=_("The oldest has waited since {day}.").format(day=since) if since else _("No application waits."),
            action=_("Open them"),
            path="/portal/registrations",
            asks=decides and counts.waiting > 0,
        ),
        Card(
            title=_("Companies registered"),
            figure=number(counts.by_status.get(RegistrationStatus.ACTIVE, 0)),
            text=_("{num} more are suspended.").format(num=number(suspended)) if suspended else _("None is suspended."),
            action=_("Look one up"),
            path="/portal/registrations?status=all",
            asks=False,
        ),
    ]


async def invoices(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """Invoices that are not paid."""
    _ = visit.language.gettext
    answer: Invoices = await visit.ask(ListInvoices(settled=False, limit=PAGE))
    return [
        Card(
            title=_("Invoices not paid"),
            figure=visit.language.number(len(answer.invoices)) + ("+" if answer.next else ""),
            text=_("Find an invoice by its payment reference or its exporter."),
            action=_("Enter a payment") if visit.someone.has(*CASHIERS) else _("Open them"),
            path="/portal/cashier",
            asks=visit.someone.has(*CASHIERS) and bool(answer.invoices),
        )
    ]


async def officers(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """The accounts of officers, and those without a second factor."""
    _, number = visit.language.gettext, visit.language.number
    answer: Users = await visit.ask(ListUsers(limit=PAGE))
    active = [user for user in answer.users if user.status is UserStatus.ACTIVE]
    without = sum(not user.has_second_factor for user in active)
    return [
        Card(
            title=_("Officers"),
            figure=number(len(active)) + ("+" if answer.next else ""),
            text=_("{num} of them have not set up a second factor yet.").format(num=number(without))
            if without
            else _("All of them have a second factor."),
            action=_("Open the officers"),
            path="/portal/officers",
            asks=False,
        )
    ]


async def all_certificates(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """The certificates of all offices."""
    _, number = visit.language.gettext, visit.language.number
    counts: CertificateCounts = await visit.ask(CountCertificates())
    waiting = sum(counts.by_status.get(each, 0) for each in (CertificateStatus.SUBMITTED, CertificateStatus.REVIEWED))
    return [
        Card(
            title=_("Certificates issued"),
            figure=counted(counts, [CertificateStatus.ISSUED], visit.language),
            text=_("{num} wait for a decision in all offices.").format(num=number(waiting)),
            action=_("Search certificates"),
            path="/portal/certificates",
            asks=False,
        )
    ]


async def received(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """Documents from the partners."""
    _ = visit.language.gettext
    answer: ReceivedDocuments = await visit.ask(ListReceivedDocuments(limit=PAGE))
    undecided = [document for document in answer.documents if document.code not in DECIDED]
    return [
        Card(
            title=_("Documents from partner countries"),
            figure=visit.language.number(len(answer.documents)) + ("+" if answer.next else ""),
            text=_("Customs have not decided on {num} of them yet.").format(num=visit.language.number(len(undecided)))
            if undecided
            else _("Customs have decided on all of them."),
            action=_("Open the documents"),
            path="/portal/received",
            asks=False,
        )
    ]


async def waiting_times(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """How long certificates of the office wait for the ministry."""
    _ = visit.language.gettext
    answer: StatusTimes = await visit.ask(ListStatusTimes(office=visit.someone.organisation))
    medians = {each.status.value: each.median_seconds for each in answer.times if each.destination is None}
    if not medians:
        return []
    parts = [
        f"{status_of(CertificateStatus(status), (), _)[0]}: {duration(visit.language, medians[status])}"
        for status in WORKED_ON
        if status in medians
    ]
    return [
        Card(
            title=_("How long certificates wait"),
            text=", ".join(parts) or _("No certificate has left the ministry yet."),
            action=_("Waiting times by destination"),
            path="/portal/waiting-times",
            asks=False,
        )
    ]


async def true_copies(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """The requests for certified true copies that wait for the office."""
    _ = visit.language.gettext
    answer: TrueCopyRequests = await visit.ask(ListTrueCopyRequests())
    if not answer.copies:
        return []
    return [
        Card(
            title=_("Certified true copies requested"),
            figure=visit.language.number(len(answer.copies)),
            text=_("The oldest is for {reference}.").format(reference=answer.copies[0].reference),
            action=_("Decide on the oldest"),
            path=f"/portal/certificates/{answer.copies[0].certificate_id}#true-copies",
        )
    ]


async def verifications(visit: Visit, dashboard: Dashboard) -> Sequence[Card]:
    """The open questions of partners' customs. The list begins with the one whose last day comes first."""
    _, number = visit.language.gettext, visit.language.number
    answer: Verifications = await visit.ask(ListVerifications(limit=PAGE))
    first = next(iter(answer.cases), None)
    return [
        Card(
            title=_("Questions of foreign customs"),
            figure=number(len(answer.cases)) + ("+" if answer.next else ""),
            text=_("The first answer is due by {day}.").format(day=visit.language.date(first.answer_by))
            if first
            else _("Customs of no country wait for an answer."),
            action=_("Open the verifications"),
            path="/portal/verifications",
            asks=first is not None and visit.someone.has(Role.APPROVER),
        )
    ]


def sections_for(person: Person) -> list[Section]:
    """The sections of each role at the ministry and at customs."""
    every: list[tuple[frozenset[Role], Section]] = [
        (DECIDING, (lambda _: _("Queue"), queue)),
        (frozenset({Role.REVIEWER}), (lambda _: _("Products"), new_products)),
        (frozenset({Role.APPROVER}), (lambda _: _("Certified true copies"), true_copies)),
        (DECIDING | AUDITORS, (lambda _: _("Verifications"), verifications)),
        (DECIDING | AUDITORS, (lambda _: _("How long certificates wait"), waiting_times)),
        (REGISTERING | ADMINISTRATORS | AUDITORS, (lambda _: _("Registrations"), registrations)),
        (CASHIERS | AUDITORS, (lambda _: _("Payments"), invoices)),
        (ADMINISTRATORS | AUDITORS, (lambda _: _("Officers"), officers)),
        (AUDITORS, (lambda _: _("Certificates"), all_certificates)),
        (CUSTOMS | AUDITORS, (lambda _: _("Received documents"), received)),
    ]
    return [section for roles, section in every if person.has(*roles)]
