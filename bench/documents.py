"""How long a document takes: `python -m bench.documents`. It prints the median of many different certificates."""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter, process_time
from uuid import uuid4

from services.certificates.documents.orders import PageOrder
from services.certificates.documents.printing import printed
from services.certificates.documents.sealing import sealed_page
from services.certificates.reference_data import ReferenceData
from tests.certificates.keys import a_sealing
from tests.gateway.builders import a_form, an_item

RUNS, FEW = 100, 5
DAY = date(2026, 3, 2)


def a_page(number: int, items: int) -> PageOrder:
    """A certificate with a number of its own, so that no run finds the page of another one."""
    goods = tuple(an_item(line, marks=f"{number}/{line}", invoice_number=f"INV-{number}") for line in range(1, items + 1))
    return PageOrder(
        document=a_form(reference=f"D2026-PNH-{number:06}", items=goods).model_dump_json(),
        page=ReferenceData.load().form("D", DAY).page,
        country_names={"KH": "Cambodia", "VN": "Viet Nam"},
        office_name="Ministry of Commerce, Phnom Penh",
        check_at="https://co.example/verify",
    )


def measure(what: str, runs: int, items: int, make: Callable[[PageOrder], object]) -> None:
    """Prints one line with milliseconds."""
    make(a_page(0, items))  # the libraries are loaded once in a process
    taken, worked = [], process_time()
    for number in range(1, runs + 1):
        page = a_page(number, items)
        began = perf_counter()
        make(page)
        taken.append((perf_counter() - began) * 1000)
    cpu = (process_time() - worked) / runs * 1000
    print(f"{what:24} {runs:4} runs  median {median(taken):7.1f} ms  slowest {max(taken):7.1f} ms  cpu {cpu:7.1f} ms")


def main() -> None:
    """Measures pages with 3 and 1000 items, without and with a seal."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    runs = parser.parse_args().runs
    sealing = a_sealing()

    def seal(page: PageOrder) -> object:
        return sealed_page(page, sealing.order(uuid4(), "PNH", "ABCD-EFGH-JKLM", DAY, datetime.combine(DAY, time(), UTC)))

    measure("PDF, 3 items", runs, 3, printed)
    measure("sealed PDF, 3 items", runs, 3, seal)
    measure("PDF, 1000 items", min(runs, FEW), 1000, printed)
    measure("sealed PDF, 1000 items", min(runs, FEW), 1000, seal)
    print(f"this process used at most {getrusage(RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
