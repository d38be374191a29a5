"""A configuration in one TOML file.

The tables, each with what it may hold, are in :mod:`memsnap_sim.config_tables`.
"""

import difflib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from memsnap import SnapshotParams

from .config_tables import LISTS, TABLES
from .errors import InputError

__all__ = ["Config", "build_params"]


@dataclass(frozen=True)
class Config:
    """The checked content of a file: what it gives, without defaults.

    Attributes
    ----------
    source : str
        The file, for messages; empty if there is none.
    unit, memory, policy, dma, run, verilog : dict
    region, fault : list of dict
    """

    source: str = ""
    unit: dict = field(default_factory=dict)
    memory: dict = field(default_factory=dict)
    policy: dict = field(default_factory=dict)
    dma: dict = field(default_factory=dict)
    run: dict = field(default_factory=dict)
    verilog: dict = field(default_factory=dict)
    region: list = field(default_factory=list)
    fault: list = field(default_factory=list)

    @classmethod
    def read(cls, path):
        """Reads a file; ``InputError`` names the file, the key, the value and the remedy."""
        try:
            tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is not TOML: {error}") from None
        return cls.of(tables, str(path))

    @classmethod
    def of(cls, tables, source=""):
        """The configuration of a dict of tables."""
        where = f"{source}: " if source else ""
        _check_known(tables, (*TABLES, *LISTS), f"{where}table")
        checked = {}
        for name, keys in TABLES.items():
            table = tables.get(name, {})
            if not isinstance(table, dict):
                raise InputError(f"{where}write [{name}] as a table")
            checked[name] = _read_table(table, keys, f"[{name}]", where)
        for name, keys in LISTS.items():
            entries = tables.get(name, [])
            if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
                raise InputError(f"{where}write each {name} as [[{name}]], with two brackets")
            checked[name] = [_read_table(each, keys, f"[[{name}]]", where) for each in entries]
        return cls(source, **checked)

    def params(self, options=()):
        """:class:`SnapshotParams` of ``[unit]``, overridden by ``options`` that are not None."""
        given = {key: value for key, value in dict(options).items()
                 if key in TABLES["unit"] and value is not None}
        return build_params(self.unit | given, source=self.source if self.unit else "")

    def value(self, table, key, given=None):
        """The value of a key: ``given``, the file's, or the default."""
        known = TABLES[table][key]
        if given is not None:
            return known.read(given)
        return getattr(self, table).get(key, known.default)


def build_params(unit, *, source=""):
    """:class:`SnapshotParams` of its fields; sizes may be texts such as ``"64K"``.

    Without ``shadow_base`` the shadow follows the memory, at the next base that is aligned.
    """
    where = f"{source}: [unit] " if source else ""
    try:
        unit = {key: TABLES["unit"][key].read(value) for key, value in unit.items()}
        size = unit.get("memory_size", SnapshotParams.memory_size)
        if "shadow_base" not in unit and size > 0:
            unit["shadow_base"] = unit.get("memory_base", 0) + (1 << (size - 1).bit_length())
        return SnapshotParams(**unit)
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{where}{error}") from None


def _read_table(table, keys, name, where):
    _check_known(table, keys, f"{where}key in {name}")
    try:
        return {key: keys[key].read(value) for key, value in table.items()}
    except InputError as error:
        raise InputError(f"{where}{name} {error}") from None


def _check_known(table, known, where):
    for key in table:
        if key not in known:
            home = [name for name, keys in TABLES.items() if key in keys]
            near = difflib.get_close_matches(key, known, 1)
            hint = (f"it belongs into [{home[0]}]" if home else
                    f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}")
            raise InputError(f"{where} {key!r} is unknown: {hint}")
