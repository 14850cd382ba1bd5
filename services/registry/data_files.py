"""Reads the files in `data`, which the ministry can change between releases."""

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


def read_data(name: str) -> Any:
    """The content of a data file."""
    return json.loads((DATA / name).read_text())
