"""Numbers as people read them; the same on the terminal and on the page."""

__all__ = ["MEMORY_NAMES", "count", "figure_text", "percent", "rate", "size"]

#: How people call what is behind the unit.
MEMORY_NAMES = {"ideal": "ideal memory", "litedram": "LiteDRAM"}


def count(value):
    """An integer in groups of three, or a dash where it was not measured."""
    return "–" if value is None else f"{value:,}"


def percent(fraction):
    """A fraction as a percentage with three significant digits, or a dash."""
    if fraction is None:
        return "–"
    value = 100 * fraction
    for digits, limit in (2, 9.995), (1, 99.95):
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return count(round(value))


def rate(value):
    """Something in a clock, or a dash."""
    return "–" if value is None else f"{value:.3f}"


def size(number):
    """A number of bytes in the largest binary unit that divides it."""
    for unit, name in (1 << 20, "MiB"), (1 << 10, "KiB"):
        if number >= unit and number % unit == 0:
            return f"{number // unit} {name}"
    return f"{count(number)} bytes"


def figure_text(figure, value):
    """A figure's value, without its unit."""
    return {"%": percent, "beats/clock": rate}.get(figure.unit, count)(value)
