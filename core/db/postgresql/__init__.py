"""Django's PostgreSQL backend that tries to connect more than once."""
