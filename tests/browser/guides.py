"""Records a guide: a picture of each step, and with `--guides` a video with captions."""

import json
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from playwright.sync_api import Locator

from services.tracking.data_files import DataFiles, Guide
from tests.browser.reader import ROOT, Reader

SIZE = {"width": 960, "height": 600}
"""Pixels of pictures and videos."""
POSTER = {"width": 320, "height": 200}
"""Pixels of the small picture of a guide."""
FOLDER = ROOT / "services/tracking/static/guides"
OUTLINES = Path(__file__).with_name("guides_outlines.json")
"""The headings, labels and buttons of each step when its picture was taken, in English."""
FRAMES = 8
"""Pictures of a video per second."""
READING = 0.35
"""Seconds that a person needs for a word of a caption."""
KEY = 45
"""Milliseconds for a key in a video."""
MARK = """element => {
  element.scrollIntoView({block: 'center'});
  element.style.outline = '3px solid #d97706';
  const moves = {duration: 700, direction: 'alternate', iterations: Infinity};
  element.animate([{outlineOffset: '2px'}, {outlineOffset: '6px'}], moves);
}"""
"""The mark moves: a video contains only frames in which something changes."""
UNMARK = "element => { element.style.outline = ''; element.getAnimations().forEach(each => each.cancel()) }"
COMPRESS = ("-c:v", "libvpx-vp9", "-crf", "44", "-b:v", "0", "-deadline", "good", "-cpu-used", "3", "-g", "240", "-an")


@dataclass
class Recorder:
    """Records one guide in one language. `folder`: where pictures, video and captions go; None: nothing is kept."""

    guide: Guide
    person: Reader
    folder: Path | None
    outlines: list[list[str]] = field(default_factory=list)
    _cues: list[float] = field(default_factory=list)
    _began: float = 0.0

    @property
    def name(self) -> str:
        """The first part of the names of its files."""
        return f"{self.guide.id}.{self.person.language}"

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Records the video while the block runs."""
        if self.folder is None:
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.person.pace = KEY
        screencast = self.person.page.screencast
        raw, video = self.folder / f"{self.name}.raw.webm", self.folder / f"{self.name}.webm"
        screencast.start(path=raw, size=SIZE, fps=FRAMES)  # type: ignore[arg-type]
        screencast.show_actions(cursor="pointer", duration=400, style={"title": "display: none"})
        self._began = monotonic()
        yield
        self._wait(2)
        screencast.stop()
        subprocess.run(("ffmpeg", "-v", "error", "-y", "-i", raw, *COMPRESS, video), check=True)
        raw.unlink()
        self._write_captions(monotonic() - self._began)
        self._write_poster()

    def step(self, target: Locator) -> None:
        """Shows the next step: marks its target, takes the picture and waits until its caption is read."""
        number = len(self.outlines)
        self.outlines.append(self.person.outline())
        if self.folder is None:
            return
        self._cues.append(monotonic() - self._began)
        target.evaluate(MARK)
        self._wait(0.3)
        self.person.page.screenshot(path=self.folder / f"{self.name}-{number + 1}.webp", type="webp", quality=25)
        self._wait(max(2.5, READING * len(self.guide.steps[number].en.split())))
        target.evaluate(UNMARK)

    def _wait(self, seconds: float) -> None:
        self.person.page.wait_for_timeout(1000 * seconds)

    def _write_captions(self, ends: float) -> None:
        assert self.folder
        lines = ["WEBVTT", ""]
        for step, begins, until in zip(self.guide.steps, self._cues, [*self._cues[1:], ends], strict=True):
            lines += [f"{_time(begins)} --> {_time(until)}", getattr(step, self.person.language), ""]
        (self.folder / f"{self.name}.vtt").write_text("\n".join(lines), encoding="utf-8")

    def _write_poster(self) -> None:
        assert self.folder
        number = max(1, len(self.guide.steps) // 2)
        picture = b64encode((self.folder / f"{self.name}-{number}.webp").read_bytes()).decode()
        page = self.person.page.context.new_page()
        page.set_viewport_size(POSTER)  # type: ignore[arg-type]
        page.set_content(
            f'<body style="margin:0"><img style="display:block;width:100%" src="data:image/webp;base64,{picture}">'
        )
        page.locator("img").evaluate("image => image.decode()")
        page.screenshot(path=self.folder / f"{self.name}.webp", type="webp", quality=60)
        page.close()


def _time(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes):02}:{rest:06.3f}"


def guide_of(name: str) -> Guide:
    """The texts of a guide."""
    return next(guide for guide in DataFiles().guides if guide.id == name)


def known_outlines() -> dict[str, Any]:
    """The outlines when the pictures were taken, by guide."""
    found: dict[str, Any] = json.loads(OUTLINES.read_text(encoding="utf-8")) if OUTLINES.exists() else {}
    return found


def keep_outlines(name: str, outlines: list[list[str]]) -> None:
    """Writes the outlines of a guide."""
    OUTLINES.write_text(json.dumps({**known_outlines(), name: outlines}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
