"""Signals inside a component, for a specification to refer to."""

import sys

from amaranth.hdl import Array, Assert, Cat, Const, Fragment, Mux, Signal, Value
from amaranth.hdl._mem import MemoryInstance

__all__ = ["Fact", "Part", "any_of", "count", "look_inside"]


def any_of(values):
    """Whether one of them is not 0."""
    return Cat(value != 0 for value in values).any()


def count(values):
    """How many of them are not 0."""
    return sum((Mux(value != 0, 1, 0) for value in values), Const(0, 1))


class Fact:
    """Something that always holds, and where it is written, which a failing proof tells."""

    def __init__(self, condition, meaning):
        caller = sys._getframe(1)
        self._condition, self._meaning = condition, meaning
        self._place = caller.f_code.co_filename, caller.f_lineno

    def as_assert(self, only_if=1):
        """An assert of it."""
        check = Assert(self._condition | ~Value.cast(only_if)[0], self._meaning)
        check.src_loc = self._place
        return check


class Part:
    """A component seen from inside, by the names of its signals.

    Parameters
    ----------
    m : Module
        Where derived signals are made, with :py:`let`.
    signals : dict
        Of :func:`look_inside`.
    path : str
        Of the component.
    """

    def __init__(self, m, signals, path):
        self._m = m
        self._signals = signals
        self._path = path

    def __getitem__(self, name):
        return self._signals[f"{self._path}.{name}"]

    def words(self, name):
        """What the words of a RAM hold."""
        return self._list(name + "[{}]")

    def each(self, name):
        """Signals with an index at the end of their name."""
        return self._list(name + "{}")

    def _list(self, form):
        found = []
        while (path := f"{self._path}.{form.format(len(found))}") in self._signals:
            found.append(self._signals[path])
        return Array(found)

    def let(self, name, value):
        """A signal that is always ``value``, with a name for traces."""
        signal = Signal(value.shape(), name=f"{self._path}_{name}".replace(".", "_"))
        self._m.d.comb += signal.eq(value)
        return signal


def look_inside(component):
    """Elaborates a component: what to add as a submodule, and its signals by path.

    A path is the names of the submodules and the signal's, with dots, such as ``"map.count"``;
    where signals share a name, the second is ``"map.count$1"``. A RAM gets a read port for each of
    its words: ``"map.ram[0]"`` is what the first holds. ``"map.ram.read0"`` is the data of the
    component's own first read port.
    """
    fragment = Fragment.get(component, None)
    return fragment, _signals(fragment, "")


def _signals(fragment, path):
    found = {}
    driven = {signal.duid: signal for statements in fragment.statements.values()
              for statement in statements for signal in statement._lhs_signals()}
    for _, signal in sorted(driven.items()):     # in the order of their making
        name, count = path + signal.name, 1
        while name in found:
            name, count = f"{path}{signal.name}${count}", count + 1
        found[name] = signal
    for part, name, _ in fragment.subfragments:
        if isinstance(part, MemoryInstance):
            found |= _words(part, path + name)
        else:
            found |= _signals(part, f"{path}{name}.")
    return found


def _words(memory, path):
    found = {f"{path}.read{index}": port._data for index, port in enumerate(memory._read_ports)}
    depth = memory._data.depth
    for index in range(depth):
        word = Signal(memory._data.shape, name=f"word{index}")
        memory.read_port(domain="comb", addr=Const(index, range(depth)), data=word, en=Const(1),
                         transparent_for=())
        found[f"{path}[{index}]"] = word
    return found
