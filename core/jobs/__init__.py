"""Background work as rows: the row is the truth, the message is only a hint."""
