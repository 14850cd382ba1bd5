"""The cards of the first page: each asks its own questions, at the same time as the others, and fails alone."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.portal.visit import Visit
from shared.bus.client import AskRefused, NobodyAnswers

log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that a card waits for its answers."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One thing that waits: how many, what it means, and the one thing to do about it.

    `kind`: as of a notice. `asks`: whether the person must act; otherwise it is only for information.
    """

    title: str
    text: str
    action: str
    path: str
    figure: str = ""
    kind: str = ""
    asks: bool = True


@dataclass
class Dashboard:
    """The cards of a person, the titles of those that got no answer, and what else the page shows."""

    cards: list[Card] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def urgent(self) -> list[Card]:
        """The cards on which the person must act."""
        return [card for card in self.cards if card.asks]

    @property
    def informative(self) -> list[Card]:
        """The cards that are only for information."""
        return [card for card in self.cards if not card.asks]


Section = tuple[Callable[[Callable[[str], str]], str], Callable[[Visit, Dashboard], Awaitable[Sequence[Card]]]]
"""The title of a section in a language, and the function that asks for its cards."""


async def dashboard_of(visit: Visit, sections: Sequence[Section]) -> Dashboard:
    """The cards of all sections, in their order."""
    dashboard = Dashboard()
    results = await asyncio.gather(*(_section(visit, dashboard, section) for section in sections))
    for (title, _), cards in zip(sections, results, strict=True):
        if cards is None:
            dashboard.failed.append(title(visit.language.gettext))
        else:
            dashboard.cards.extend(cards)
    return dashboard


async def _section(visit: Visit, dashboard: Dashboard, section: Section) -> Sequence[Card] | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await section[1](visit, dashboard)
    except (NobodyAnswers, AskRefused, TimeoutError, OSError) as error:
        log.warning("a card got no answer", extra={"card": section[1].__name__, "error": type(error).__name__})
        return None
