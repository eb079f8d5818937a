"""The admin kit of every app: formatting, filters, read-only pages and actions."""
