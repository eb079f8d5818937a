"""What happened: event types, `publish`, `subscribe`, the outbox and its fan-out."""
