"""How the house says no, and how it says not now. Standard library only: every `domain.py` may use it."""

from typing import ClassVar


class Refused(Exception):
    """A rule said no. Subclasses are named after the fact and carry a slug.

    `detail` is a sentence for the person who asked; `fields` names the fields of the request concerned.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str = "", *fields: str) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip().splitlines()[0]
        self.fields = fields
        super().__init__(f"{self.code}: {self.detail}")


class Unavailable(Exception):
    """Something outside does not answer now; the same attempt may succeed later, so it is made again."""
