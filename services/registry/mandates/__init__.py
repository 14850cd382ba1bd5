"""Mandates: an agent acts for an exporter, by its people or its systems."""
