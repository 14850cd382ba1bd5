"""The behaviour of the countries in a simulated region: a JSON object by country, with `*` for all others."""

import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class Behaviour(BaseModel):
    """How the gateway of a country behaves, as its partners see it. Shares are between 0 and 1.

    `latency`: seconds, at least and at most. `duplicates`: the share of messages that arrive twice. `disorder`: the share that
    arrives up to three seconds late, after later ones. `lost_answers`: the share whose receipt is lost. `silence`: the share
    that is never answered. `out`: the times when it does not answer at all, in seconds since the start. `version`: the newest
    version of the messages that it speaks. `clock`: seconds by which its clock is ahead; negative if it is behind.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    latency: tuple[Seconds, Seconds] = (0.0, 0.0)
    duplicates: Share = 0.0
    disorder: Share = 0.0
    lost_answers: Share = 0.0
    silence: Share = 0.0
    out: tuple[tuple[Seconds, Seconds], ...] = ()
    version: Annotated[int, Field(ge=1, le=2)] = 2
    clock: Annotated[float, Field(ge=-3600, le=3600)] = 0.0

    @model_validator(mode="after")
    def _times_are_in_order(self) -> "Behaviour":
        if any(begin >= end for begin, end in self.out) or self.latency[0] > self.latency[1]:
            raise ValueError("the first time must be before the second")
        return self

    def is_out(self, after: float) -> bool:
        """Whether it does not answer so many seconds after the start."""
        return any(begin <= after < end for begin, end in self.out)

    def delay(self, random: Random) -> float:
        """The seconds that a message takes to arrive."""
        late = random.uniform(0.2, 3.0) if random.random() < self.disorder else 0.0
        return random.uniform(*self.latency) + late


def read_behaviour(file: Path | None, countries: Iterable[str]) -> dict[str, Behaviour]:
    """The behaviour of each country. Raises OSError, and ValueError for a malformed file."""
    rows = TypeAdapter(dict[str, Behaviour]).validate_python(json.loads(file.read_bytes()) if file else {})
    return {country: rows.get(country, rows.get("*", Behaviour())) for country in countries}
