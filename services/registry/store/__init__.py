"""What registry remembers: registrations with their documents, users, keys and sessions that are over."""

from services.registry.store.tables import TABLES

__all__ = ["TABLES"]
