"""How many origin assessments a process makes in a second: `python -m bench.origin`, beside a floor.

The floor is the same arithmetic in plain Decimals: sums, comparisons of HS codes and of percentages, without a statement, a
worksheet or texts. A second is one of a processor.
"""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from statistics import median
from time import process_time

from services.certificates.domain.origin.assessment import assess
from services.certificates.origin_rules import shipped_rules
from services.certificates.origin_views import assessment_of, statement_of
from shared.contracts.certificates.origin import CostStatement, Material

DAY = date(2026, 11, 27)
KNOWN = next(each for each in shipped_rules() if each.rules.form == "D")
ORIGINS = ("CN", "KH", "VN", "TH")


def a_statement(materials: int) -> CostStatement:
    """A bicycle of so many materials; a quarter of them originates in another member."""
    made = tuple(
        Material(
            description=f"Part {number}",
            hs=f"{8714 + number % 7}{number % 90 + 10}",
            value=Decimal(f"{number % 97 + 1}.25"),
            origin=ORIGINS[number % 4],
            originating=True if number % 4 == 3 else None,
        )
        for number in range(materials)
    )
    total = sum((each.value for each in made), Decimal(0))
    return CostStatement(hs="871200", fob=total * 2, processes=("welding",), materials=made)


def floor(stated: CostStatement) -> bool:
    """RVC(40) or CTH with de minimis, as a person would write it once."""
    foreign = [each for each in stated.materials if not (each.originating or each.origin == "KH")]
    non_originating = sum((each.value for each in foreign), Decimal(0))
    failing = sum((each.value for each in foreign if each.hs[:4] == stated.hs[:4]), Decimal(0))
    return (stated.fob - non_originating) * 100 >= 40 * stated.fob or failing * 10 <= stated.fob


def a_second(make: Callable[[], object], rounds: int) -> float:
    """How many in a second: the median of several rounds of a fifth of a second."""
    found = []
    for _ in range(rounds):
        count, began = 0, process_time()
        while process_time() - began < 0.2:
            make()
            count += 1
        found.append(count / (process_time() - began))
    return median(found)


def main() -> None:
    """Prints a line for statements of 10, 100 and 1000 materials."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    for materials in (10, 100, 1000):
        stated = a_statement(materials)
        statement = statement_of(stated)
        engine = a_second(lambda statement=statement: assess(statement, KNOWN.rules, DAY), rounds)  # type: ignore[misc]
        sheet = a_second(lambda stated=stated: assessment_of(stated, KNOWN, DAY).model_dump_json(), rounds)  # type: ignore[misc]
        least = a_second(lambda stated=stated: floor(stated), rounds)  # type: ignore[misc]
        print(f"{materials:5} materials  assessed {engine:9,.0f}/s  worksheet as JSON {sheet:8,.0f}/s  floor {least:10,.0f}/s")


if __name__ == "__main__":
    main()
