"""The tables of the gateway are registered here."""

from sqlalchemy import MetaData

TABLES = MetaData()
