"""The Python side of the programmer's guide; tests/test_driver.py runs it on the unit."""

from memsnap.driver import (
    Failure,
    RegionKind,
    SnapshotDriver,
    SnapshotFailedError,
    StartRefusedError,
)

KERNEL, BUFFER = 0, 1


def find(registers):
    driver = SnapshotDriver(registers)
    caps = driver.capabilities()
    print(f"{caps.memory_size:#x} bytes in blocks of {caps.block_size}")
    return driver


def choose_regions(driver, kernel, buffer, size):
    driver.set_region(KERNEL, kernel, kernel + size - 1, RegionKind.KERNEL)
    driver.set_region(BUFFER, buffer, buffer + size - 1, RegionKind.DMA)


def choose_limits(driver):
    retries = 3 if driver.capabilities().retry else 0
    driver.set_policy(Failure.BREAK, retries=retries, hold_io=False)
    driver.set_timeout(20_000)
    driver.set_deadline(10_000_000)
    driver.set_hold_limit(50_000)


def take(driver, read_memory):
    driver.take()
    return driver.image(read_memory)        # bytes; read_memory(address) reads a word


def start(driver):
    driver.wait_ready()
    try:
        driver.start()
    except StartRefusedError as error:
        print(error)                        # the reason, and what helps


def finish(driver):
    try:
        driver.wait()
    except SnapshotFailedError as error:
        print(error)
        return False
    return True


def pause_and_resume(driver):
    driver.pause()
    driver.start()
    so_far = driver.counters()
    copied = sum(driver.copied())
    print(f"{so_far.duration} clocks after the instant {copied} blocks are copied")
    driver.resume()
    driver.wait()


def slow_down(driver, clocks_a_block):
    driver.set_pace(clocks_a_block)
    driver.set_share(0)                     # idle slots alone


def full_speed(driver):
    driver.set_pace(0)
    driver.set_share(16)


def cancel(driver):
    driver.cancel()
    try:
        driver.wait()                       # it had finished
    except SnapshotFailedError:
        print(f"cancelled; ready in {driver.ready_in()} clocks")


def on_interrupt(driver):
    return driver.take_interrupt() and driver.status().done


def protect(driver):
    driver.deny_reads(1)                    # port 1 cannot read the shadow
    driver.lock()                           # and nobody can change that


def give_up_the_image(driver):
    driver.clear()
