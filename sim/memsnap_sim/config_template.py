"""A configuration written out as TOML, with every key and what it means."""

import textwrap

from .config import Config
from .config_tables import LISTS, TABLES

__all__ = ["template"]

_HEAD = """\
# A configuration of memsnap. `memsnap check FILE.toml` tells what it costs; `memsnap run`, `demo`
# and `verilog` take it."""

#: Tables whose presence means something: without any key they stand there as comments.
_ONLY_IF_GIVEN = ("dma",)


def template(config=None):
    """The text of a :class:`Config`, or of the defaults; read again, it is the same.

    What has no value stands there as a comment.
    """
    config = config or Config()
    lines = [_HEAD]
    for name, keys in TABLES.items():
        given = getattr(config, name)
        absent = name in _ONLY_IF_GIVEN and not given
        lines += ["", f"# [{name}]" if absent else f"[{name}]"]
        lines += _keys(keys, {} if absent else _values(config, name, keys, given))
    for name, keys in LISTS.items():
        entries = getattr(config, name)
        lines += ["", f"# Any number of [[{name}]]:"]
        if not entries:
            lines += [f"# [[{name}]]", *_keys(keys, {})]
        for entry in entries:
            lines += [f"[[{name}]]", *(f"{key} = {keys[key].write(value)}"
                                       for key, value in entry.items())]
    return "\n".join(lines) + "\n"


def _values(config, name, keys, given):
    return {key.name: given.get(key.name, key.default) for key in keys.values()
            if key.name in given or key.default is not None}


def _keys(keys, values):
    """The lines of a table: each key with its meaning, as a comment where it has no value."""
    about = None
    for key in keys.values():
        if key.about != about:
            about = key.about
            yield from textwrap.wrap(about, 96, initial_indent="# ", subsequent_indent="# ")
        if key.name in values:
            yield f"{key.name} = {key.write(values[key.name])}"
        elif key.default is not None:
            yield f"# {key.name} = {key.write(key.default)}"
        else:
            yield f"# {key.name} =" + "".join(f" {each!r}" for each in key.choices)
