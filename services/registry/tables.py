"""The tables of registry: importing the rooms adds their tables to the metadata."""

from services.registry.companies import tables as companies
from services.registry.identity import tables as identity
from services.registry.mandates import tables as mandates
from services.registry.metadata import TABLES

__all__ = ["TABLES", "companies", "identity", "mandates"]
