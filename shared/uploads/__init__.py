"""Uploaded documents: what a service checks before another person can open them."""
