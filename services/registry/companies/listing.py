"""Officers find registrations: those that wait for a decision, by status, by name or tax number."""

from services.registry.companies import store
from services.registry.companies.views import listed_registration
from shared.contracts.registry.registration_lists import (
    CountRegistrations,
    ListRegistrations,
    RegistrationCounts,
    RegistrationsPage,
)
from shared.handling.router import Router
from shared.handling.work import Work

router = Router()


@router.answers(ListRegistrations)
async def list_registrations(question: ListRegistrations, work: Work) -> RegistrationsPage:
    """Lists registrations by name. Those that wait for an officer are listed by their wait, the longest first."""
    filters = question.model_dump(include={"status", "waiting", "search", "after", "limit"})
    found, following = await store.list_registrations(work, **filters)
    return RegistrationsPage(registrations=[listed_registration(registration) for registration in found], next=following)


@router.answers(CountRegistrations)
async def count_registrations(question: CountRegistrations, work: Work) -> RegistrationCounts:
    """Counts the registrations of each status, and those that wait for an officer."""
    waiting, since = await store.count_waiting(work)
    return RegistrationCounts(by_status=await store.count_registrations(work), waiting=waiting, oldest_waiting_since=since)
