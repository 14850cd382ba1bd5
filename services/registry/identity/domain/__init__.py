"""The rules of accounts, passwords, second factors and sessions."""
