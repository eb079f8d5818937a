"""How rows are keyed, stamped and owned, and how the database is reached."""
