"""Data that a law or the ministry can change: forms, issuing offices, reasons of rejection, the length of an assignment."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from services.certificates.domain.certified import CertificationRule
from services.certificates.domain.examination import ExaminationRules
from services.certificates.domain.form import Form, FormNotAvailable, FormNotOffered, OfficeUnknown, OriginalNotFromMember
from services.certificates.domain.reason import Reason
from services.certificates.form_files import FOLDER, FormFile, read_form_files
from shared.dated import NothingInForce, effective_from, in_force

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class AssignmentRule:
    """How long an assignment lasts, from a day on."""

    effective_from: date
    lasts: timedelta


@dataclass(frozen=True)
class ReferenceData:
    """The forms, issuing offices, reasons of rejection and the rules of assignments of this release."""

    form_files: Sequence[FormFile]
    forms: Sequence[Form]
    offices: dict[str, bool]
    office_names: dict[str, str]
    country_names: dict[str, str]
    reasons: Sequence[Reason]
    reasons_to_cancel: Sequence[Reason]
    assignments: Sequence[AssignmentRule]
    examinations: Sequence[ExaminationRules]
    certification: Sequence[CertificationRule]

    @classmethod
    def load(cls, form_folder: Path = FOLDER) -> "ReferenceData":
        """Reads the data files. Raises FormFileWrong."""
        form_files = read_form_files(form_folder)
        forms = [form for file in form_files for form in file.forms()]
        offices = {row["code"]: row["headquarters"] for row in _rows("offices")}
        office_names = {row["code"]: row["name"] for row in _rows("offices")}
        country_names = json.loads((DATA / "countries.json").read_text(encoding="utf-8"))
        assignments = [AssignmentRule(effective_from(row), timedelta(hours=row["hours"])) for row in _rows("assignments")]
        certification = [
            CertificationRule(effective_from=effective_from(row), signatories=row["signatories"], months=row["months"])
            for row in _rows("self_certification")
        ]
        return cls(
            form_files,
            forms,
            offices,
            office_names,
            country_names,
            _reasons("rejection_reasons"),
            _reasons("cancellation_reasons"),
            assignments,
            [
                ExaminationRules(
                    effective_from=effective_from(row),
                    valid_months=row["valid_months"],
                    cost_data_months=row["cost_data_months"],
                    renewal_by_rule=row["renewal_by_rule"],
                )
                for row in _rows("product_examinations")
            ],
            certification,
        )

    def form(self, name: str, on: date) -> Form:
        """The form in force on a day. Raises FormNotAvailable, FormNotOffered."""
        if listed := next((file for file in self.form_files if file.form == name and not file.verified), None):
            raise FormNotAvailable("form", form=name, agreement=listed.agreement)
        try:
            return in_force([form for form in self.forms if form.name == name], on)
        except NothingInForce:
            raise FormNotOffered("form", form=name, day=on) from None

    def find_form(self, name: str, on: date) -> Form | None:
        """The form in force on a day, or None."""
        try:
            return self.form(name, on)
        except (FormNotAvailable, FormNotOffered):
            return None

    def forms_on(self, on: date) -> list[Form]:
        """The forms that can be chosen on a day."""
        found = (self.find_form(file.form, on) for file in self.form_files)
        return [form for form in found if form]

    def must_have_back_to_back_member(self, country: str, on: date) -> None:
        """Refuses an original of a country that no form with back-to-back goods serves. Raises OriginalNotFromMember."""
        forms = [form for form in self.forms_on(on) if form.back_to_back]
        members = {member for form in forms for member in form.members}
        if country not in members:
            raise OriginalNotFromMember("country", form={form.name for form in forms}, members=members, country=country)

    def must_have_office(self, office: str) -> None:
        """Refuses an unknown office. Raises OfficeUnknown."""
        if office not in self.offices:
            raise OfficeUnknown("consignment.office", office=office, offices=set(self.offices))

    def is_headquarters(self, office: str) -> bool:
        """Whether the officers of this office act for all offices."""
        return self.offices.get(office, False)

    def rejection_reasons(self, on: date) -> Sequence[Reason]:
        """The reasons for which an officer can reject a certificate on a day."""
        return [reason for reason in self.reasons if reason.is_in_force(on)]

    def cancellation_reasons(self, on: date) -> Sequence[Reason]:
        """The reasons for which an officer can cancel a certificate on a day."""
        return [reason for reason in self.reasons_to_cancel if reason.is_in_force(on)]

    def cancellation_text(self, code: str) -> str:
        """The English text of a reason to cancel; the code itself for a reason that is no longer in the data."""
        return next((reason.text["en"] for reason in self.reasons_to_cancel if reason.code == code), code)

    def examination(self, on: date) -> ExaminationRules:
        """The rules of the examination of products on a day. Raises NothingInForce."""
        return in_force(self.examinations, on)

    def certification_rule(self, on: date) -> CertificationRule:
        """The bounds of certified exporters on a day. Raises NothingInForce."""
        return in_force(self.certification, on)

    def assignment_lasts(self, on: date) -> timedelta:
        """How long an assignment lasts that begins on a day. Raises NothingInForce."""
        return in_force(self.assignments, on).lasts


def _reasons(name: str) -> list[Reason]:
    return [
        Reason(
            code=row["code"],
            effective_from=effective_from(row),
            effective_until=date.fromisoformat(row["effective_until"]) if "effective_until" in row else None,
            text=row["text"],
        )
        for row in _rows(name)
    ]


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return rows
