"""Uploads: a file of a form is sent in chunks to the service that owns it."""

from hashlib import sha256
from re import fullmatch
from uuid import UUID

from starlette.datastructures import UploadFile

from services.portal.forms import FormInvalid
from services.portal.visit import Visit
from shared.contracts.fields import MAX_CHUNK
from shared.contracts.messages import PutFile

MEGABYTE = 1024 * 1024


async def send_file(visit: Visit, kind: type[PutFile], owner_id: UUID, field: str) -> str:
    """Sends the file of a field to its owner, and returns its SHA-256. Raises FormInvalid.

    The owner joins the chunks, so a file that is sent again after an interruption is stored once.
    """
    upload = _chosen(visit, kind, field)
    digest = sha256()
    while chunk := await upload.read(MAX_CHUNK):
        digest.update(chunk)
    await upload.seek(0)
    offset, size = 0, upload.size or 0
    while chunk := await upload.read(MAX_CHUNK):
        await visit.ask(
            kind(
                owner_id=owner_id,
                sha256=digest.hexdigest(),
                size=size,
                media_type=_media_type(upload),
                offset=offset,
                chunk=chunk,
            )
        )
        offset += len(chunk)
    return digest.hexdigest()


def _chosen(visit: Visit, kind: type[PutFile], field: str) -> UploadFile:
    _ = visit.language.gettext
    upload = visit.form.files.get(field)
    if upload is None or not upload.size:
        sentence = _("Choose a file. If you had chosen one, it did not arrive completely: send it again.")
    elif upload.size > kind.limit:
        sizes = {"size": f"{upload.size / MEGABYTE:.1f}", "limit": f"{kind.limit / MEGABYTE:.0f}"}
        sentence = _("This file has {size} MB; at most {limit} MB are possible. Scan it in grey or with fewer dots.")
        sentence = sentence.format_map(sizes)
    else:
        return upload
    visit.form.fail(field, sentence)
    raise FormInvalid


def _media_type(upload: UploadFile) -> str:
    given = (upload.content_type or "").partition(";")[0].strip().lower()
    return given if fullmatch(r"[a-z]+/[a-z0-9.+-]{1,80}", given) else "application/octet-stream"
