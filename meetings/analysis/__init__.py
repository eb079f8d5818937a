"""What a discussion comes to: summary, topics, decisions and action items, with evidence."""
