"""Errors that are the user's to put right."""

__all__ = ["InputError"]


class InputError(Exception):
    """Something that the user can put right; its text says what and how, in a line or two."""
