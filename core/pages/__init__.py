"""Server-rendered pages for people without an API client: signing in, accepting an invitation."""
