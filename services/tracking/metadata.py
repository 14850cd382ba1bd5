"""The tables of tracking are registered here."""

from sqlalchemy import MetaData

TABLES = MetaData()
