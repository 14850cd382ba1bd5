"""The fields of a cost statement: a table of materials that is typed or pasted, processes, and costs."""

from collections.abc import Iterator, Mapping, Sequence

from services.portal.forms import Form
from shared.contracts.certificates.origin import MAX_MATERIALS
from shared.web.languages import Language

ROW = ("description", "hs", "value", "origin", "originating", "pc_share")
"""What is stated of one material, in the order of the pasted columns."""
FEWEST, MORE = 3, 10
"""Empty rows of materials that a page shows at first, and that it adds."""
ANSWERS = {"yes": "true", "true": "true", "1": "true", "no": "false", "false": "false", "0": "false"}


class StatementFields:
    """A cost statement in a form. `at`: the name of its field, such as `statement`. `row`: what is stated of a material."""

    def __init__(self, form: Form, at: str, row: Sequence[str] = ROW) -> None:
        self._form = form
        self._at = at
        self._row = row

    @property
    def materials(self) -> str:
        """The name of the field of the materials."""
        return f"{self._at}.materials"

    def rows(self) -> list[Mapping[str, str]]:
        """The materials that were typed into the table, then those that were pasted, without empty rows."""
        return list(self._rows())

    def _rows(self) -> Iterator[Mapping[str, str]]:
        typed: dict[int, dict[str, str]] = {}
        for name, values in self._form.fields.items():
            place, _, part = name.removeprefix(f"{self.materials}.").partition(".")
            if (
                name.startswith(self.materials)
                and place.isdecimal()
                and len(place) < 6
                and part in self._row
                and values[0].strip()
            ):
                typed.setdefault(int(place), {})[part] = values[0].strip()
        yield from (typed[place] for place in sorted(typed) if typed[place].keys() - {"basis"})
        for line in self._form.text("pasted").splitlines():
            if line.strip():
                parts = [part.strip() for part in line.split("\t" if "\t" in line else ";")]
                yield {name: part for name, part in zip(self._row, parts, strict=False) if part}

    def arrange(self) -> list[Mapping[str, str]]:
        """Numbers the materials without gaps, so that an error stands at its row.

        Codes lose their points, numbers their commas. Returns the materials.
        """
        form, rows = self._form, self.rows()
        for name in [name for name in form.fields if name.startswith(f"{self.materials}.")]:
            form.forget(name)
        form.forget("pasted")
        for number, row in enumerate(rows[: MAX_MATERIALS + 1]):
            for part, value in row.items():
                form.type_in(f"{self.materials}.{number}.{part}", as_contract(part, value))
        for name in ("fob", "labour", "overhead", "other", "profit"):
            if value := form.text(f"{self._at}.{name}"):
                form.type_in(f"{self._at}.{name}", as_contract("value", value))
        form.type_in(f"{self._at}.currency", form.text(f"{self._at}.currency").upper())
        if form.text(f"{self._at}.wholly_obtained"):
            form.type_in(f"{self._at}.wholly_obtained", "true")
        processes = [each.strip() for each in form.text("processes").replace("\n", ",").replace(";", ",").split(",")]
        for number, process in enumerate(each for each in processes if each):
            form.type_in(f"{self._at}.processes.{number}", process)
        if not rows:
            form.type_in(f"{self.materials}[]")
        return rows

    def numbers(self, known: int = 0, spare: int = FEWEST) -> range:
        """The rows that the page shows: those with a material, and some empty ones."""
        return range(min(max(len(self.rows()), known) + spare, MAX_MATERIALS))

    def lay_on_rows(self) -> None:
        """Errors of processes belong to their field; there is one field for all of them."""
        for place, (field, sentence) in enumerate(self._form.errors):
            if field.startswith(f"{self._at}.processes"):
                self._form.errors[place] = ("processes", sentence)


def as_contract(part: str, value: str) -> str:
    """What was typed, in the form of the contract."""
    if part == "hs":
        return value.replace(".", "").replace(" ", "")
    if part in ("value", "pc_share"):
        return value.replace(",", "").replace(" ", "").removesuffix("%")
    if part == "originating":
        return ANSWERS.get(value.lower(), value)
    return value.upper() if part == "origin" else value


def standings(language: Language) -> Mapping[str, str]:
    """What a material counts as, in words."""
    _ = language.gettext
    return {
        "domestic": _("originating"),
        "presumed": _("originating, bought in Cambodia"),
        "accumulated": _("originating in another member"),
        "partly": _("originating in part"),
        "non_originating": _("not originating"),
    }
