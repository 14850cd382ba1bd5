"""Receives posted forms, within bounds."""

from starlette.datastructures import FormData
from starlette.requests import Request

MAX_FIELDS = 20_000
"""Fields of a form: a certificate has at most 2,000 items."""
MAX_FORM = 4 * 1024 * 1024
"""Bytes of a form without files."""
MAX_UPLOAD = 16 * 1024 * 1024
"""Bytes of a form with files."""
MAX_RECEIVED = 64 * 1024 * 1024
"""Bytes of a form that is too large that are still received."""


class FormTooLarge(Exception):
    """A posted form, or the file in it, is larger than any form may be."""


async def posted_form(request: Request) -> FormData:
    """The form of a request. Raises FormTooLarge."""
    length = request.headers.get("content-length", "")
    multipart = request.headers.get("content-type", "").startswith("multipart/form-data")
    if not length.isdigit() or int(length) > (MAX_UPLOAD if multipart else MAX_FORM):
        await _receive(request)
        raise FormTooLarge
    return await request.form(max_fields=MAX_FIELDS, max_files=10, max_part_size=MAX_FORM)


async def _receive(request: Request) -> None:
    """Receives a form that is too large, so that its browser reads the answer and not a broken connection."""
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > MAX_RECEIVED:
            break
