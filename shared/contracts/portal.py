"""The portal answers people over HTTP. It has no requests and announces no events."""
