"""Pure functions from the unit and its registers to text."""
