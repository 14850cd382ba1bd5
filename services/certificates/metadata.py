"""The tables of certificates are registered here."""

from sqlalchemy import MetaData

TABLES = MetaData()
