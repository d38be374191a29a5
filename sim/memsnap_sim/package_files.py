"""Writes a package of `memsnap verilog` into a directory, and nothing over what it has not made."""

import hashlib
import re

from .errors import InputError

__all__ = ["write_package"]


def write_package(directory, files, *, sums):
    """Writes files, if nothing would be lost by that.

    A file may be written over if it is as the package before left it there, which the file of sums
    tells. One of the package before that the new one has not, and that is as it was, is removed.

    Parameters
    ----------
    directory : Path
        Made if it is not there.
    files : dict
        From a file's name, with ``/`` between directories, to its text.
    sums : str
        The name of the file among them with the sums of the others.

    Returns
    -------
    list of str
        What was removed.

    Raises
    ------
    InputError
        A file is there that is not of a package, or was changed since.
    """
    before = _sums(directory / sums)
    strange = [name for name, text in files.items()
               if name != sums and (directory / name).exists()
               and _digest(directory / name) not in {before.get(name), _digest_of(text)}]
    if (directory / sums).exists() and not before:
        strange.append(sums)
    if strange:
        raise InputError(f"{', '.join(str(directory / name) for name in strange)} would be written "
                         f"over, but {'is' if len(strange) == 1 else 'are'} not as memsnap made "
                         f"{'it' if len(strange) == 1 else 'them'}: move "
                         f"{'it' if len(strange) == 1 else 'them'} away, or choose another "
                         f"directory")
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    gone = [name for name, digest in before.items()
            if name not in files and _digest(directory / name) == digest]
    for name in gone:
        (directory / name).unlink()
    return gone


def _sums(path):
    """The sums of a package by the names of its files; none if there is no such file."""
    if not path.is_file():
        return {}
    found = re.findall(r"^([0-9a-f]{64})  ([\w./-]+)$", path.read_text("utf-8", "replace"), re.M)
    return {name: digest for digest, name in found if ".." not in name and name[0] != "/"}


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _digest_of(text):
    return hashlib.sha256(text.encode()).hexdigest()
