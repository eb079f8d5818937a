"""What must be read again and may not be read by others: the keyring and the field that uses it."""
