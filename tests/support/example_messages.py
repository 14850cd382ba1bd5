"""Reads the example message of a contract."""

from pathlib import Path
from typing import TypeVar

from shared.contracts.messages import Event, Request

FOLDER = Path(__file__).parents[1] / "contracts" / "examples"

M = TypeVar("M", bound=Request | Event)


def example_of(kind: type[M]) -> M:
    """The example of this contract."""
    return kind.model_validate_json((FOLDER / f"{kind.subject}.json").read_bytes())
