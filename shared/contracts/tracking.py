"""Tracking answers the public over HTTP. It has no requests and announces no events."""
