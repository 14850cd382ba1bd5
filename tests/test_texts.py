"""Every text of a page has a Khmer translation with the same placeholders."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tests.support.texts import PACKAGES, catalogue_of, texts_of, untranslated, update

PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_text_of_a_page_has_a_khmer_translation(package: Path) -> None:
    assert untranslated(package) == []


def test_only_a_new_text_is_marked_for_the_review_of_a_native_reader(tmp_path: Path) -> None:
    template, file = tmp_path / "templates" / "page.html", catalogue_of(tmp_path)
    template.parent.mkdir()
    template.write_text('{{ _("Send") }}')
    update(tmp_path)
    assert file.read_text() == '# review\nmsgid "Send"\nmsgstr ""\n\n'

    file.write_text('msgid "Send"\nmsgstr "ផ្ញើ"\n')
    template.write_text('{{ _("Send") }} {{ _("Save") }}')
    update(tmp_path)

    assert file.read_text() == '# review\nmsgid "Save"\nmsgstr ""\n\nmsgid "Send"\nmsgstr "ផ្ញើ"\n\n'


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_translation_has_the_placeholders_of_its_text(package: Path) -> None:
    file = catalogue_of(package)
    if not any(text.id for text in texts_of(package)):
        return
    with file.open("rb") as opened:
        for text in read_po(opened, locale="km"):
            original = text.id[-1] if isinstance(text.id, (tuple, list)) else text.id
            translated = text.string[0] if isinstance(text.string, (tuple, list)) else text.string
            if original:
                assert set(PLACEHOLDER.findall(translated)) <= set(PLACEHOLDER.findall(original)), original
