"""Exact decimals. No figure of an assessment is rounded before it is compared."""

from decimal import (
    ROUND_CEILING,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)

EXACT = Context(prec=80, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""An operation that would round raises Inexact. Bounded figures never do."""
SHOWN = Context(prec=80)
ZERO, HUNDRED, CENT = Decimal(0), Decimal(100), Decimal("0.01")

MAX_FIGURE = Decimal(10) ** 12
DECIMALS = 6
"""A figure is below a million million, with at most six decimals."""


def is_figure(value: Decimal) -> bool:
    """Whether a value is finite, not negative, and within the bounds of a figure."""
    if not value.is_finite() or value.is_signed() or value >= MAX_FIGURE:
        return False
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -DECIMALS


def plus(*values: Decimal) -> Decimal:
    """The exact sum."""
    with localcontext(EXACT):
        return sum(values, ZERO)


def minus(first: Decimal, second: Decimal) -> Decimal:
    """The exact difference."""
    return EXACT.subtract(first, second)


def percent_of(percent: Decimal, value: Decimal) -> Decimal:
    """The exact part of a value."""
    return EXACT.multiply(percent, value).scaleb(-2, EXACT)


def percentage(part: Decimal, whole: Decimal) -> Decimal:
    """The percentage of a part with two decimals, rounded down: 39.999 % is shown as 39.99 %. Zero if the part is negative."""
    if part <= ZERO:
        return ZERO
    hundredths = EXACT.divide_int(part.scaleb(4, EXACT), whole)
    return EXACT.scaleb(hundredths, -2)


def reaches(part: Decimal, whole: Decimal, percent: Decimal) -> bool:
    """Whether a part is at least a percentage of the whole, compared unrounded."""
    return EXACT.multiply(part, HUNDRED) >= EXACT.multiply(percent, whole)


def up_to_cents(value: Decimal) -> Decimal:
    """A value with two decimals, rounded up: so much suffices."""
    return value.quantize(CENT, ROUND_CEILING, SHOWN)


def plain(value: Decimal) -> str:
    """A number without an exponent and without zeros at its end."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
