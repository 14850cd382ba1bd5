"""The rules of mandates and API keys."""
