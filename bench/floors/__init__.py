"""Floors: the same work without the product, by raw libraries."""
