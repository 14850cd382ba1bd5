"""How many inputs a fuzzing test tries: few in every run, many with `make prove ARGS=fuzz`."""

import os


def examples(small: int, large: int) -> int:
    """`large` where `CO_FUZZ` is set, else `small`."""
    return large if os.environ.get("CO_FUZZ") else small
