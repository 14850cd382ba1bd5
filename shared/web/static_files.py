"""Static files: style sheets, scripts, fonts and pictures, each at an address with its digest, so browsers keep it for ever."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha384
from pathlib import Path

from starlette.responses import FileResponse, PlainTextResponse, Response

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".webm": "video/webm",
    ".vtt": "text/vtt; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, kw_only=True)
class StaticFile:
    """One file. `integrity`: its digest for the browser."""

    path: Path
    media_type: str
    digest: str
    integrity: str


class StaticFiles:
    """The files of some folders, by their names below the folder. A later folder replaces a file of an earlier one."""

    def __init__(self, folders: Sequence[Path], prefix: str) -> None:
        self._prefix = prefix
        self._files: dict[str, StaticFile] = {}
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.suffix in MEDIA_TYPES:
                    self._files[path.relative_to(folder).as_posix()] = _read(path)
        # a style sheet names its fonts by relative addresses, so all files have the digest of all
        together = sha384("".join(file.digest for file in self._files.values()).encode()).hexdigest()
        self._digest = together[:16]

    def address(self, name: str) -> str:
        """The address of a file. Raises KeyError."""
        return f"{self._prefix}/static/{self._digest}/{name}" if self._files[name] else ""

    def integrity(self, name: str) -> str:
        """The value of the attribute `integrity`. Raises KeyError."""
        return self._files[name].integrity

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def response(self, name: str, digest: str) -> Response:
        """A file. `digest`: the one in the address; only the present one may be kept."""
        found = self._files.get(name)
        if found is None:
            return PlainTextResponse("There is no such file.", 404)
        kept = "public, max-age=31536000, immutable" if digest == self._digest else "no-cache"
        return FileResponse(
            found.path, media_type=found.media_type, headers={"cache-control": kept, "x-content-type-options": "nosniff"}
        )


def _read(path: Path) -> StaticFile:
    digest = sha384(path.read_bytes())
    return StaticFile(
        path=path,
        media_type=MEDIA_TYPES[path.suffix],
        digest=digest.hexdigest(),
        integrity=f"sha384-{b64encode(digest.digest()).decode()}",
    )
