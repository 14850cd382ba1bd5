"""Tracking answers the public over HTTP, and says and asks nothing on the bus."""
