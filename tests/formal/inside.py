"""Signals inside a component, for a specification to refer to."""

from amaranth.hdl import Fragment

__all__ = ["look_inside"]


def look_inside(component):
    """Elaborates a component: what to add as a submodule, and its signals by path.

    A path is the names of the submodules and the signal's, with dots, such as ``"map.count"``.
    """
    fragment = Fragment.get(component, None)
    return fragment, _signals(fragment, "")


def _signals(fragment, path):
    found = {}
    for statements in fragment.statements.values():
        for statement in statements:
            for signal in statement._lhs_signals():
                found[path + signal.name] = signal
    for part, name, _ in fragment.subfragments:
        found |= _signals(part, f"{path}{name}.")
    return found
