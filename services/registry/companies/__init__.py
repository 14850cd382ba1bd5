"""Companies: applications, registrations, their yearly expiry, and their people."""
