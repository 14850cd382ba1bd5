"""Prints Form D as PDF/A with typst. Only the process pool imports this module: the library takes 60 MB."""

from functools import cache
from pathlib import Path
from typing import Final

import fontpkg_noto_sans_khmer
import typst

from services.certificates.documents.orders import PageOrder
from services.certificates.documents.sheets import inputs_of

TEMPLATES = Path(__file__).parent / "templates"
STANDARD: Final = "a-2a"
"""PDF/A-2a (ISO 19005-2): for archives, with tags for readers that speak."""


@cache
def _compiler() -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[fontpkg_noto_sans_khmer.ROOT / "files"])
    return typst.Compiler(TEMPLATES / "form_d.typ", root=TEMPLATES, font_paths=fonts)


def printed(order: PageOrder, *, code: str = "", qr: str = "") -> bytes:
    """The pages as PDF. `code`: the verification code; `qr`: the QR code as SVG. Without them it is no certificate."""
    pdf = _compiler().compile(format="pdf", pdf_standards=STANDARD, sys_inputs=inputs_of(order, code=code, qr=qr))
    if not isinstance(pdf, bytes):
        raise TypeError("typst returned no PDF")
    return pdf
