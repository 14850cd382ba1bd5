"""How long a certificate with many items takes, in one process on SQLite: `python -m bench.large_certificate [ITEMS]`."""

import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import uuid4

from services.certificates.handlers import router
from shared.contracts.certificates.checking import CheckDraft
from shared.contracts.certificates.content import GetCertificateContent
from shared.contracts.certificates.issuing import DraftCertificate, SubmitCertificate
from shared.contracts.messages import Refusal, Request
from tests.certificates.keys import certificate_tools
from tests.certificates.test_handlers import Trader
from tests.support.service_under_test import a_service_under_test

RUNS = 7


async def measure(items: int) -> dict[str, float]:
    """The medians of each step, in seconds."""
    seconds: dict[str, list[float]] = {}

    with tempfile.TemporaryDirectory() as folder:
        async with a_service_under_test("certificates", router, Path(folder), *certificate_tools()) as service:
            trader = await Trader(service).begin()
            (item,) = trader.consignment()["items"]
            goods = [item | {"marks": f"SAT / {number}", "invoice_number": f"INV-{number % 20}"} for number in range(items)]
            content = trader.consignment() | {"items": goods}

            async def timed(name: str, request: Request) -> None:
                started = perf_counter()
                answer = await service.ask(request, trader.person)
                seconds.setdefault(name, []).append(perf_counter() - started)
                assert not isinstance(answer, Refusal), answer

            for _ in range(RUNS):
                draft = DraftCertificate(certificate_id=uuid4(), exporter_id=trader.exporter_id, consignment=content)
                await timed("draft", draft)
                await timed("check", CheckDraft(exporter_id=trader.exporter_id, consignment=content))
                await timed("submit", SubmitCertificate(certificate_id=draft.certificate_id))
                await timed("content", GetCertificateContent(certificate_id=draft.certificate_id))
    return {name: median(each) for name, each in seconds.items()}


def main() -> None:
    """Prints the medians."""
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{items} items, median of {RUNS} runs")
    for name, value in asyncio.run(measure(items)).items():
        print(f"  {name:8} {value * 1000:7.0f} ms")


if __name__ == "__main__":
    main()
