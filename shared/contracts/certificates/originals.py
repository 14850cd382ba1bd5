"""Originals: certificates of other members on which a back-to-back certificate is based (ATIGA Annex 8, Rule 11)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from shared.contracts.certificates.products import LatinLine
from shared.contracts.fields import Country, HsCode, Quantity, Unit
from shared.contracts.messages import Answer, Command, Contract, Part, Question
from shared.contracts.roles import Role

ForeignReference = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9 ./_-]*[A-Za-z0-9])?$")]
"""The reference of a member's certificate. A paper certificate has the form of its country."""
LineNumber = Annotated[int, Field(ge=1, le=100_000)]
MAX_USES = 100


class OriginalLine(Part):
    """The item of an original that covers an item of a certificate, with its whole quantity.

    `issued_on`: the date of the original. It must be exact, because only its holder knows it.
    """

    country: Country
    reference: ForeignReference
    issued_on: date
    line: LineNumber


class PaperLine(Part):
    """One item of a paper original: its number in box 5, HS code, description and quantity."""

    number: LineNumber
    hs_code: HsCode
    description: LatinLine
    quantity: Quantity
    unit: Unit


class LineBalance(Contract):
    """One item of an original. `remaining`: what no certificate has taken. `denied`: customs have denied this item."""

    number: int
    hs_code: str
    description: str
    quantity: Decimal
    unit: str
    remaining: Decimal
    denied: bool = False


class OriginalUse(Contract):
    """What an item of a certificate takes from a line. `final`: the certificate is issued; otherwise it is reserved."""

    certificate_id: UUID
    item: int
    line: int
    quantity: Decimal
    unit: str
    final: bool


class OriginalState(Answer):
    """An original with the balance of its lines.

    `usable`: false if it was cancelled or denied. `on_paper`: an officer has entered it. Only officers see `consignee` and
    `uses`: the certificates that use it, at most 100.
    """

    about: ClassVar[str] = "original_id"
    original_id: UUID
    country: str
    reference: str
    issued_on: date
    valid_until: date
    usable: bool
    on_paper: bool
    lines: tuple[LineBalance, ...]
    consignee: str | None = None
    uses: tuple[OriginalUse, ...] = ()


class EnterOriginal(Command):
    """An officer enters a paper original that a member issued while the exchange with it was out.

    An original that was entered before is replaced, as long as no certificate uses it.
    """

    subject: ClassVar[str] = "cmd.original.enter.v1"
    answer: ClassVar[type[Answer]] = OriginalState
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER})
    country: Country
    reference: ForeignReference
    issued_on: date
    valid_until: date
    consignee: LatinLine
    lines: Annotated[tuple[PaperLine, ...], Field(min_length=1, max_length=2000)]


class GetOriginal(Question):
    """What remains of this original? A company must give its exact date; an officer need not."""

    subject: ClassVar[str] = "qry.original.get.v1"
    answer: ClassVar[type[Answer]] = OriginalState
    read_by: ClassVar[frozenset[Role]] = frozenset({Role.REVIEWER, Role.APPROVER, Role.AUDITOR})
    asked_by: ClassVar[frozenset[Role]] = frozenset({Role.PREPARER, Role.SIGNATORY}) | read_by
    under_mandate: ClassVar[bool] = True
    country: Country
    reference: ForeignReference
    issued_on: date | None = None
