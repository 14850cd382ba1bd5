"""The queries of identity."""
