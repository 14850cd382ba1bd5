"""Contracts of certificates: products and their origin, certificates from draft to issue, and Form D as data."""
