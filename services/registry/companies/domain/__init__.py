"""The rules of registrations."""
