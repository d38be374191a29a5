"""What an access is."""

import numpy as np

from ..errors import InputError

__all__ = ["ACCESS", "TraceError"]

#: An access: ``gap`` clocks of thinking between the access before it and its request, the byte
#: ``address``, whether it is a ``write``, and its ``size`` in bytes.
ACCESS = np.dtype([("gap", np.uint32), ("address", np.uint64), ("write", np.bool_),
                   ("size", np.uint8)])


class TraceError(InputError):
    """A trace cannot be read; the message names the file, the line and the rule."""
