"""The texts of pages that need a translation.

`python -m tests.support.texts` adds new texts to the files of translations, and drops unused ones. A new text gets the comment
`# review`. A native reader removes it after the review.
"""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[2]
PACKAGES = tuple(ROOT / name for name in ("shared/web", "services/tracking", "services/portal"))
"""The packages with pages. Each has a catalogue of its own, `locales/km.po`."""
METHODS = [("**/templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
OPTIONS = {
    "**/templates/**.html": {
        "trim_blocks": "true",
        "lstrip_blocks": "true",
        "newstyle_gettext": "true",
        "silent": "false",
        "extensions": "jinja2.ext.do",
    }
}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def catalogue_of(package: Path) -> Path:
    """The file with the Khmer texts of a package."""
    return package / "locales" / "km.po"


def texts_of(package: Path) -> Catalog:
    """The texts in the templates and modules of a package, without translations."""
    found = Catalog(locale="km")
    for _, _, text, comments, context in extract_from_dir(package, METHODS, OPTIONS, keywords=KEYWORDS):
        if package.name != "web" or text:
            found.add(text, None, auto_comments=comments, context=context)
    return found


def untranslated(package: Path) -> list[str]:
    """The texts of a package without a Khmer translation."""
    known = _read(package)
    missing = []
    for text in texts_of(package):
        if not text.id:
            continue
        translated = known.get(text.id if isinstance(text.id, str) else text.id[0])
        if translated is None or not all(
            [translated.string] if isinstance(translated.string, str) else list(translated.string or ())
        ):
            missing.append(text.id if isinstance(text.id, str) else text.id[0])
    return missing


def update(package: Path) -> None:
    """Writes the catalogue: all present texts, with the translations and comments that are known."""
    known, present = _read(package), Catalog(locale="km", header_comment=HEADER, fuzzy=False)
    for text in sorted(texts_of(package), key=lambda each: str(each.id)):
        if text.id:
            former = known.get(text.id if isinstance(text.id, str) else text.id[0])
            comments = former.user_comments if former else [TO_REVIEW]
            present.add(text.id, former.string if former else None, user_comments=comments)
    file = catalogue_of(package)
    file.parent.mkdir(exist_ok=True)
    with file.open("wb") as opened:
        write_po(opened, present, width=128, omit_header=True)


HEADER = "# Khmer texts of the pages."
TO_REVIEW = "review"
"""The comment of a translation that no native reader has reviewed."""


def _read(package: Path) -> Catalog:
    """The present translations of a package."""
    file = catalogue_of(package)
    if not file.exists():
        return Catalog(locale="km")
    with file.open("rb") as opened:
        return read_po(opened, locale="km")


if __name__ == "__main__":
    for each in PACKAGES:
        update(each)
