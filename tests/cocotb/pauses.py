"""When a channel pauses: what cocotbext-axi takes as a generator, and our own drivers as well."""

__all__ = ["pauses"]


def pauses(rng):
    """A random habit: never (None), now and then, often, or in long stretches."""
    habit = rng.choice(["never", "rare", "often", "stretches"])
    return None if habit == "never" else _habit(habit, rng)


def _habit(habit, rng):
    while True:
        if habit == "stretches":
            for is_paused in False, True:
                for _ in range(rng.randint(1, 30)):
                    yield is_paused
        else:
            yield rng.random() < (0.1 if habit == "rare" else 0.6)
