"""People in the portal, as browsers without JavaScript: they read pages, follow links, copy certificates and submit them.

Each browser has its own cookies and connections. A live page also keeps its stream open, and is read again when it changes.
"""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from time import perf_counter
from typing import Any
from uuid import uuid4

import httpx
from lxml import html

from cli.demo.accounts import Account

THINKS = (1.0, 3.0)
"""The shortest and the longest pause of a person between two pages, in seconds."""
REFRESH_AFTER = 0.15
"""Seconds between a change and the next reading of a live page, as in `live.js`."""
TIMEOUT = 30.0
CERTIFICATE, INVOICE = (
    re.compile(r'href="(/portal/certificates/[0-9a-f-]{36})'),
    re.compile(r'href="(/portal/payments/[0-9a-f-]{36})"'),
)
SAID = re.compile(r'id="errors">.*?<li>(?:<a[^>]*>)?([^<]+)', re.DOTALL)
BODY = re.compile(r"<body[^>]*>")
LIVE = re.compile(r'data-(ids|office)="([^"]+)"')
QUANTITIES = {"quantity": "100", "packages": "10", "gross_weight_kg": "120", "amount": "900.00"}
FLOOR = "/portal/sign-in?why=over"
"""A page that asks no other service. `why` shows it to people who are signed in too."""


