"""The contracts keep their promises: names, owners, bounds, and everything that was ever sent can still be read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from pydantic import ValidationError

from shared.contracts import asyncapi
from shared.contracts.index import SERVICES, contracts, events, operator_requests, owner_of
from shared.contracts.messages import Command, Contract, Event, Question, Request
from tests.support.example_messages import FOLDER

EXAMPLES = sorted(FOLDER.glob("*.json"))
BY_SUBJECT = {contract.subject: contract for contract in contracts()}
KINDS: dict[str, type[Contract]] = {"cmd": Command, "qry": Question, "evt": Event}


def words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z][a-z]*", name)]


@pytest.mark.parametrize("contract", contracts(), ids=lambda contract: contract.__name__)
def test_the_subject_spells_the_class_name(contract: type) -> None:
    kind, noun, verb, version = contract.subject.split(".")
    spoken = f"{noun}-{verb}" if kind == "evt" else f"{verb}-{noun}"

    assert spoken.split("-") == words(contract.__name__)
    assert issubclass(contract, KINDS[kind])
    assert version == "v1"


@pytest.mark.parametrize("operation", operator_requests(), ids=lambda contract: contract.__name__)
def test_the_subject_of_an_operational_question_spells_its_class_name(operation: type) -> None:
    kind, service, verb, version = operation.subject.split(".")
    owner = owner_of(operation)

    assert (kind, service, version) == ("ops", owner if owner in SERVICES else "{service}", "v1")
    assert verb.split("-") == words(operation.__name__)


def test_a_noun_has_one_owner() -> None:
    owners: dict[str, set[str]] = {}
    for contract in contracts():
        owners.setdefault(contract.subject.split(".")[1], set()).add(owner_of(contract))

    assert {noun: names for noun, names in owners.items() if len(names) > 1} == {}


def test_listeners_are_services() -> None:
    assert {name for event in events() for name in event.listeners} <= set(SERVICES)


def test_every_event_has_a_listener() -> None:
    assert [event.__name__ for event in events() if not event.listeners] == []


@pytest.mark.parametrize("contract", [*contracts(), *operator_requests()], ids=lambda contract: contract.__name__)
def test_a_contract_says_in_a_sentence_what_it_is(contract: type) -> None:
    assert contract.__doc__
    assert contract.__doc__.strip().endswith((".", "?", "`"))


def test_every_contract_has_an_example_and_every_example_a_contract() -> None:
    assert {path.stem for path in EXAMPLES} == set(BY_SUBJECT)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_what_was_once_sent_can_still_be_read_and_loses_nothing(path: Path) -> None:
    sent = json.loads(path.read_text())

    read = BY_SUBJECT[path.stem].model_validate_json(path.read_text())

    assert kept(sent, json.loads(read.model_dump_json()))


def kept(sent: Any, read: Any) -> bool:
    """Whether every sent value was read. Fields that a later release adds may have been read too."""
    if isinstance(sent, dict):
        return isinstance(read, dict) and all(name in read and kept(value, read[name]) for name, value in sent.items())
    if isinstance(sent, list):
        return isinstance(read, list) and len(sent) == len(read) and all(map(kept, sent, read))
    return bool(sent == read)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_unknown_fields_are_refused_in_requests_and_ignored_in_events(path: Path) -> None:
    contract = BY_SUBJECT[path.stem]
    newer = json.dumps({**json.loads(path.read_text()), "added_by_a_later_release": 1})

    if issubclass(contract, Request):
        with pytest.raises(ValidationError, match="added_by_a_later_release"):
            contract.model_validate_json(newer)
    else:
        assert contract.model_validate_json(newer) == contract.model_validate_json(path.read_text())


@pytest.mark.parametrize("contract", [c for c in contracts() if issubclass(c, Request)], ids=lambda contract: contract.__name__)
def test_every_text_and_list_in_a_request_is_bounded(contract: type[Request]) -> None:
    assert list(unbounded(contract.model_json_schema())) == []


def unbounded(schema: object, at: str = "") -> list[str]:
    found: list[str] = []
    if isinstance(schema, dict):
        if any(one.get("type") == "number" for one in schema.get("anyOf", [])):
            return []  # a decimal, which its digits bound
        bounds = {"maxLength", "pattern", "format", "enum", "const"}
        if schema.get("type") == "string" and not bounds & schema.keys():
            found.append(at)
        if schema.get("type") == "array" and "maxItems" not in schema:
            found.append(at)
        for key, value in schema.items():
            found += unbounded(value, f"{at}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            found += unbounded(value, f"{at}/{index}")
    return found


def test_the_asyncapi_document_is_the_one_the_contracts_make() -> None:
    assert asyncapi.FILE.read_text() == asyncapi.as_text(), "run `python -m shared.contracts.asyncapi`"


def test_the_asyncapi_document_is_valid_and_names_every_subject() -> None:
    document = ApplicationSchema.model_validate(asyncapi.document())

    assert set(document.channels) == set(BY_SUBJECT)
    assert set(document.operations) == {contract.__name__ for contract in contracts()}


@pytest.mark.parametrize(
    "question",
    [kind for kind in (*contracts(), *operator_requests()) if "limit" in kind.model_fields],
    ids=lambda contract: contract.__name__,
)
def test_a_list_is_read_page_by_page(question: type[Request]) -> None:
    assert {"after", "before"} & question.model_fields.keys()
    assert question.answer.model_fields["next"].default is None
