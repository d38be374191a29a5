"""The registers: the generated table, and the bank that is built from it."""
