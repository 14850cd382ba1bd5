"""The forms of certificates: which can be chosen, whom they serve, and which are not available yet."""

from datetime import date
from typing import ClassVar

from shared.contracts.messages import Answer, Contract, Question


class ListedForm(Contract):
    """A form. `title`: the name of its agreement by language. `available`: whether a certificate can be drafted today.

    `destinations`: the countries that it serves; none if it serves all. The rest is known of an available form only:
    `criteria`, `back_to_back`, `required_boxes`, `channel` (None: on paper only), `effective_from`.
    """

    form: str
    title: dict[str, str]
    agreement: str
    preferential: bool
    available: bool
    destinations: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    back_to_back: bool = False
    required_boxes: tuple[int, ...] = ()
    channel: str | None = None
    effective_from: date | None = None


class ListedForms(Answer):
    """All forms, the available ones first."""

    forms: tuple[ListedForm, ...]


class ListForms(Question):
    """Which forms are there, and which can be chosen today?"""

    subject: ClassVar[str] = "qry.forms.list.v1"
    answer: ClassVar[type[Answer]] = ListedForms
    under_mandate: ClassVar[bool] = True
