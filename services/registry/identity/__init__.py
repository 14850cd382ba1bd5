"""People: accounts, passwords, second factors, sessions, and the keys that sign tokens."""