@dataclass
class Measured:
    """The seconds of each kind of page, the answers that were no page, and the streams that were refused."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: Counter[str] = field(default_factory=Counter)
    submitted: int = 0

    @property
    def pages(self) -> int:
        """All pages together."""
        return sum(map(len, self.seconds.values()))


class Visitor:
    """A person with a browser. `measured` is replaced when another measurement begins."""

    def __init__(self, http: httpx.AsyncClient, account: Account, *, officer: bool, live: bool, seed: int) -> None:
        self.account, self.officer = account, officer
        self.measured = Measured()
        self.dice = Random(seed)
        self._http, self._live = http, live
        self._text = self._path = ""
        self._stream: asyncio.Task[None] | None = None
        self._certificates: list[str] = []
        self._invoices: list[str] = []

    async def sign_in(self) -> None:
        """Signs in by the pages. Raises RuntimeError if the home page does not follow."""
        await self._get("sign-in", "/portal/sign-in")
        await self._post("sign-in", "/sign-in", email=self.account.email, password=self.account.password)
        if self.account.authenticator.set_up:
            await self._post("sign-in", "/sign-in/code", code=await self.account.authenticator.code())
        if self._path != "/portal/":
            raise RuntimeError(f"{self.account.email} is not signed in: {self._path}")

    async def work(self, until: float) -> None:
        """Reads and acts until an instant of the loop's clock, with pauses."""
        steps = self._of_officer if self.officer else self._of_exporter
        acts, weights = zip(*steps(), strict=True)
        await self._repeat(lambda: self.dice.choices(acts, weights)[0](), until)

    async def read_floor(self, until: float) -> None:
        """Reads the page that needs no other service, with pauses."""
        await self._repeat(lambda: self._get("floor: the sign-in page", FLOOR), until)

    async def _repeat(self, step: Callable[[], Awaitable[Any]], until: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.dice.uniform(0, THINKS[1]))
        while loop.time() < until:
            await step()
            await self._think()
        self._close_stream()

    def _of_exporter(self) -> list[tuple[Callable[[], Awaitable[Any]], int]]:
        return [
            (lambda: self._get("home", "/portal/"), 3),
            (lambda: self._get("list", "/portal/certificates"), 4),
            (self._read_certificate, 5),
            (lambda: self._get("invoices", "/portal/payments"), 2),
            (self._read_invoice, 2),
            (lambda: self._get("filing form", f"/portal/filing/{uuid4()}/consignee"), 2),
            (lambda: self._get("products", "/portal/products"), 1),
            (self._copy_and_submit, 2),
        ]

    def _of_officer(self) -> list[tuple[Callable[[], Awaitable[Any]], int]]:
        return [
            (lambda: self._get("home", "/portal/"), 2),
            (lambda: self._get("queue", "/portal/queue"), 4),
            (self._read_certificate, 5),
            (lambda: self._get("list", "/portal/certificates"), 1),
        ]

    async def _read_certificate(self) -> None:
        if not self._certificates:
            await self._get("list", "/portal/certificates")
        elif chosen := self.dice.choice(self._certificates):
            await self._get("certificate", chosen)

    async def _read_invoice(self) -> None:
        if self._invoices:
            await self._get("invoice", self.dice.choice(self._invoices))
        else:
            await self._get("invoices", "/portal/payments")

    async def _copy_and_submit(self) -> None:
        await self._read_certificate()
        if "/copy" not in self._text:
            return
        await self._think()
        await self._post("act: copy", "/copy")
        typed = {
            "consignment.transport.departure_date": str(date.today() + timedelta(days=5)),
            "all.invoice_number": f"INV-{self.dice.randrange(10**6)}",
            "all.invoice_date": str(date.today()),
        }
        await self._think()
        await self._post("act: complete the copy", "/complete", **typed)
        await self._think()
        await self._post("act: submit", "/review", then="submit")
        if CERTIFICATE.match(f'href="{self._path}'):
            self.measured.submitted += 1
        else:
            self.measured.failed["not submitted"] += 1

    async def _think(self) -> None:
        await asyncio.sleep(self.dice.uniform(*THINKS))

    async def _get(self, kind: str, address: str) -> None:
        await self._open(kind, "GET", address)
        self._certificates = CERTIFICATE.findall(self._text) or self._certificates
        self._invoices = INVOICE.findall(self._text) or self._invoices

    async def _post(self, kind: str, action: str, **typed: str) -> None:
        """Sends the form of the present page whose address ends like this. Empty quantities are filled in."""
        found = [form for form in html.document_fromstring(self._text).forms if (form.action or "").endswith(action)]
        if not found:
            self.measured.failed[f"{kind}: no form"] += 1
            return
        values = dict(found[0].form_values())
        values |= {
            name: QUANTITIES[last] for name in values if (last := name.rpartition(".")[2]) in QUANTITIES and not values[name]
        }
        await self._open(kind, "POST", found[0].action, data=values | typed)

    async def _open(self, kind: str, method: str, address: str, **content: Any) -> None:
        self._close_stream()
        began = perf_counter()
        try:
            answer = await self._http.request(method, address, **content)
        except httpx.HTTPError as error:
            self.measured.failed[f"{kind}: {type(error).__name__}"] += 1
            return
        self.measured.seconds[kind].append(perf_counter() - began)
        if not answer.is_success:
            said = " ".join(SAID.findall(answer.text)[:1])
            self.measured.failed[f"{kind}: {answer.status_code} {said[:100]}".strip()] += 1
        self._text, self._path = answer.text, answer.url.path
        body = BODY.search(self._text)
        if self._live and body and (query := dict(LIVE.findall(body[0]))):
            self._stream = asyncio.create_task(self._listen(query, str(answer.url)))

    async def _listen(self, query: dict[str, str], address: str) -> None:
        """The stream of a live page: the page is read again after a change."""
        with suppress(httpx.HTTPError):
            async with self._http.stream("GET", "/portal/changes", params=query, timeout=None) as stream:
                if not stream.is_success:
                    self.measured.failed[f"stream: {stream.status_code}"] += 1
                async for line in stream.aiter_lines():
                    if line == "event: changed":
                        await asyncio.sleep(REFRESH_AFTER)
                        began = perf_counter()
                        answer = await self._http.get(address)
                        self.measured.seconds["read again after a change"].append(perf_counter() - began)
                        if not answer.is_success:
                            self.measured.failed[f"read again: {answer.status_code}"] += 1

    def _close_stream(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None


@asynccontextmanager
async def a_browser(address: str) -> AsyncIterator[httpx.AsyncClient]:
    """The connections of one browser. `address`: the portal's, without its path."""
    async with httpx.AsyncClient(
        base_url=address, timeout=TIMEOUT, trust_env=False, verify=False, follow_redirects=True, headers={"accept": "text/html"}
    ) as http:
        yield http
