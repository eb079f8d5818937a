"""How dates look on staff pages, by language."""
