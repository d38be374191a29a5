"""A look into the memories of an elaborated component, for a specification to refer to."""

from amaranth.hdl import Const, Signal

__all__ = ["peek"]


def peek(fragment, path, address):
    """The row at ``address`` of a memory, now.

    Parameters
    ----------
    fragment : Fragment
        What :func:`formal.inside.look_inside` gave for the component.
    path : str
        The names of the submodules that lead to the memory, with dots.
    address : Value
    """
    for name in path.split("."):
        fragment, = (part for part, each, _ in fragment.subfragments if each == name)
    row = Signal(fragment._data.shape, name=f"{name}_peek")
    fragment.read_port(domain="comb", addr=address, data=row, en=Const(1), transparent_for=())
    return row
