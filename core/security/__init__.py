"""What guards the house: a record of everything that looked like an attack."""
