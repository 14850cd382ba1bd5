"""The rules of registry: who is registered and for how long, and who signs in with which rights."""
