"""The host's side of a board: its serial line, and what one does with it."""
