"""Server-rendered pages for people without the API: how to receive what we send."""
