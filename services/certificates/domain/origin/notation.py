"""The notation of origin rules, and its parser: `RVC(40) or CTH except from heading 2403`, `CTSH + RVC(35)`."""

import re
from dataclasses import dataclass
from decimal import Decimal

from services.certificates.domain.origin.rule import CRITERIA, DIGITS, UNITS, Alternative, Excepted, Requirement, Rule
from shared.refusals import Refused

MAX_RULE = 500
"""Maximum characters of a rule."""

_TOKEN = re.compile(r"\s*(?:(?P<word>[A-Za-z]+)|(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<sign>[()+,]))")
_UNITS = UNITS | {f"{unit}s": digits for unit, digits in UNITS.items()}
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?")
_END = ""


class RuleMalformed(Refused):
    code = "origin_rule_malformed"


@dataclass(frozen=True)
class _Token:
    text: str
    kind: str
    position: int


def parse_rule(text: str, field: str = "rule") -> Rule:
    """The rule that a text states. Raises RuleMalformed with the position of the fault, counted from 1."""
    return _Parser(text, field).rule()


class _Parser:
    """Reads a rule from left to right: alternatives by `or`, requirements by `+`."""

    def __init__(self, text: str, field: str) -> None:
        self._text, self._field = text, field
        self._tokens = self._split()
        self._next = 0

    def rule(self) -> Rule:
        alternatives = [self._alternative()]
        while self._take("or"):
            alternatives.append(self._alternative())
        if self._ahead.kind != _END:
            self._refuse('"or", "+" or the end')
        return Rule(tuple(alternatives))

    def _alternative(self) -> Alternative:
        requirements = [self._requirement()]
        while self._take("+"):
            again = self._ahead
            requirements.append(self._requirement())
            kinds = [("change" if each.is_change else each.kind) for each in requirements]
            if kinds.count(kinds[-1]) > 1:
                self._refuse("a criterion of another kind", again)
        return Alternative(tuple(requirements))

    def _requirement(self) -> Requirement:
        token = self._ahead
        if token.text not in CRITERIA:
            self._refuse(f"one of {', '.join(CRITERIA)}")
        self._next += 1
        if token.text == "RVC":
            return Requirement("RVC", self._percent())
        if token.text in DIGITS and self._take("except"):
            return Requirement(token.text, excepted=self._excepted())
        return Requirement(token.text)

    def _percent(self) -> Decimal:
        self._must_take("(")
        token = self._ahead
        if token.kind != "number" or not _PERCENT.fullmatch(token.text) or not 0 < Decimal(token.text) <= 100:
            self._refuse("a percentage above 0 and at most 100, such as 40")
        self._next += 1
        self._must_take(")")
        return Decimal(token.text)

    def _excepted(self) -> tuple[Excepted, ...]:
        self._must_take("from")
        digits = self._unit()
        found = [self._codes(digits)]
        while self._take(",") or self._take("and"):
            if self._ahead.kind == "word":
                digits = self._unit()
            found.append(self._codes(digits))
        return tuple(found)

    def _unit(self) -> int:
        if self._ahead.text not in _UNITS:
            self._refuse('"chapter", "heading" or "subheading"')
        self._next += 1
        return _UNITS[self._tokens[self._next - 1].text]

    def _codes(self, digits: int) -> Excepted:
        first = self._code(digits)
        if not self._take("to"):
            return Excepted(first, first)
        token = self._ahead
        last = self._code(digits)
        if last < first:
            self._refuse(f"a code from {first} on", token)
        return Excepted(first, last)

    def _code(self, digits: int) -> str:
        code = self._ahead.text.replace(".", "")
        if self._ahead.kind != "number" or len(code) != digits:
            self._refuse(f"an HS code of {digits} digits")
        self._next += 1
        return code

    @property
    def _ahead(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, text: str) -> bool:
        if self._ahead.text != text:
            return False
        self._next += 1
        return True

    def _must_take(self, text: str) -> None:
        if not self._take(text):
            self._refuse(f'"{text}"')

    def _split(self) -> list[_Token]:
        if len(self._text) > MAX_RULE:
            raise RuleMalformed(
                self._field, position=MAX_RULE + 1, found="more", expected=f"the end, after {MAX_RULE} characters"
            )
        text, tokens, at = self._text.rstrip(), [], 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                at += len(text[at:]) - len(text[at:].lstrip())
                shown = text[at]
                raise RuleMalformed(
                    self._field, position=at + 1, found=f'"{shown}"', expected="a word, a number or a sign of rules"
                )
            kind = str(found.lastgroup)
            tokens.append(_Token(found[kind], kind, found.start(kind) + 1))
            at = found.end()
        return [*tokens, _Token("", _END, len(text) + 1)]

    def _refuse(self, expected: str, token: _Token | None = None) -> None:
        token = token or self._ahead
        found = f'"{token.text[:40]}"' if token.text else "the end"
        raise RuleMalformed(self._field, position=token.position, found=found, expected=expected)
