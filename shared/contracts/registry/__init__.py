"""Contracts of registry: companies, users, sessions and mandates."""
