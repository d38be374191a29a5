"""What the CPU runs outside the guarded memory: its start, and a copy made by software.

At reset PicoRV32 starts in the boot code, which lets the one interrupt through that the simulation
raises, and jumps to the program's entry. The interrupt's handler is the baseline that the unit is
measured against: it saves the registers that it needs, copies the whole memory to the shadow with
unrolled loads and stores, and returns. The program is not changed and does not notice.
"""

__all__ = ["HANDLER", "MARK", "SOFTWARE_IRQ", "boot_image"]

#: Offset of the interrupt handler in the firmware (PROGADDR_IRQ in ``soc.v``).
HANDLER = 0x100
#: Where the handler saves registers, and where it marks its first and its last instruction.
_SAVED, MARK = 0x3000_8000, 0x1000_0008
SOFTWARE_IRQ = 5
_WORDS = 8      # registers per turn of the loop

_T0, _T1, _T2, _A0 = 5, 6, 7, 10


def _i(op, funct3, rd, rs1, imm):
    return (imm & 0xfff) << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | op


def _lui(rd, value):
    return (value & 0xffff_f000) | rd << 7 | 0x37


def _addi(rd, rs1, imm):
    return _i(0x13, 0, rd, rs1, imm)


def _lw(rd, rs1, imm):
    return _i(0x03, 2, rd, rs1, imm)


def _sw(rs2, rs1, imm):
    return (imm >> 5 & 0x7f) << 25 | rs2 << 20 | rs1 << 15 | 2 << 12 | (imm & 0x1f) << 7 | 0x23


def _jalr(rd, rs1, imm):
    return _i(0x67, 0, rd, rs1, imm)


def _bltu(rs1, rs2, offset):
    return ((offset >> 12 & 1) << 31 | (offset >> 5 & 0x3f) << 25 | rs2 << 20 | rs1 << 15
            | 6 << 12 | (offset >> 1 & 0xf) << 8 | (offset >> 11 & 1) << 7 | 0x63)


def _li(rd, value):
    """Two instructions, whatever the value."""
    low = (value & 0xfff) - ((value & 0x800) << 1)
    return [_lui(rd, value - low & 0xffff_ffff), _addi(rd, rd, low)]


def _custom(funct7, rd=0, rs1=0):
    """An instruction of PicoRV32's own (its README, "Custom Instructions for IRQ Handling")."""
    return funct7 << 25 | rs1 << 15 | rd << 7 | 0x0b


def _getq(rd, qs):
    return _custom(0, rd, qs)


def _setq(qd, rs):
    return _custom(1, qd, rs)


def _retirq():
    return _custom(2)


def _maskirq(rd, rs):
    return _custom(3, rd, rs)


def boot_image(entry, base, size, shadow):
    """The firmware for a program that starts at ``entry``, as bytes.

    Parameters
    ----------
    entry : int
    base, size, shadow : int
        The memory, its bytes (a multiple of 32), and where the copy goes.
    """
    if size % (4 * _WORDS):
        raise ValueError(f"size must be a multiple of {4 * _WORDS} bytes, not {size:#x}")
    boot = [*_li(_T0, ~(1 << SOFTWARE_IRQ) & 0xffff_ffff), _maskirq(0, _T0),
            *_li(_T0, entry), _jalr(0, _T0, 0)]
    used = [_T2, *range(_A0, _A0 + _WORDS)]
    loop = [*(_lw(_A0 + word, _T0, 4 * word) for word in range(_WORDS)),
            *(_sw(_A0 + word, _T1, 4 * word) for word in range(_WORDS)),
            _addi(_T0, _T0, 4 * _WORDS), _addi(_T1, _T1, 4 * _WORDS)]
    handler = [
        _setq(2, _T0), _setq(3, _T1),
        *_li(_T0, _SAVED), *(_sw(reg, _T0, 4 * at) for at, reg in enumerate(used)),
        *_li(_T0, MARK), _sw(0, _T0, 0),
        *_li(_T0, base), *_li(_T1, shadow), *_li(_T2, base + size),
        *loop, _bltu(_T0, _T2, -4 * len(loop)),
        *_li(_T0, MARK), *_li(_T1, 1), _sw(_T1, _T0, 0),
        *_li(_T0, _SAVED), *(_lw(reg, _T0, 4 * at) for at, reg in enumerate(used)),
        _getq(_T0, 2), _getq(_T1, 3), _retirq(),
    ]
    code = boot + [0] * (HANDLER // 4 - len(boot)) + handler
    return b"".join(word.to_bytes(4, "little") for word in code)
