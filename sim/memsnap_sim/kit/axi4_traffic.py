"""Random AXI4 transactions: all burst kinds, narrow, unaligned, strobes, exclusive accesses."""

from memsnap.bus.axi4 import Burst

from .axi4_burst import Transaction, faults, places

__all__ = ["random_exclusive", "random_transaction"]

_CACHE = [value for value in range(16) if value & 2 or not value & 12]


def random_transaction(rng, *, word_bytes, base, size, we=None, id_width=1, user_width=0,
                       most=32, **fixed):
    """A legal transaction that touches no byte outside ``size`` bytes from ``base``.

    Parameters
    ----------
    rng : random.Random
    word_bytes : int
        Of the bus.
    base, size : int
        ``size`` is at least a word, and ``base`` a multiple of a word.
    we : bool or None
        A write, a read, or either.
    most : int
        Most beats, but for one in twenty bursts, which is as long as it may.
    fixed
        What is not random, by attribute of :class:`Transaction`.
    """
    whole = word_bytes.bit_length() - 1
    while True:
        burst = rng.choice([Burst.INCR] * 4 + [Burst.WRAP, Burst.FIXED])
        log_size = rng.choice([whole, whole, whole, rng.randint(0, whole)])
        beats = {Burst.WRAP: rng.choice([2, 4, 8, 16]), Burst.FIXED: rng.randint(1, 16),
                 Burst.INCR: rng.choice([1, 1, rng.randint(1, most)])}[burst]
        if burst is Burst.INCR and rng.random() < 0.05:
            beats = rng.randint(1, 256)
        if burst is not Burst.FIXED:
            beats = min(beats, max(1, size >> log_size))
        addr = base + rng.randrange(size)
        if burst is Burst.WRAP or rng.random() < 0.7:
            addr = addr >> log_size << log_size
        values = {"burst": burst, "size": log_size, "addr": addr, "beats": beats,
                  "we": rng.random() < 0.5 if we is None else we, **_notes(rng, id_width),
                  "user": rng.getrandbits(user_width) if user_width else 0, **fixed}
        transaction = Transaction(**values)
        if faults(transaction, word_bytes):
            continue
        spots = places(transaction, word_bytes)
        first, end = base // word_bytes, (base + size) // word_bytes
        if all(first <= word < end for word, _ in spots):
            return _filled(rng, transaction, spots, word_bytes)


def random_exclusive(rng, *, word_bytes, base, size, id_width=1, user_width=0):
    """An exclusive read and, once it is answered, the exclusive write that belongs to it."""
    whole = word_bytes.bit_length() - 1
    while True:
        beats, log_size = rng.choice([1, 1, 2, 4]), rng.randint(0, whole)
        total = beats << log_size
        if total > min(128, size):
            continue
        addr = (base + rng.randrange(size)) // total * total
        shape = {"addr": addr, "beats": beats, "size": log_size, "lock": 1,
                 "burst": rng.choice([Burst.INCR, Burst.WRAP]) if beats > 1 else Burst.INCR,
                 **_notes(rng, id_width),
                 "user": rng.getrandbits(user_width) if user_width else 0}
        read = Transaction(**shape)
        write = Transaction(we=True, after=read, **shape)
        if base <= addr and addr + total <= base + size and not faults(read, word_bytes):
            return read, _filled(rng, write, places(write, word_bytes), word_bytes)


def _notes(rng, id_width):
    return {"id": rng.randrange(min(1 << id_width, 4)) if rng.random() < 0.7
            else rng.getrandbits(id_width), "cache": rng.choice(_CACHE),
            "prot": rng.randrange(8), "qos": rng.randrange(16), "region": rng.randrange(16)}


def _filled(rng, transaction, spots, word_bytes):
    """A write with random data and strobes: often all, sometimes none."""
    if transaction.we:
        transaction.data = [rng.getrandbits(8 * word_bytes) for _ in spots]
        habit = rng.choice(["all", "all", "some", "none"])
        transaction.strobes = [
            lanes if habit == "all" else lanes & rng.getrandbits(word_bytes)
            if habit == "some" or rng.random() < 0.5 else 0 for _, lanes in spots]
    return transaction
