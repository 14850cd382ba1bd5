"""The letters that registry writes about registrations, in Khmer and English."""

from datetime import date, datetime

from services.registry.catalogue import Words
from services.registry.domain.registration import Registration
from services.registry.domain.reminders import OVER
from services.registry.post import Letter

KHMER_DIGITS = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")


def letter_about_the_end(registration: Registration, days_before: int, words: Words, today: date, now: datetime) -> Letter:
    """What the company is told of the end of its year: the day, how many days are left, and what to do."""
    _, valid_until = registration.validity
    said_of = registration.particulars
    text = words.over if days_before == OVER else words.ends
    days = (valid_until - today).days
    fields = {
        "name_en": said_of.company_name,
        "name_km": said_of.company_name_km or said_of.company_name,
        "date_en": f"{valid_until.day} {valid_until:%B %Y}",
        "date_km": date_in_khmer(valid_until, words),
        "days": days,
        "days_km": str(days).translate(KHMER_DIGITS),
        "what_to_do_km": words.what_to_do[registration.asked]["km"],
        "what_to_do_en": words.what_to_do[registration.asked]["en"],
    }
    return Letter(
        letter_id=f"registration-{registration.exporter_id}-{valid_until}-{days_before}",
        to=said_of.contact_email or "",
        subject=text["subject"].format(**fields),
        text="\n\n".join([text["text_km"].format(**fields), "-- ", text["text_en"].format(**fields)]) + "\n",
        written_at=now,
    )


def date_in_khmer(day: date, words: Words) -> str:
    """A date in Khmer words and digits."""
    return f"{day.day} {words.months_km[day.month - 1]} {day.year}".translate(KHMER_DIGITS)
