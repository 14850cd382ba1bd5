"""The texts of tracking: all in data files, in English and Khmer."""

import json
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from services.tracking.answers import Bilingual, DeclarationVerdict, ExchangeState, Verdict
from shared.contracts.fields import Country, Office
from shared.contracts.gateway.transmissions import StatusCode
from shared.dated import in_force
from shared.web.languages import country_name

HERE = Path(__file__).parent / "data"
Tone = Literal["calm", "good", "bad"]
Phrase = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Row(BaseModel):
    """A row of a data file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Code(Row):
    """The texts of a code. `call`: whom to call if it stays, the issuing office or the customs of the destination."""

    name: Bilingual
    meaning: Bilingual
    next: Bilingual
    call: Literal["office", "customs"] | None
    tone: Tone
    ours: bool


class Stage(Row):
    """The texts of a status of a certificate, before its transmission."""

    name: Bilingual
    next: Bilingual | None = None


class CountryRow(Bilingual):
    """The name of a country. `exchanges`: whether it exchanges certificates over the ASEAN Single Window."""

    exchanges: bool


class OfficeRow(Row):
    """An issuing office. What is not known is null; the page then says that nothing is published."""

    code: Office
    name: Bilingual
    address: Bilingual | None = None
    telephone: Phrase | None = None
    email: Phrase | None = None
    hours: Bilingual | None = None


class CustomsRow(Row):
    """The customs of a country."""

    country: Country
    telephone: Phrase | None = None
    website: Annotated[str, StringConstraints(pattern=r"^https://[^\s\"'<>]{1,200}$")] | None = None


class Contacts(Row):
    """Whom to call. The operator replaces the file with `CO_CONTACTS_FILE`."""

    about: str
    offices: Annotated[tuple[OfficeRow, ...], Field(max_length=100)]
    customs: Annotated[tuple[CustomsRow, ...], Field(max_length=100)] = ()


class CheckRow(Row):
    """The texts of the outcome of a check. `verdict`: the general one, if the key of the row is a reason."""

    title: Bilingual
    meaning: Bilingual
    tone: Tone
    verdict: Verdict | None = None


class DeclarationRow(Row):
    """The texts of the outcome of the check of a declaration. `verdict`: as in `CheckRow`."""

    title: Bilingual
    meaning: Bilingual
    tone: Tone
    verdict: DeclarationVerdict | None = None


class Faq(Row):
    """A question that people ask, and its answer. `topic`: a key of `topics`."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,60}$")]
    topic: str
    question: Bilingual
    answer: Bilingual


class Help(Row):
    """All questions, by topic."""

    topics: dict[str, Bilingual]
    questions: tuple[Faq, ...]


class Guide(Row):
    """A guide with pictures and a video. `make guides` makes those from the real screens; `id` begins their names."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,30}$")]
    title: Bilingual
    summary: Bilingual
    steps: Annotated[tuple[Bilingual, ...], Field(min_length=1, max_length=20)]


class ExchangeRule(Row):
    """After how many minutes of waiting the exchange with a member counts as slow."""

    effective_from: date
    slow_after_minutes: Annotated[int, Field(ge=1)]
    source: str


class Situation(Row):
    """The texts about a certificate that waits for a member that is out."""

    meaning: Bilingual
    next: Bilingual


class ExchangeStage(Row):
    """The texts of a state of the exchange with a member, and what people do."""

    name: Bilingual
    next: Bilingual


class Exchange(Row):
    """The rules and texts of the exchange with members."""

    rules: Annotated[tuple[ExchangeRule, ...], Field(min_length=1)]
    states: dict[ExchangeState, ExchangeStage]
    waits: Situation

    def slow_after(self, day: date) -> timedelta:
        """How long a certificate may wait before the exchange counts as slow. Raises NothingInForce."""
        return timedelta(minutes=in_force(self.rules, day).slow_after_minutes)


class Forms(Row):
    """The forms of certificates. `exchanged`: those that go to customs electronically; `on_paper`: what to do with others."""

    source: str
    forms: frozenset[str]
    exchanged: frozenset[str]
    on_paper: Bilingual


class DataFiles:
    """The data files. `contacts`: a file of the operator instead of the one of this release. Raises ValueError."""

    def __init__(self, contacts: Path | None = None) -> None:
        self.contacts = Contacts.model_validate_json((contacts or HERE / "contacts.json").read_bytes())
        self.offices = {office.code: office for office in self.contacts.offices}
        self.customs = {row.country: row for row in self.contacts.customs}

    @cached_property
    def codes(self) -> dict[StatusCode, Code]:
        """The texts of each code."""
        return TypeAdapter(dict[StatusCode, Code]).validate_python(_read("codes"))

    @cached_property
    def stages(self) -> dict[str, Stage]:
        """The texts of each status."""
        return TypeAdapter(dict[str, Stage]).validate_python(_read("stages"))

    @cached_property
    def reasons(self) -> dict[str, Bilingual]:
        """The text of each reason for a rejection."""
        return TypeAdapter(dict[str, Bilingual]).validate_python(_read("reasons"))

    @cached_property
    def checks(self) -> dict[str, CheckRow]:
        """The texts of each outcome of a check."""
        return TypeAdapter(dict[str, CheckRow]).validate_python(_read("checks"))

    @cached_property
    def declarations(self) -> dict[str, DeclarationRow]:
        """The texts of each outcome of the check of a declaration."""
        return TypeAdapter(dict[str, DeclarationRow]).validate_python(_read("declarations"))

    @cached_property
    def unusual(self) -> dict[str, Bilingual]:
        """What to say about each part of a reference that is unusual."""
        return TypeAdapter(dict[str, Bilingual]).validate_python(_read("unusual"))

    @cached_property
    def countries(self) -> dict[str, CountryRow]:
        """The name of each country."""
        return TypeAdapter(dict[str, CountryRow]).validate_python(_read("countries"))

    @cached_property
    def exchange(self) -> Exchange:
        """The rules and texts of the exchange with members."""
        return Exchange.model_validate(_read("exchange"))

    @cached_property
    def forms(self) -> Forms:
        """The forms of certificates."""
        return Forms.model_validate(_read("forms"))

    @cached_property
    def help(self) -> Help:
        """The frequent questions."""
        return Help.model_validate(_read("faq"))

    @cached_property
    def guides(self) -> tuple[Guide, ...]:
        """The guides, step by step."""
        return TypeAdapter(tuple[Guide, ...]).validate_python(_read("guides")["guides"])

    def country(self, code: str) -> Bilingual:
        """The name of a country; that of CLDR if the file has none."""
        return self.countries.get(code) or Bilingual(en=country_name(code, "en"), km=country_name(code, "km"))

    def office(self, code: str) -> Bilingual:
        """The name of an office; its code if the name is not known."""
        found = self.offices.get(code)
        return found.name if found else Bilingual(en=code, km=code)

    def reason(self, slug: str) -> Bilingual:
        """The meaning of a reason; its code in words if the meaning is not known."""
        readable = slug.replace("_", " ").capitalize() + "."
        return self.reasons.get(slug) or Bilingual(en=readable, km=readable)


def _read(name: str) -> Any:
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
