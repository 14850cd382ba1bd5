"""Posted forms: to contracts, and the errors of contracts and refusals back to the fields, with what was typed.

A field has the name of its place in the contract, such as `consignment.items.0.hs_code`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from pydantic import BaseModel, ValidationError, create_model
from pydantic_core import to_json
from starlette.datastructures import FormData, UploadFile

from shared.contracts.messages import Problem, Refusal
from shared.web.languages import Language

M = TypeVar("M", bound=BaseModel)

ONCE = "once"
"""The hidden field that makes the commands of a form the same when it is posted twice."""
NOT_FIELDS = frozenset({ONCE, "csrf", "back"})


class FormInvalid(Exception):
    """A form has errors. They stand in the form."""


class Form:
    """The values and errors of a form. Before it is posted, the values are defaults.

    `labels`: of the fields that the page shows, by name. The templates fill them in. `advice`: what to correct in a field
    before the form is submitted.
    """

    def __init__(self, language: Language, posted: FormData | None = None) -> None:
        self._language = language
        self._typed: dict[str, list[str]] = {}
        self.files: dict[str, UploadFile] = {}
        self.errors: list[tuple[str, str]] = []
        self.labels: dict[str, str] = {}
        self.advice: dict[str, list[str]] = {}
        self.restored = False
        self._defaults: dict[str, str] = {}
        for name, value in posted.multi_items() if posted else ():
            if isinstance(value, UploadFile):
                if value.filename:
                    self.files[name] = value
            else:
                self._typed.setdefault(name, []).append(value)
        try:
            self.once = UUID(self.text(ONCE))
        except ValueError:
            self.once = uuid4()

    @property
    def fields(self) -> dict[str, list[str]]:
        """What was typed, without the hidden fields of the plumbing."""
        return {name: values for name, values in self._typed.items() if name not in NOT_FIELDS}

    def restore(self, fields: Mapping[str, list[str]]) -> None:
        """Fills the form with what was typed before the person was signed out."""
        self._typed = {**fields, **self._typed}
        self.restored = True

    def defaults(self, values: Mapping[str, Any]) -> None:
        """The values to show in fields that nobody has typed in; nested values get dotted names."""
        self._defaults |= flat(values)

    def text(self, name: str) -> str:
        """What was typed in a field, without spaces around it; empty if nothing was."""
        values = self._typed.get(name)
        return values[0].strip() if values else ""

    def forget(self, name: str) -> None:
        """Leaves out what was typed in a field that does not belong to the chosen ones."""
        self._typed.pop(name, None)

    def type_in(self, name: str, *values: str) -> None:
        """Replaces what was typed in a field, for instance by its usual form."""
        self._typed[name] = list(values)

    def texts(self, name: str) -> list[str]:
        """All values of a field, such as the chosen boxes."""
        return self._typed.get(name, [])

    def value(self, name: str) -> str:
        """The value that the page shows in a field."""
        values = self._typed.get(name)
        return values[0] if values else self._defaults.get(name, "")

    def error(self, name: str) -> str:
        """The error of a field; empty if there is none."""
        return next((sentence for field, sentence in self.errors if field == name), "")

    def is_chosen(self, name: str, value: str) -> bool:
        """Whether a value of a field with several values is chosen."""
        return value in self._typed.get(name, [])

    def command_id(self, what: str) -> UUID:
        """The id of a command of this form: the same when the form is posted twice."""
        return uuid5(NAMESPACE_URL, f"{self.once}:{what}")

    def build(self, kind: type[M], /, _only: Sequence[str] | None = None, **fixed: Any) -> M:
        """The contract with what was typed. `fixed`: values that the page knows. Raises FormInvalid.

        `_only`: the names of the fields to take; without it every field of the contract.
        """
        names = kind.model_fields.keys() - fixed.keys() if _only is None else set(_only)
        typed = nested({name: values for name, values in self.fields.items() if name.split(".")[0] in names})
        if "command_id" in kind.model_fields and "command_id" not in fixed:
            fixed["command_id"] = self.command_id(kind.__name__)
        try:
            return kind.model_validate_json(_as_json({**typed, **fixed}))
        except ValidationError as error:
            for each in error.errors(include_url=False, include_input=False):
                self.fail(".".join(map(str, each["loc"])), self._sentence(each["type"], each.get("ctx", {}), each["msg"]))
            raise FormInvalid from None

    def fail(self, field: str, sentence: str) -> None:
        """Adds an error. `field`: its name, or empty for the whole form."""
        if not self.error(field) or not field:
            self.errors.append((field, sentence))

    def must_be_valid(self) -> None:
        """Raises FormInvalid if there is an error."""
        if self.errors:
            raise FormInvalid

    def advise(self, field: str, sentence: str) -> None:
        """Adds what to correct in a field. It is no error as long as the form is not submitted."""
        if sentence not in self.advice.setdefault(field, []):
            self.advice[field].append(sentence)

    def refuse(self, refusal: Refusal, at: str = "") -> None:
        """Lays each problem of a refusal on its fields; on `at` if none of them is on the page."""
        for problem in refusal.each:
            sentence = self._language.refusal(problem.code, problem.values, problem.detail)
            shown = [field for field in problem.fields if field in self._typed or field in self._defaults]
            for field in shown or [at]:
                self.fail(field, sentence if shown else self._with_box(problem, sentence))

    def _with_box(self, problem: Problem, sentence: str) -> str:
        """A sentence that does not stand at its field: it names its box, if it has one."""
        _, box, item = self._language.gettext, problem.values.get("box"), problem.values.get("item")
        if not box:
            return sentence
        place = _("Box %(number)s, item %(item)s") if item else _("Box %(number)s")
        return f"{place % {'number': box, 'item': item}}: {sentence}"

    def _sentence(self, kind: str, context: Mapping[str, Any], message: str) -> str:
        """The sentence for an error of pydantic, by its kind."""
        _ = self._language.gettext
        sentences = {
            "missing": _("Fill in this field."),
            "string_too_short": _("Fill in this field."),
            "too_short": _("Add at least one."),
            "string_too_long": _("This text is too long: at most {max_length} characters."),
            "too_long": _("There are too many: at most {max_length}."),
            "int_parsing": _("Type a whole number, such as 25."),
            "int_from_float": _("Type a whole number, such as 25."),
            "decimal_parsing": _("Type a number, such as 1250.50."),
            "decimal_max_places": _("At most {decimal_places} digits may follow the decimal point."),
            "decimal_max_digits": _("This number has too many digits."),
            "decimal_whole_digits": _("This number is too large."),
            "greater_than": _("Type a number above {gt}."),
            "greater_than_equal": _("Type a number of at least {ge}."),
            "less_than_equal": _("Type a number of at most {le}."),
            "date_parsing": _("Type a date, such as 2026-11-26."),
            "date_from_datetime_parsing": _("Type a date, such as 2026-11-26."),
            "uuid_parsing": _("Choose one of the list."),
            "enum": _("Choose one of the list."),
            "literal_error": _("Choose one of the list."),
            "string_pattern_mismatch": _("This does not have the form that is needed here."),
        }
        ours = {
            "a certificate is in English: use Latin letters (ATIGA Annex 8, Rule 7)": _(
                "A certificate is in English: use the Latin alphabet here. Khmer text cannot be printed on it."
            ),
            "must not contain control characters": _("This text contains characters that cannot be printed: type it again."),
        }
        reason = message.removeprefix("Value error, ")
        found = sentences.get(kind) or ours.get(reason)
        if found is None:
            return f"{reason[:1].upper()}{reason[1:]}."
        return found.format_map(dict(context)) if "{" in found else found


@cache
def part_of(kind: type[BaseModel], *names: str) -> type[BaseModel]:
    """A contract with some fields of another one: what one step of a long form asks."""
    fields: dict[str, Any] = {name: (kind.model_fields[name].annotation, kind.model_fields[name]) for name in names}
    return create_model(f"{kind.__name__}Part", __config__=kind.model_config, **fields)


def flat(values: Any, name: str = "") -> dict[str, str]:
    """Nested values with dotted names."""
    if isinstance(values, BaseModel):
        values = values.model_dump(mode="json")
    if isinstance(values, Mapping):
        pairs: Sequence[tuple[str, Any]] = list(values.items())
    elif isinstance(values, (list, tuple)):
        pairs = [(str(number), value) for number, value in enumerate(values)]
    else:
        return {} if values is None else {name: str(values)}
    found: dict[str, str] = {}
    for key, value in pairs:
        found |= flat(value, f"{name}.{key}" if name else str(key))
    return found


MAX_ITEMS = 2_000


def nested(fields: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Dotted names as nested values; numbers are places in a list, in their order. Empty texts are left out.

    A name that ends with `[]` has several values.
    """
    tree: dict[str, Any] = {}
    for name, values in fields.items():
        several = name.endswith("[]")
        *path, last = name.removesuffix("[]").split(".")
        if not several and not values[0].strip():
            continue
        place = tree
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                break
        else:
            place[last] = [value.strip() for value in values] if several else values[0].strip()
    return {key: _lists(value) for key, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(each) for key, each in value.items()}
    if inner and all(key.isdigit() and len(key) < 6 for key in inner):
        return [inner[key] for key in sorted(inner, key=int)][:MAX_ITEMS]
    return inner


def _as_json(values: Mapping[str, Any]) -> bytes:
    return to_json(values)
