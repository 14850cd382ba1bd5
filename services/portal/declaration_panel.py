"""The export declaration (ACDD) on the page of a certificate: whether it can be sent, its status, and what can be done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.portal.certificate_words import Gettext, Word, code_word
from services.portal.names import Names
from services.portal.navigation import FILING
from services.portal.visit import Visit
from shared.bus.client import AskRefused, NobodyAnswers
from shared.contracts.gateway.declarations import TransportMode
from shared.contracts.gateway.transmissions import GetTransmission, StatusCode, Step, TransmissionState

ACDD = "acdd"


@dataclass(frozen=True, kw_only=True)
class DeclarationPanel:
    """What the page shows. `state`: None before it is sent. `may`: what this person can do: send, hold, resume, resend."""

    state: TransmissionState | None
    codes: list[tuple[Step, Word]]
    may: frozenset[str]
    modes: list[tuple[str, str]]
    countries: list[tuple[str, str]]


async def declaration_panel(
    visit: Visit,
    certificate: TransmissionState | None,
    officers_acts: Callable[[TransmissionState | None], frozenset[str]],
    *,
    mine: bool,
) -> DeclarationPanel | None:
    """The panel; None if there is nothing to show. `mine`: for a person of the company; else `officers_acts` names the acts."""
    if certificate is None:
        return None
    state = await _state(visit, certificate) if ACDD in certificate.added else None
    code = state.steps[-1].code if state and state.steps else None
    may = frozenset() if mine else officers_acts(state)
    sends = mine and visit.someone.has(*FILING)
    if sends and (ACDD in certificate.can_add or code is StatusCode.NOT):
        may = frozenset({"send"})
    if state is None and "send" not in may:
        return None
    names, _ = Names(visit.language), visit.language.gettext
    steps = [*(each.step for each in state.former), *state.steps] if state else []
    return DeclarationPanel(
        state=state,
        codes=[(step, code_word(step.code, names.country(certificate.destination), _)) for step in reversed(steps)],
        may=may,
        modes=list(modes(_).items()),
        countries=names.partners(),
    )


async def _state(visit: Visit, certificate: TransmissionState) -> TransmissionState | None:
    try:
        answer: Any = await visit.ask(GetTransmission(certificate_id=certificate.certificate_id, kind=ACDD))
    except (AskRefused, NobodyAnswers, TimeoutError):
        return None
    found: TransmissionState = answer
    return found


def modes(_: Gettext) -> dict[str, str]:
    """The words of the modes of transport."""
    return {
        TransportMode.SEA.value: _("Sea"),
        TransportMode.ROAD.value: _("Road"),
        TransportMode.AIR.value: _("Air"),
        TransportMode.RAIL.value: _("Rail"),
        TransportMode.RIVER.value: _("River"),
    }
