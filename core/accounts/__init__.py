"""Who is asking: people, organizations, teams, memberships, API keys, and the Actor who asks."""
