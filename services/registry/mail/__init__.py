"""E-mails: their texts, and the way to the mail server."""
