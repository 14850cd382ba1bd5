"""No field of a message is lost on its way into the domain."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import asdict
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from services.certificates import content_views, original_views, views
from services.certificates.domain.form import Criterion
from services.certificates.domain.product import Product
from services.certificates.mappers import consignment_of, criterion_of, exporter_of, item_of, mandate_of, product_of, remark_of
from shared.contracts.certificates import issuing, products
from shared.contracts.messages import Command, Event
from shared.contracts.registry.mandates import MandateGranted
from shared.contracts.registry.registrations import RegistrationApproved

NOT_KEPT = {
    "command_id": "it belongs to the command, not to what it describes",
    "occurred_at": "the version orders the events",
    "scope": "the token of a mandate has its roles",
}
"""Fields that no mapper takes, and why."""


class Mark:
    """A value that is equal to nothing else."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __repr__(self) -> str:
        return self.path

    def __deepcopy__(self, memo: object) -> "Mark":
        return self


def marked(model: type[BaseModel], path: str = "") -> BaseModel:
    """A message with a mark in each field, made from `model_fields` without validation."""
    return model.model_construct(**{name: _marked(field.annotation, f"{path}{name}") for name, field in fields_of(model)})


def fields_of(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    return ((name, field) for name, field in model.model_fields.items() if name not in NOT_KEPT)


def _marked(annotation: Any, path: str) -> object:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return marked(annotation, f"{path}.")
    if parts := [
        part for part in getattr(annotation, "__args__", ()) if isinstance(part, type) and issubclass(part, BaseModel)
    ]:
        optional = type(None) in annotation.__args__
        return marked(parts[0], f"{path}.") if optional else (marked(parts[0], f"{path}.0."),)
    return Mark(path)


def marks(thing: object) -> set[Mark]:
    """Every mark in a message or in an object of the domain."""
    if isinstance(thing, Mark):
        return {thing}
    if isinstance(thing, BaseModel):
        return marks(dict(thing))
    if isinstance(thing, dict):
        return marks(list(thing.values()))
    return set().union(*map(marks, thing)) if isinstance(thing, list | tuple) else set()


def a_product(**changes: Any) -> Product:
    """A product with nothing in it."""
    nothing = dict.fromkeys(("product_id", "exporter_id", "description", "hs_code", "criterion", "handicraft"))
    return Product(**nothing | changes)


class AnyProduct(dict[Any, Product]):
    def __missing__(self, key: object) -> Product:
        return a_product()


MAPPERS: dict[type[BaseModel], Callable[[Any], Any]] = {
    products.Criterion: criterion_of,
    products.RegisterProduct: product_of,
    issuing.Item: lambda wanted: item_of(wanted, a_product()),
    issuing.Consignment: lambda wanted: consignment_of(wanted, AnyProduct()),
    issuing.BoxRemark: remark_of,
    RegistrationApproved: exporter_of,
    MandateGranted: mandate_of,
}


@pytest.mark.parametrize("model", MAPPERS, ids=lambda model: model.__name__)
def test_every_field_of_a_message_lands_in_the_domain(model: type[BaseModel]) -> None:
    message = marked(model)
    assert marks(message), "nothing to look for"
    assert marks(message) - marks(asdict(MAPPERS[model](message))) == set()


def test_the_marks_reach_the_parts_of_a_message() -> None:
    paths = {mark.path for mark in marks(marked(issuing.Consignment))}
    assert {"office", "consignee.address", "transport.vessel", "items.0.fob.currency"} <= paths


def test_a_lost_field_is_found() -> None:
    message = marked(products.Criterion)
    lossy = Criterion(kind=message.kind)  # type: ignore[attr-defined]
    assert {mark.path for mark in marks(message) - marks(asdict(lossy))} == {"percentage"}


def test_every_field_that_is_not_kept_is_a_field_of_a_message() -> None:
    named = {name for model in (*MAPPERS, Command, Event) for name in model.model_fields}
    assert set(NOT_KEPT) <= named


def test_a_line_takes_the_findings_on_its_product() -> None:
    criterion = Criterion("CTSH")
    product = a_product(description="Shirts", criterion=criterion, handicraft=True)
    item = item_of(marked(issuing.Item), product)  # type: ignore[arg-type]
    assert (item.description, item.criterion, item.handicraft) == ("Shirts", criterion, True)


@pytest.mark.parametrize("module", [views, content_views, original_views])
def test_views_map_and_do_not_query(module: ModuleType) -> None:
    functions = [thing for thing in vars(module).values() if inspect.isfunction(thing) and thing.__module__ == module.__name__]
    assert functions
    assert not any(map(inspect.iscoroutinefunction, functions))
