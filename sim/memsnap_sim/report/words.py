"""Numbers as people read them; the same on the terminal and on the page."""

__all__ = ["count", "figure_text", "percent", "size"]


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


def size(number):
    """A number of bytes in the largest binary unit that divides it."""
    for unit, name in (1 << 20, "MiB"), (1 << 10, "KiB"):
        if number >= unit and number % unit == 0:
            return f"{number // unit} {name}"
    return f"{count(number)} bytes"


def figure_text(figure, value):
    """A figure's value, without its unit."""
    return percent(value) if figure.unit == "%" else count(value)
