"""Programs that others wrote, with which tests check our documents."""

import os
import shutil

import pytest

PACKAGES = {
    "node": "nodejs",
    "npm": "npm",
    "pdfsig": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "xmllint": "libxml2-utils",
    "xmlsec1": "xmlsec1",
    "zbarimg": "zbar-tools",
}


def program(name: str) -> str:
    """The path of a program. Without it the test is skipped, or fails if everything is required."""
    found = shutil.which(name)
    if found is None:
        reason = f"needs {name}: `apt-get install {PACKAGES[name]}`"
        pytest.fail(reason) if os.environ.get("CO_CONTAINERS") == "required" else pytest.skip(reason)
    return found
