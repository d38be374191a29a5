"""What is wrong with a trace."""

from ..errors import InputError

__all__ = ["TraceError"]


class TraceError(InputError):
    """A trace cannot be read; the message names the file, the line and the rule."""
