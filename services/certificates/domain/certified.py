"""Certified exporters, who make origin declarations themselves. Source: ATIGA Annex 8, Rules 12A to 12D."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from services.certificates.domain.product import Product
from shared.clock import months_from
from shared.refusals import Refused


class CertifiedStatus(StrEnum):
    """The status of a certified exporter."""

    GRANTED = "granted"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"


class CertifiedAct(StrEnum):
    """What can be done with a certified exporter."""

    GRANT = "grant"
    CHANGE = "change"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    WITHDRAW = "withdraw"


ALLOWED = {
    CertifiedStatus.GRANTED: {CertifiedAct.CHANGE, CertifiedAct.SUSPEND, CertifiedAct.WITHDRAW},
    CertifiedStatus.SUSPENDED: {CertifiedAct.CHANGE, CertifiedAct.REINSTATE, CertifiedAct.WITHDRAW},
    CertifiedStatus.WITHDRAWN: set(),
}


class CertifiedExporterNotFound(Refused):
    code = "certified_exporter_not_found"


class CertifiedAlready(Refused):
    code = "certified_already"


class CertifiedNotAllowedNow(Refused):
    code = "certified_not_allowed_now"


class TooManySignatories(Refused):
    code = "too_many_signatories"


class SignatoryTwice(Refused):
    code = "signatory_twice"


class ValidityOutOfBounds(Refused):
    code = "certified_validity_out_of_bounds"


class HeadquartersOnly(Refused):
    code = "headquarters_only"


@dataclass(frozen=True, kw_only=True)
class CertificationRule:
    """How many signatories a certified exporter may have, and for how long it is certified at most; from a day on."""

    effective_from: date
    signatories: int
    months: int


@dataclass(frozen=True, kw_only=True)
class Signatory:
    """A person who signs declarations, from a day on, before another one."""

    name: str
    position: str
    since: date
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class CertifiedProduct:
    """A product for which declarations are made, from a day on, before another one."""

    product_id: UUID
    description: str
    hs_code: str
    since: date
    until: date | None = None


@dataclass(frozen=True, kw_only=True)
class Period:
    """Days from `since` on, before `until`; without an end it lasts."""

    since: date
    until: date | None = None


@dataclass(eq=False, kw_only=True)
class CertifiedExporter:
    """A certified exporter. Former signatories and products stay, because a declaration counts by its own day.

    `by_registration`: it is suspended because its registration is not in force.
    """

    code: str
    exporter_id: UUID
    valid_from: date
    valid_until: date
    status: CertifiedStatus = CertifiedStatus.GRANTED
    signatories: list[Signatory] = field(default_factory=list)
    products: list[CertifiedProduct] = field(default_factory=list)
    suspensions: list[Period] = field(default_factory=list)
    withdrawn_on: date | None = None
    by_registration: bool = False
    version: int = 1

    def set_content(
        self,
        on: date,
        valid_until: date,
        people: Sequence[tuple[str, str]],
        products: Sequence[Product],
        rule: CertificationRule,
    ) -> None:
        """The period, the signatories and the products from a day on (Rule 12A: at most ten signatories).

        Raises TooManySignatories, SignatoryTwice, ValidityOutOfBounds.
        """
        if len(people) > rule.signatories:
            raise TooManySignatories("signatories", most=rule.signatories)
        names = [name.casefold() for name, _ in people]
        if len(set(names)) < len(names):
            raise SignatoryTwice("signatories")
        last = months_from(on, rule.months)
        if not on < valid_until <= last:
            raise ValidityOutOfBounds("valid_until", first=on, last=last)
        self.valid_until = valid_until
        wanted = {(name, position) for name, position in people}
        self.signatories = _ended(self.signatories, lambda each: (each.name, each.position) in wanted, on)
        known = {(each.name, each.position) for each in self.signatories if each.until is None}
        self.signatories += [Signatory(name=n, position=p, since=on) for n, p in people if (n, p) not in known]
        ids = {product.product_id for product in products}
        self.products = _ended(self.products, lambda each: each.product_id in ids, on)
        present = {each.product_id for each in self.products if each.until is None}
        self.products += [
            CertifiedProduct(product_id=each.product_id, description=each.description, hs_code=each.hs_code, since=on)
            for each in products
            if each.product_id not in present
        ]

    def change(self) -> None:
        """Its content is changed."""
        self._must_allow(CertifiedAct.CHANGE)
        self.version += 1

    def suspend(self, on: date, *, by_registration: bool = False) -> None:
        """Declarations from this day on do not count (Rule 12B)."""
        self._must_allow(CertifiedAct.SUSPEND)
        self.status = CertifiedStatus.SUSPENDED
        self.by_registration = by_registration
        self.suspensions = [*self.suspensions, Period(since=on)]
        self.version += 1

    def reinstate(self, on: date) -> None:
        """Declarations from this day on count again."""
        self._must_allow(CertifiedAct.REINSTATE)
        self.status = CertifiedStatus.GRANTED
        self.by_registration = False
        self.suspensions = [replace(each, until=each.until or on) for each in self.suspensions]
        self.version += 1

    def withdraw(self, on: date) -> None:
        """No declaration from this day on counts, for ever (Rule 12B)."""
        self._must_allow(CertifiedAct.WITHDRAW)
        self.status = CertifiedStatus.WITHDRAWN
        self.withdrawn_on = on
        self.version += 1

    def _must_allow(self, act: CertifiedAct) -> None:
        if act not in ALLOWED[self.status]:
            raise CertifiedNotAllowedNow("exporter_id", status=self.status)


Dated = TypeVar("Dated", Signatory, CertifiedProduct)


def _ended(rows: Sequence[Dated], kept: Callable[[Dated], bool], on: date) -> list[Dated]:
    """The rows, of which those that are not kept end on a day. One that began on that day never counted."""
    ended = [each if kept(each) or each.until else replace(each, until=on) for each in rows]
    return [each for each in ended if each.until is None or each.until > each.since]


def must_not_be_certified(known: CertifiedExporter | None) -> None:
    """Refuses to certify an exporter twice. Raises CertifiedAlready."""
    if known is not None and known.status is not CertifiedStatus.WITHDRAWN:
        raise CertifiedAlready("exporter_id", code=known.code)
