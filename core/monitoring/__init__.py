"""What the house tells those who run it: request ids, logs without secrets, health."""
