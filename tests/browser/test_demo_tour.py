"""Every kind of person looks at their pages in the demo. `make guides` keeps the pictures for `docs/tour.md`."""

from typing import Any

import pytest

from tests.browser.demo import Demo
from tests.browser.tour import FOLDER, VISITS, Visit, picture_of


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: visit.title)
def test_each_person_sees_their_pages(visit: Visit, keeps_guides: bool, request: pytest.FixtureRequest, readers: Any) -> None:
    if not keeps_guides:
        pytest.skip("`make guides` takes the pictures of the tour; the stories visit the same pages")
    demo: Demo = request.getfixturevalue("demo")
    person = readers(demo, visit.language, visit.size, **visit.options)
    if visit.who:
        person.sign_in(demo.person(visit.who))
    for shot in visit.shots:
        path = shot.path.format(reference=demo.reference)
        if path.startswith("/portal"):
            person.open(path.removeprefix("/portal"))
        else:
            person.open_public(path)
        for link in shot.follow:
            person.follow(person.page.locator(link).first)
        FOLDER.mkdir(parents=True, exist_ok=True)
        person.page.screenshot(path=picture_of(shot), type="webp", quality=60)
