"""The tables and queries of certificates, by noun."""
