"""The metadata that the tables of every room share."""

from sqlalchemy import MetaData
from sqlalchemy.orm import registry

TABLES = MetaData()
mapping = registry(metadata=TABLES)
