"""E-mails about the end of a registration."""

from datetime import date, datetime

from services.registry.companies.domain.registration import Registration
from services.registry.companies.domain.reminders import OVER
from services.registry.mail.templates import EmailTemplates
from services.registry.mail.transport import Email


def reminder_email(
    registration: Registration, days_before: int, templates: EmailTemplates, *, today: date, now: datetime
) -> Email:
    """The e-mail that names the last day of a registration, the days left, and what the company can do."""
    _, valid_until = registration.validity
    particulars = registration.particulars
    fields = {
        "name_en": particulars.company_name,
        "name_km": particulars.company_name_km or particulars.company_name,
        **templates.date_fields("date", valid_until),
        **templates.number_fields("days", (valid_until - today).days),
        **templates.phrase_fields("what_to_do", f"renewal_{registration.asked}"),
    }
    return templates.write(
        "registration_ended" if days_before == OVER else "registration_ends",
        message_id=f"registration-{registration.exporter_id}-{valid_until}-{days_before}",
        to=particulars.contact_email or "",
        now=now,
        fields=fields,
    )
