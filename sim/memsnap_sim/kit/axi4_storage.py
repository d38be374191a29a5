"""What an AXI4 memory does with each beat: content, errors, the exclusive monitor, the log."""

from memsnap.bus.axi4 import Response

from .axi4_burst import places
from .memory import Entry, image_of, merge, words_of

__all__ = ["Storage"]

_ERRORS = {"err": Response.SLVERR, "decerr": Response.DECERR}


class Storage:
    """Words, and the transactions that are being done on them.

    Whether a beat fails is decided when its transaction is admitted. An exclusive read reserves its
    bytes for its id until someone writes one of them (A7.2); an exclusive write without such a
    reservation changes nothing and is answered OKAY.

    Parameters
    ----------
    image : bytes
    word_bytes : int
        Bytes of a bus word.
    errors : callable or None
        See :class:`Axi4Memory`.
    """

    def __init__(self, image, word_bytes, *, errors=None):
        if len(image) % word_bytes:
            raise ValueError(f"image must be a multiple of {word_bytes} bytes, "
                             f"not {len(image)} bytes")
        self.word_bytes = word_bytes
        self.words = words_of(image, word_bytes)
        self.errors = errors
        self.log = []
        self._admitted = 0
        self._open = {}           # for a transaction, its places, errors and entries
        self._reserved = {}       # for an id, the reserved {word: lanes} and the request

    @property
    def image(self):
        """The content now, in bytes."""
        return image_of(self.words, self.word_bytes)

    def forget(self):
        """A reset: what is open is not done, and nothing is reserved."""
        self._open.clear()
        self._reserved.clear()

    def admit(self, transaction):
        """Begins a transaction whose address was accepted."""
        spots = places(transaction, self.word_bytes)
        errors = [self._error(word, transaction.we) for word, _ in spots]
        self._open[transaction] = spots, errors, []

    def _error(self, word, we):
        index, self._admitted = self._admitted, self._admitted + 1
        error = self.errors(index, word, we) if self.errors is not None else None
        if error is not None:
            return _ERRORS[error]
        return None if word < len(self.words) else Response.DECERR

    def response(self, transaction):
        """The answer to a write that is done."""
        _, errors, entries = self._open[transaction]
        worst = max((error.value for error in errors if error is not None), default=None)
        if worst is not None:
            return Response(worst)
        exclusive = transaction.lock and entries[0].landed
        return Response.EXOKAY if exclusive else Response.OKAY

    def answered(self, transaction, clock):
        """A write's answer, or the next of a read, was taken."""
        _, _, entries = self._open[transaction]
        if transaction.we:
            for entry in entries:
                entry.answered = clock
            del self._open[transaction]
        else:
            done = len(transaction.responses)
            entries[done - 1].answered = clock
            if done == transaction.beats:
                del self._open[transaction]

    def do_all(self, transaction, clock):
        """Does all beats that are left."""
        if not transaction.we:
            for beat in range(transaction.beats):
                self.read(transaction, beat, clock)
        elif not self._open[transaction][2]:
            self._write(transaction, clock)

    def read(self, transaction, beat, clock):
        """The data of a read's beat and its response; it is read now unless it was before."""
        spots, errors, entries = self._open[transaction]
        if beat == len(entries):
            word, lanes = spots[beat]
            error = errors[beat]
            data = self.words[word] if word < len(self.words) else 0
            if error is not None:
                data ^= (1 << 8 * self.word_bytes) - 1      # of no use to anyone
            if transaction.lock and beat == 0:
                self._reserve(transaction, spots, errors)
            entries.append(Entry(transaction.accepted, word, False, data, lanes,
                                 "ack" if error is None else "err", done=clock,
                                 source=transaction))
            self.log.append(entries[-1])
        return entries[beat].data, errors[beat] or (
            Response.EXOKAY if transaction.lock else Response.OKAY)

    def _write(self, transaction, clock):
        spots, errors, entries = self._open[transaction]
        allowed = not transaction.lock or self._is_reserved(transaction)
        failed = any(error is not None for error in errors)
        for (word, _), error, data, strobe in zip(spots, errors, transaction.data,
                                                  transaction.strobes, strict=True):
            landed = allowed and error is None
            if landed:
                self.words[word] = merge(self.words[word], data, strobe)
                self._break(word, strobe)
            entries.append(Entry(transaction.accepted, word, True, data, strobe,
                                 "err" if failed else "ack", done=clock, landed=landed,
                                 source=transaction))
        self.log += entries

    # The exclusive monitor ---------------------------------------------------------------------

    @staticmethod
    def _shape(transaction):
        return transaction.addr, transaction.beats, transaction.size, transaction.burst

    def _reserve(self, transaction, spots, errors):
        if all(error is None for error in errors):
            lanes = {}
            for word, mask in spots:
                lanes[word] = lanes.get(word, 0) | mask
            self._reserved[transaction.id] = lanes, self._shape(transaction)

    def _is_reserved(self, transaction):
        _, shape = self._reserved.get(transaction.id, (None, None))
        return shape == self._shape(transaction)

    def _break(self, word, strobe):
        """A write ends all reservations of the bytes that it changes."""
        self._reserved = {id_: (lanes, shape) for id_, (lanes, shape) in self._reserved.items()
                          if not lanes.get(word, 0) & strobe}
