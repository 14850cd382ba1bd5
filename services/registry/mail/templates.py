"""The texts of e-mails, in Khmer and English, from `data/emails.json`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.registry.data_files import read_data
from services.registry.mail.transport import Email

LANGUAGES = ("km", "en")
BETWEEN = "\n\n-- \n\n"
"""What separates the languages of an e-mail."""
KHMER_DIGITS = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")


@dataclass(frozen=True)
class EmailTemplates:
    """A subject and a text in each language for each kind of e-mail, with names of fields in braces."""

    texts: Mapping[str, Mapping[str, Mapping[str, str]]]
    phrases: Mapping[str, Mapping[str, str]]
    months_km: tuple[str, ...]

    @classmethod
    def load(cls) -> "EmailTemplates":
        """The templates of this release."""
        file = read_data("emails.json")
        return cls(file["emails"], file["phrases"], tuple(file["months_km"]))

    def write(
        self, name: str, *, message_id: str, to: str, now: datetime, fields: Mapping[str, Any], language: str | None = None
    ) -> Email:
        """The e-mail of this name, with its fields filled in: in one language, or in both, Khmer first."""
        texts = [self.texts[name][each] for each in ([language] if language else LANGUAGES)]
        return Email(
            message_id=message_id,
            to=to,
            subject=" / ".join(text["subject"].format(**fields) for text in texts),
            text=BETWEEN.join(text["text"].format(**fields) for text in texts) + "\n",
            written_at=now,
        )

    def date_fields(self, name: str, day: date) -> dict[str, str]:
        """A day in both languages, as the fields `{name}_en` and `{name}_km`."""
        in_khmer = f"{day.day} {self.months_km[day.month - 1]} {day.year}".translate(KHMER_DIGITS)
        return {f"{name}_en": f"{day.day} {day:%B %Y}", f"{name}_km": in_khmer}

    def number_fields(self, name: str, number: int) -> dict[str, str]:
        """A number in both languages, as the fields `{name}_en` and `{name}_km`."""
        return {f"{name}_en": str(number), f"{name}_km": str(number).translate(KHMER_DIGITS)}

    def phrase_fields(self, name: str, phrase: str) -> dict[str, str]:
        """A phrase in both languages, as the fields `{name}_en` and `{name}_km`."""
        return {f"{name}_{language}": text for language, text in self.phrases[phrase].items()}
