"""What registry remembers: registrations with their documents, users, keys and sessions that are over."""
