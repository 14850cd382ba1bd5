"""Certificates: products and their origin, the certificate from draft to issue, and Form D as it is exchanged."""
