"""Registry: who may ask, for how long, and who they are."""
