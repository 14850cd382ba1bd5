"""Forms that were not sent yet: saved as one types, or because the session ended."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select, update

from services.portal.tables import forms
from shared.database.engine import Database
from shared.refusals import Refused


class ChangedInAnotherTab(Refused):
    code = "form_changed_elsewhere"


@dataclass(frozen=True)
class SavedForm:
    """A saved form. `version` counts how often it was saved."""

    form_id: UUID
    path: str
    fields: dict[str, list[str]]
    version: int
    saved_at: datetime


class SavedForms:
    """The saved forms of people, by the address of their page."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, user_id: UUID, path: str) -> SavedForm | None:
        """The form that a person has left on a page, or None."""
        this = select(forms).where(forms.c.user_id == user_id, forms.c.path == path)
        async with self._database.reading() as session:
            row = (await session.execute(this)).first()
        if row is None:
            return None
        return SavedForm(row.form_id, row.path, json.loads(row.fields), row.version, row.saved_at)

    async def below(self, user_id: UUID, path: str, limit: int = 50) -> list[SavedForm]:
        """The forms of a person whose address begins with this path, the last saved first."""
        mine = select(forms).where(forms.c.user_id == user_id, forms.c.path.startswith(path, autoescape=True))
        async with self._database.reading() as session:
            rows = (await session.execute(mine.order_by(forms.c.saved_at.desc()).limit(limit))).all()
        return [SavedForm(row.form_id, row.path, json.loads(row.fields), row.version, row.saved_at) for row in rows]

    async def save(self, user_id: UUID, path: str, fields: str, now: datetime, version: int | None = None) -> int:
        """Saves the fields, as JSON, and returns the new version. `version`: the one that the page has shown.

        Raises ChangedInAnotherTab if another version is saved.
        """
        async with self._database.writing() as transaction:
            session = transaction.session
            this = (forms.c.user_id == user_id) & (forms.c.path == path)
            known = (await session.execute(select(forms.c.version).where(this))).scalar()
            if version is not None and version != (known or 0):
                raise ChangedInAnotherTab("version")
            if known is None:
                row = {"form_id": uuid4(), "user_id": user_id, "path": path, "fields": fields, "version": 1, "saved_at": now}
                await session.execute(insert(forms).values(row))
                return 1
            await session.execute(update(forms).where(this).values(fields=fields, version=known + 1, saved_at=now))
            return int(known) + 1

    async def forget(self, user_id: UUID, path: str) -> None:
        """Deletes a form that was sent. Most forms were never saved: then nothing is written."""
        if await self.find(user_id, path) is None:
            return
        async with self._database.writing() as transaction:
            await transaction.session.execute(delete(forms).where(forms.c.user_id == user_id, forms.c.path == path))
