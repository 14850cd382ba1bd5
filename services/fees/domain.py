"""The rules of fees: what a certificate costs by the tariff of its day, and when it is settled. Money is whole riel.

Source: Joint Prakas 315 (tariff), Joint Announcement 1217 (Export Management Fee); what is our own decision says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from shared.refusals import Refused

IN_PIECES = {"PCS": ("PCS", 1), "SET": ("PCS", 1), "DZN": ("PCS", 12), "PRS": ("PRS", 1), "DPR": ("PRS", 12)}
"""How units are converted to pieces or pairs (ours): dozens count twelve, a set counts one."""


class InvoiceNotFound(Refused):
    """There is no invoice for this certificate: it has not been submitted, or not reached the fees yet."""

    code = "invoice_not_found"


class AlreadySettled(Refused):
    """Nothing is owed for this certificate any more."""

    code = "fee_already_settled"


class AmountDiffers(Refused):
    """The amount paid is not the amount owed."""

    code = "payment_amount_differs"


class SlipUsed(Refused):
    """This bank slip has been entered already."""

    code = "slip_already_used"


class PaidInFuture(Refused):
    """A payment cannot be dated in the future."""

    code = "payment_in_future"


@dataclass(frozen=True)
class Goods:
    """What the tariff asks of one item."""

    hs_code: str
    handicraft: bool
    quantity: Decimal
    unit: str


@dataclass(frozen=True)
class Line:
    """One line of an invoice and its legal source."""

    text: str
    amount_khr: int
    source: str


@dataclass(frozen=True)
class GoodsClass:
    """Goods that are charged alike: by handicraft flag or HS prefix; `unit`: what their quantity is counted in."""

    name: str
    handicraft: bool = False
    hs_prefixes: Sequence[str] = ()
    unit: str | None = None
    remark: str | None = None

    def holds(self, goods: Goods) -> bool:
        """Whether these goods belong to the class."""
        return (self.handicraft and goods.handicraft) or any(map(goods.hs_code.startswith, self.hs_prefixes))


@dataclass(frozen=True)
class Row:
    """A fee for a class of goods above a quantity; `fee_khr` by form, `*` for every other."""

    goods_class: str
    above: Decimal
    fee_khr: Mapping[str, int]


@dataclass(frozen=True)
class Tariff:
    """The fees in force from a day on. Classes are tried in order."""

    effective_from: date
    source: str
    classes: Sequence[GoodsClass]
    rows: Sequence[Row]
    also_shown: Sequence[Line]

    def assess(self, form: str, goods: Sequence[Goods]) -> list[Line]:
        """The lines of the invoice: one fee per certificate, the highest row that applies, and what is shown besides.

        Quantities are summed per class; one that cannot be counted in the unit of its class is charged as its upper row.
        """
        quantities: dict[GoodsClass, Decimal | None] = {}
        for item in goods:
            goods_class = next(kind for kind in self.classes if kind.holds(item))
            counted, so_far = _counted(item, goods_class.unit), quantities.get(goods_class, Decimal(0))
            quantities[goods_class] = None if counted is None or so_far is None else so_far + counted
        lines = [self._line(form, goods_class, quantity) for goods_class, quantity in quantities.items()]
        return [max(lines, key=lambda line: line.amount_khr), *self.also_shown]

    def _line(self, form: str, goods_class: GoodsClass, quantity: Decimal | None) -> Line:
        rows = [row for row in self.rows if row.goods_class == goods_class.name]
        row = max((row for row in rows if quantity is None or quantity > row.above), key=lambda row: row.above)
        above = f" over {row.above:f} {goods_class.unit}" if row.above else ""
        remark = f" ({goods_class.remark})" if goods_class.remark else ""
        amount = row.fee_khr.get(form, row.fee_khr["*"])
        return Line(f"Certificate of origin, form {form}: {goods_class.name}{above}{remark}", amount, self.source)


def _counted(goods: Goods, unit: str | None) -> Decimal | None:
    if unit is None:
        return goods.quantity
    counted_in, times = IN_PIECES.get(goods.unit, (None, 1))
    return goods.quantity * times if counted_in == unit else None


@dataclass(eq=False)
class Invoice:
    """What a certificate costs and what has been paid. A later submission is assessed anew; payments stay.

    `agent_id`: the agent that began the certificate, if it is known that one did.
    """

    certificate_id: UUID
    exporter_id: UUID
    submission: int = 0
    lines: list[Line] = field(default_factory=list)
    paid_khr: int = 0
    settled_submission: int = 0
    version: int = 0
    agent_id: UUID | None = None

    @property
    def amount_khr(self) -> int:
        """What the certificate costs."""
        return sum(line.amount_khr for line in self.lines)

    @property
    def owed_khr(self) -> int:
        """What is still to be paid."""
        return max(0, self.amount_khr - self.paid_khr)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is owed any more for the present submission."""
        return 0 < self.submission == self.settled_submission

    def was_begun_by(self, agent_id: UUID | None) -> None:
        """The agent that began the certificate is known; news that names none changes nothing."""
        self.agent_id = self.agent_id or agent_id

    def assess(self, submission: int, lines: list[Line]) -> bool:
        """The fee of a submission is assessed; news of an older or the same one changes nothing, and says so."""
        if submission <= self.submission:
            return False
        self.submission, self.lines = submission, lines
        self.version += 1
        return True

    def pay(self, amount_khr: int) -> None:
        """What is owed is paid, in one sum."""
        if self.is_settled:
            raise AlreadySettled("", "certificate_id")
        if amount_khr != self.owed_khr:
            raise AmountDiffers(f"{self.owed_khr:,} KHR are owed; the slip says {amount_khr:,} KHR.", "amount_khr")
        self.paid_khr += amount_khr
        self.version += 1

    def settle(self) -> bool:
        """Says, once per submission, that nothing is owed for it any more."""
        if self.is_settled or self.owed_khr > 0:
            return False
        self.settled_submission = self.submission
        return True
