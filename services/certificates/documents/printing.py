"""Prints a certificate as PDF/A with typst. Only the process pool imports this module: the library takes 60 MB."""

import json
import subprocess
import sys
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

MAX_HERE = 60_000
"""Characters of a document that is printed in this process, about 200 items. A page of 1000 items takes 100 MB."""


@cache
def _compiler() -> typst.Compiler:
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[fontpkg_noto_sans_khmer.ROOT / "files"])
    return typst.Compiler(TEMPLATES / "certificate.typ", root=TEMPLATES, font_paths=fonts)


def printed(order: PageOrder, *, code: str = "", qr: str = "") -> bytes:
    """The pages as PDF. `code`: the verification code; `qr`: the QR code as SVG. Without them it is no certificate."""
    inputs = inputs_of(order, code=code, qr=qr)
    return compiled(inputs) if len(inputs["form"]) <= MAX_HERE else _compiled_apart(inputs)


def compiled(inputs: dict[str, str]) -> bytes:
    """The PDF of these inputs of the template."""
    pdf = _compiler().compile(format="pdf", pdf_standards=STANDARD, sys_inputs=inputs)
    if not isinstance(pdf, bytes):
        raise TypeError("typst returned no PDF")
    return pdf


def _compiled_apart(inputs: dict[str, str]) -> bytes:
    """The same in a process of its own, which returns its memory: typst keeps parts of former pages."""
    command = [sys.executable, "-m", "services.certificates.documents.apart"]
    made = subprocess.run(command, input=json.dumps(inputs).encode(), capture_output=True, check=False)  # noqa: S603
    if made.returncode:
        raise RuntimeError(made.stderr.decode(errors="replace")[-1000:])
    return made.stdout
