"""A worksheet as plain text, for a terminal or a printer."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from services.certificates.domain.origin.exact import plain
from services.certificates.origin_texts import label
from shared.contracts.certificates.origin import MaterialVerdict, OriginAssessment, Sentence
from shared.contracts.fields import Language

FIGURES = (
    "fob",
    "materials_value",
    "originating_value",
    "non_originating_value",
    "labour",
    "overhead",
    "other",
    "profit",
    "stated_total",
    "tolerated_value",
)


def printed(assessment: OriginAssessment, language: Language) -> str:
    """The worksheet of an assessment."""
    return "\n".join(_Sheet(assessment, language).lines()) + "\n"


class _Sheet:
    """Writes the lines of one worksheet."""

    def __init__(self, assessment: OriginAssessment, language: Language) -> None:
        self._assessment, self._sheet, self._language = assessment, assessment.worksheet, language

    def lines(self) -> Iterator[str]:
        """All lines."""
        found, sheet = self._assessment, self._sheet
        yield self._label("title").upper()
        yield self._named("goods", f"{sheet.goods + ', ' if sheet.goods else ''}HS {sheet.hs}")
        yield self._named("rules", self._rules())
        yield self._named("rule", f"{sheet.rule} ({sheet.article})")
        yield self._named("assessed_on", _day(sheet.assessed_on))
        yield ""
        yield self._label("qualifies" if found.qualifies else "does_not")
        yield self._named("box8", found.box8 or "–")
        yield self._named("box13", ", ".join(found.box13) or self._label("none"))
        if found.pc_offer:
            yield self._named("pc_offer", found.pc_offer)
        if found.claim:
            yield self._named("claim", f"{found.claim.criterion}: {self._label('met' if found.claim.met else 'not_met')}")
        yield from self._section("reasons", (self._text(each) for each in found.reasons))
        yield from self._section("alternatives", self._alternatives())
        yield from self._section("figures", self._figures())
        yield from self._section("processes", (self._either(each.en, each.km) for each in sheet.processes))
        yield from self._section("materials", (self._material(each) for each in sheet.materials))
        yield from self._section("notes", (self._text(each) for each in sheet.notes))
        checks = (f"[ ] [ ] {self._either(each.en, each.km)} ({each.article})" for each in sheet.checks)
        yield from self._section("checks", checks)

    def _section(self, heading: str, lines: Iterator[str]) -> Iterator[str]:
        found = list(lines)
        if found:
            yield from ("", self._label(heading))
            yield from (f"  {line}" for line in found)

    def _rules(self) -> str:
        rules = self._sheet.rules
        text = label("version", self._language).format(
            form=rules.form, agreement=rules.agreement, version=rules.version, valid_from=_day(rules.valid_from)
        )
        return f"{text} ({self._label('shipped' if rules.shipped else 'loaded')})"

    def _alternatives(self) -> Iterator[str]:
        for each in self._assessment.alternatives:
            verdict = self._label("met" if each.met else "not_met")
            ticks = "".join(f", {tick}" for tick in each.box13)
            only = "" if each.counts else f" ({self._label('outside')})"
            yield f"{each.rule}: {verdict}{f' – {each.box8}{ticks}' if each.box8 else ''}{only}"
            yield from (f"  {self._text(reason)}" for reason in each.reasons)

    def _figures(self) -> Iterator[str]:
        sheet = self._sheet
        for name in FIGURES:
            value: Decimal | None = getattr(sheet, name)
            if value is not None:
                yield self._named(name, f"{plain(value)} {sheet.currency}")
        for each in sheet.rvc:
            applied = f" ({self._label('applied')})" if each.applied else ""
            sum_of = f"{plain(each.part)} / {plain(each.fob)} = {plain(each.percent)} %"
            yield self._named(f"rvc_{each.method}", sum_of + applied)

    def _material(self, each: MaterialVerdict) -> str:
        share = f" ({plain(each.pc_share)} %)" if each.pc_share is not None else ""
        change = self._label("no_change") if each.change is None else f"{self._label('change')} {each.change}"
        fails = f"; {self._label('fails')} {', '.join(each.fails)}" if each.fails else ""
        name = " ".join(filter(None, (each.description, f"HS {each.hs}", each.origin)))
        value = f"{plain(each.value)} {self._sheet.currency}"
        return f"{each.number}. {name}: {value}, {self._label(each.standing)}{share}, {change}{fails}"

    def _named(self, name: str, value: str) -> str:
        return f"{self._label(name)}: {value}"

    def _label(self, code: str) -> str:
        return label(code, self._language)

    def _text(self, sentence: Sentence) -> str:
        return self._either(sentence.en, sentence.km)

    def _either(self, english: str, khmer: str) -> str:
        return khmer if self._language == "km" else english


def _day(day: date) -> str:
    return day.isoformat()
