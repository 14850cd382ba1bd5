"""Reads the forms: one JSON file for each in `data/forms/`. A wrong file stops the service, with the file and the field.

`python -m services.certificates.form_files` writes the JSON Schema of these files.
"""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from services.certificates.domain.form import Form

DATA = Path(__file__).parent / "data"
FOLDER, SCHEMA = DATA / "forms", DATA / "form.schema.json"

Short = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
FormName = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,8}$")]
Percentage = Annotated[Decimal, Field(gt=0, le=100, max_digits=6, decimal_places=3)]
Months = Annotated[int, Field(ge=1, le=60)]
Box = Annotated[int, Field(ge=1, le=13)]
Criterion = Literal["WO", "RVC", "CC", "CTH", "CTSH", "SP"]
Tick = Literal[
    "third_country_invoicing",
    "exhibition",
    "accumulation",
    "de_minimis",
    "back_to_back",
    "issued_retroactively",
    "partial_cumulation",
]


class FormFileWrong(ValueError):
    """A file of a form is wrong. The message names the file, the field and the reason."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Texts(_Part):
    """A text in English and Khmer."""

    en: Short
    km: Short


class Page(_Part):
    """The texts of the printed page. The arrangement of the boxes is the same for all forms.

    `heading`: the lines above the title. `official_use`: the choices of box 4. `declaration`: what box 11 declares about the
    origin of the goods, before the importing country. `ticks`: those of box 13.
    """

    heading: Annotated[tuple[Short, ...], Field(max_length=4)] = ()
    title: Short = "CERTIFICATE OF ORIGIN"
    subtitle: Short | None = None
    name: Short
    notes: Short | None = None
    official_use: Annotated[tuple[Short, ...], Field(max_length=4)] = ()
    declaration: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    box_7: Short
    box_8: Short
    box_9: Short
    ticks: Annotated[tuple[Tick, ...], Field(max_length=7)] = ()


class Rules(_Part):
    """The rules of a form from a day on.

    `members`: the countries of the agreement, or `world`. `thresholds`: the least percentages, by criterion and concept.
    `retroactive_months`: how long after the departure a certificate can be issued. `channel`: how customs abroad get the
    document; `ASW` is the ASEAN Single Window, and null is paper only. `required`: what each item must name besides its boxes.
    """

    effective_from: date
    source: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    members: Annotated[tuple[Country, ...], Field(min_length=2, max_length=200)] | Literal["world"]
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    thresholds: dict[Literal["RVC", "de_minimis", "partial_cumulation"], Percentage] = Field(default_factory=dict)
    fob_shown_with_rvc_for: tuple[Country, ...] = ()
    validity_months: Months
    retroactive_months: Months
    required_boxes: Annotated[tuple[Box, ...], Field(min_length=1)]
    required: tuple[Literal["manufacturer"], ...] = ()
    back_to_back: bool = False
    channel: Literal["ASW"] | None
    page: Page


class FormFile(_Part):
    """A form. `verified`: its rules are complete and signed off; otherwise it is listed and cannot be chosen."""

    form: FormName
    title: Texts
    agreement: Short
    preferential: bool
    verified: bool
    rules: tuple[Rules, ...] = ()

    @model_validator(mode="after")
    def _rules_go_with_verified(self) -> Self:
        if self.verified is not bool(self.rules):
            raise ValueError("rules: a verified form has rules, and no other form has any")
        return self

    def forms(self) -> list[Form]:
        """The rules of each period, as the domain knows them."""
        return [
            Form(
                name=self.form,
                agreement=self.agreement,
                effective_from=each.effective_from,
                members=frozenset() if each.members == "world" else frozenset(each.members),
                criteria=frozenset(each.criteria),
                thresholds={str(name): least for name, least in each.thresholds.items()},
                fob_shown_with_rvc_for=frozenset(each.fob_shown_with_rvc_for),
                validity_months=each.validity_months,
                retroactive_months=each.retroactive_months,
                required_boxes=frozenset(each.required_boxes),
                required=frozenset(each.required),
                back_to_back=each.back_to_back,
                channel=each.channel,
                page=each.page.model_dump(mode="json"),
            )
            for each in self.rules
        ]


def read_form_files(folder: Path = FOLDER) -> list[FormFile]:
    """All forms, by name. Raises FormFileWrong."""
    found: dict[str, FormFile] = {}
    for file in sorted(folder.glob("*.json")):
        form = _read(file)
        if file.stem.upper() != form.form:
            raise FormFileWrong(f"{file.name}: form: must be the name of the file, {file.stem.upper()}")
        found[form.form] = form
    if not found:
        raise FormFileWrong(f"{folder} has no form")
    return [found[name] for name in sorted(found)]


def _read(file: Path) -> FormFile:
    try:
        return FormFile.model_validate_json(file.read_text(encoding="utf-8"))
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, fault["loc"])) or "the file"
        raise FormFileWrong(f"{file.name}: {field}: {fault['msg']}") from None
    except UnicodeDecodeError:
        raise FormFileWrong(f"{file.name}: the file: must be UTF-8") from None


def schema() -> str:
    """The JSON Schema of a file."""
    described: dict[str, Any] = FormFile.model_json_schema()
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
