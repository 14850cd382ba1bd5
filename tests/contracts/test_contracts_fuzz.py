"""Whatever arrives as a contract, it is read or it is a validation error: nothing else, on any field."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts.index import contracts, operator_requests
from shared.contracts.messages import Contract
from tests.contracts.test_contracts import EXAMPLES
from tests.support.fuzzing import examples

pytestmark = pytest.mark.fuzz

EXAMPLE_OF: dict[str, dict[str, Any]] = {file.stem: json.loads(file.read_text()) for file in EXAMPLES}

HOSTILE = st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999-14:00",
        "9999-12-31",
        "0001-01-01",
        "-0001-01-01T00:00:00Z",
        "1e400",
        "NaN",
        "Infinity",
        "-0",
        "\x00",
        "\ud800",
        "\u202e",
        "០១២",
        "A" * 100_000,
        "9" * 5_000,
        "=cmd|' /C calc'!A0",
        "../../etc/passwd",
        10**400,
        -(10**400),
        1e308,
        {},
        [],
        [[[[]]]],
        None,
        True,
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


def paths(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value of an example stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [before, *(path for key, each in inner for path in paths(each, (*before, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The example with another value at one place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


def read(kind: type[Contract], body: str | bytes) -> None:
    try:
        message = kind.model_validate_json(body)
    except ValidationError:
        return
    assert kind.model_validate_json(message.model_dump_json()) == message


def few(function: Callable[..., Any]) -> Any:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples(12, 1_000), suppress_health_check=checks)(function)


@pytest.mark.parametrize("kind", [*contracts(), *operator_requests()], ids=lambda kind: kind.__name__)
@few
@given(data=st.data())
def test_an_example_with_one_value_changed_is_read_or_is_a_validation_error(kind: type[Contract], data: st.DataObject) -> None:
    example = EXAMPLE_OF.get(kind.subject, {})
    path = data.draw(st.sampled_from(paths(example)))
    read(kind, json.dumps(changed(example, path, data.draw(HOSTILE | JSON))))


@few
@given(kind=st.sampled_from([*contracts(), *operator_requests()]), body=st.binary(max_size=300) | JSON.map(json.dumps))
def test_bytes_of_any_kind_are_read_or_are_a_validation_error(kind: type[Contract], body: str | bytes) -> None:
    read(kind, body)
