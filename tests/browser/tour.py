"""The screenshot tour, `docs/tour.md`: what each kind of person sees, and what every page weighs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.browser.reader import ROOT, PageRecord

PAGE = ROOT / "docs/tour.md"
FOLDER = ROOT / "docs/pictures/tour"
DESK, TABLET, PHONE = {"width": 1280, "height": 800}, {"width": 768, "height": 1024}, {"width": 360, "height": 780}


@dataclass(frozen=True)
class Shot:
    """A page of the tour. `follow`: links on it that are followed, by selectors; the last page is the one of the picture."""

    name: str
    text: str
    path: str
    follow: tuple[str, ...] = ()


@dataclass(frozen=True)
class Visit:
    """What one person sees. `who`: the name in the demo; empty: nobody has signed in."""

    title: str
    who: str
    shots: tuple[Shot, ...]
    language: str = "en"
    size: dict[str, int] = field(default_factory=lambda: DESK)
    options: dict[str, Any] = field(default_factory=dict)


FIRST_ROW = "main table tbody a"
VISITS = (
    Visit(
        "Everybody, without an account",
        "",
        (
            Shot("home", "The home page: the search, the codes and the help.", "/"),
            Shot("certificate", "A certificate on its way, with the exact time of each step.", "/certificates/{reference}"),
            Shot(
                "unknown", "A reference that is not known: what to check in it.", "/public-search/atiga?reference=X2026-ABC-12"
            ),
            Shot("service", "How long each step takes, by office and destination.", "/status"),
            Shot("partners", "Whether the gateway of each partner country works.", "/partners"),
            Shot("help", "Guides, and frequent questions with a search.", "/help"),
            Shot("guide", "A guide: a video with captions, and each step with its picture.", "/help/copy"),
        ),
    ),
    Visit(
        "A new company",
        "",
        (
            Shot("apply", "The steps of an application, and what it needs.", "/portal/apply"),
            Shot("sign-in", "The sign-in.", "/portal/sign-in"),
        ),
    ),
    Visit(
        "An exporter",
        "exporter",
        (
            Shot("exporter", "The first page: what waits, and what to do about it.", "/portal/"),
            Shot("certificates", "The certificates of the company, by status.", "/portal/certificates"),
            Shot("issued", "A certificate with its boxes, fee and history.", "/portal/certificates?tab=issued", (FIRST_ROW,)),
            Shot("returned", "What an officer asks to correct, at its box.", "/portal/certificates?tab=returned", (FIRST_ROW,)),
            Shot("products", "The products, and whether their origin is approved.", "/portal/products"),
            Shot("invoice", "An invoice with the law behind each amount.", "/portal/payments?show=unpaid", (FIRST_ROW,)),
            Shot("company", "The registration of the company.", "/portal/company"),
            Shot("account", "The account: language, second factor, passkeys and sessions.", "/portal/account"),
        ),
    ),
    Visit("An agent", "agent", (Shot("agent", "The companies for which the agent may act.", "/portal/"),)),
    Visit(
        "A registration officer",
        "registration",
        (
            Shot("registrations", "The applications that wait.", "/portal/registrations"),
            Shot("registration", "An application beside its documents.", "/portal/registrations", (FIRST_ROW,)),
        ),
    ),
    Visit(
        "A reviewer",
        "reviewer",
        (
            Shot("queue", "The queue, the longest waiting first.", "/portal/queue"),
            Shot("decision", "A certificate, its history and the decision side by side.", "/portal/queue", (FIRST_ROW,)),
        ),
    ),
    Visit("An approver", "approver", (Shot("approve", "Several certificates are approved at once.", "/portal/queue"),)),
    Visit(
        "A cashier",
        "cashier",
        (
            Shot("cashier", "Invoices are found by reference or exporter.", "/portal/cashier?search=mekong"),
            Shot("tariff", "The tariff in force, with its sources.", "/portal/tariff"),
        ),
    ),
    Visit("An administrator", "administrator", (Shot("officers", "The officers and their roles.", "/portal/officers"),)),
    Visit("An auditor", "auditor", (Shot("audit", "The audit log, by person, act or certificate.", "/portal/audit"),)),
    Visit(
        "Customs",
        "customs",
        (
            Shot("received", "The documents of other countries.", "/portal/received"),
            Shot("document", "One document with its boxes.", "/portal/received", (FIRST_ROW,)),
        ),
    ),
    Visit(
        "In Khmer, on a phone",
        "preparer",
        (
            Shot("phone", "The first page.", "/portal/"),
            Shot("phone-certificate", "A certificate.", "/portal/certificates?tab=issued", (FIRST_ROW,)),
            Shot("phone-public", "The public home page.", "/"),
        ),
        "km",
        PHONE,
    ),
    Visit(
        "In Khmer, on a tablet",
        "preparer",
        (Shot("tablet", "The certificates of the company.", "/portal/certificates"),),
        "km",
        TABLET,
    ),
    Visit(
        "In the dark",
        "auditor",
        (
            Shot("dark", "The first page of an auditor.", "/portal/"),
            Shot("dark-certificate", "A certificate.", "/portal/certificates", (FIRST_ROW,)),
            Shot("dark-public", "The public home page.", "/"),
        ),
        options={"color_scheme": "dark"},
    ),
)


def written(pages: dict[str, PageRecord]) -> str:
    """The text of `docs/tour.md`. `pages`: what was measured on each address."""
    lines = [
        "# A tour of the pages",
        "",
        "`make guides` makes this page, its pictures, and the guides of the public site from the running demo.",
        "",
    ]
    for visit in VISITS:
        lines += [f"## {visit.title}", ""]
        for shot in visit.shots:
            width = 720 if visit.size["width"] > 400 else 260
            picture = f'<img src="pictures/tour/{shot.name}.webp" width="{width}" alt="{shot.text}">'
            lines += [shot.text, "", picture, ""]
    lines += [
        "## What the pages weigh",
        "",
        "The heaviest page of each address in the browser tests: HTML, style sheets, scripts and pictures, before compression.",
        "Fonts are left out. Violations are those that axe finds by WCAG 2.2 AA. A test fails above 100 KB, or with one.",
        "",
        "| page | visits | KB | violations |",
        "|---|---|---|---|",
    ]
    for path, record in sorted(pages.items()):
        lines.append(f"| `{path}` | {record.visits} | {record.bytes / 1000:.0f} | {record.violations} |")
    return "\n".join(lines) + "\n"


def write(pages: dict[str, PageRecord]) -> None:
    """Writes `docs/tour.md`."""
    PAGE.write_text(written(pages), encoding="utf-8")


def picture_of(shot: Shot) -> Path:
    """The file of a picture."""
    return FOLDER / f"{shot.name}.webp"
