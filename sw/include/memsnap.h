// A driver for the snapshot unit: one for every build, on any CPU.
//
// It needs no library, allocates nothing, and keeps no state but what memsnap_probe() found out.
// Addresses and sizes are bytes as the unit counts them, times are its clocks. Calls for one unit
// must not overlap in time: hold a lock around them if several threads use it.
//
// A register is accessed by MEMSNAP_READ32 and MEMSNAP_WRITE32. Where a plain volatile access will
// not do (a barrier is needed, or the unit is behind another bus), define both, for all files.

#ifndef MEMSNAP_H
#define MEMSNAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memsnap_regs.h"

#ifndef MEMSNAP_READ32
#define MEMSNAP_READ32(address) (*(const volatile uint32_t *)(address))
#define MEMSNAP_WRITE32(address, value) ((void)(*(volatile uint32_t *)(address) = (value)))
#endif

#ifdef __cplusplus
extern "C" {
#endif

// What came of a call. A call that gives an argument error (LOCKED to VALUE) has changed nothing.
typedef enum {
    MEMSNAP_OK = 0,
    MEMSNAP_ERROR_NO_UNIT,      // ID does not read as a unit's
    MEMSNAP_ERROR_VERSION,      // the unit has another major version than this driver
    MEMSNAP_ERROR_LOCKED,       // a snapshot is running: wait for its end, or cancel it
    MEMSNAP_ERROR_LOCKED_UNTIL_RESET,   // memsnap_lock() was called
    MEMSNAP_ERROR_INDEX,        // there is no such region, port, block or row
    MEMSNAP_ERROR_REGION,       // a region's base is above its limit, or not all of it is in the memory
    MEMSNAP_ERROR_VALUE,        // a value does not fit its register, or this build cannot do it
    MEMSNAP_ERROR_REFUSED,      // the start was refused: see memsnap_status.refusal
    MEMSNAP_ERROR_RUNNING,      // it had not ended, or was not ready, after so many polls
    MEMSNAP_ERROR_FAILED,       // the snapshot failed: see memsnap_status.cause
    MEMSNAP_ERROR_CANCELLED,    // the snapshot was cancelled
    MEMSNAP_ERROR_NO_IMAGE,     // no snapshot was started, or its image was given up
    MEMSNAP_ERRORS
} memsnap_error;

// A unit and how it was built. Filled in by memsnap_probe(), then only read.
typedef struct {
    uintptr_t base;             // of its registers
    uint64_t memory_base, memory_size, shadow_base;
    uint32_t version;           // major << 16 | minor << 8 | patch
    uint32_t block_size;        // bytes
    uint32_t blocks;            // in the memory
    uint32_t data_width;        // bits
    uint32_t regions;           // entries of the region table
    uint32_t ports;             // upstream ports
    uint32_t buffer_depth;      // beats
    uint32_t jobs;              // blocks in work at a time
    enum memsnap_release release;
    bool pipelined;             // Wishbone pipelined, else classic
    bool shadow_separate;       // the shadow has a port of its own
    bool retry;                 // memsnap_policy.retries and FAIL_WRITE are possible
    bool io_hold;               // memsnap_policy.hold_io is possible
} memsnap_unit;

typedef struct {
    enum memsnap_state state;
    bool done;                  // the image is complete
    bool failed, cancelled;     // how else the last snapshot ended
    bool refused;               // the last start was
    bool active;                // past the instant, not at the end
    bool locked;                // the configuration is: from the start to the end
    bool shadow_protected;      // initiators cannot write it
    bool ready;                 // a start is possible
    enum memsnap_cause cause;       // if failed or cancelled
    enum memsnap_refusal refusal;   // if refused
    uint32_t fail_block;            // if cause is READ_ERROR or WRITE_ERROR
} memsnap_status;

// Bytes `base` to `limit`, both included.
typedef struct {
    uint64_t base, limit;
    enum memsnap_region_kind kind;  // for information
    bool enable;
} memsnap_region;

typedef struct {
    enum memsnap_failure failure;   // what gives way when a write is held for too long
    uint32_t retries;               // of a failed access of the copier, 0 to 15
    bool hold_io;                   // hold ungated masters from the start until the regions are safe
} memsnap_policy;

// All of one clock. Clocks are counted from the instant unless said otherwise.
typedef struct {
    uint64_t instant;           // clocks from reset
    uint32_t armed;             // clocks from the start to the instant
    uint32_t duration;          // clocks to the end, or to the latch
    uint32_t blocks_initial, blocks_demand, blocks_background;
    uint32_t held;              // writes
    uint32_t stall_longest, stall_total;
} memsnap_counters;

// Looks for a unit whose registers are at `base`. Gives OK, NO_UNIT or VERSION.
memsnap_error memsnap_probe(memsnap_unit *unit, uintptr_t base);

// Life of a snapshot ---------------------------------------------------------------------------

// Starts a snapshot and returns at once; the instant is a few clocks away. OK or REFUSED.
memsnap_error memsnap_start(const memsnap_unit *unit);

// Waits for the end, for `polls` reads of the status at most, 0 for any number.
// OK: the image is complete. Else FAILED, CANCELLED, RUNNING, NO_IMAGE.
memsnap_error memsnap_wait(const memsnap_unit *unit, uint32_t polls);

// Start and wait in one: waits until a start is possible, starts, waits for the end.
// Each wait is for `polls` reads of the status at most, 0 for any number.
memsnap_error memsnap_take(const memsnap_unit *unit, uint32_t polls);

// Waits until a start is possible, for `polls` reads of the status at most, 0 for any number.
// OK or RUNNING.
memsnap_error memsnap_wait_ready(const memsnap_unit *unit, uint32_t polls);

// Asks for the end of the running snapshot; memsnap_wait() tells how it ended: cancelled, or done
// because it had finished. Without a running snapshot, nothing.
void memsnap_cancel(const memsnap_unit *unit);

// Forgets the last result and gives up the protection of its image. Nothing while one is running.
void memsnap_clear(const memsnap_unit *unit);

// The background copy takes no more blocks until it is resumed; held writes are served as ever.
void memsnap_pause(const memsnap_unit *unit);
void memsnap_resume(const memsnap_unit *unit);
bool memsnap_is_paused(const memsnap_unit *unit);

// What it does and what it found ---------------------------------------------------------------

memsnap_status memsnap_get_status(const memsnap_unit *unit);

// Clocks until a start is possible, once the copier has no access under way; 0 if one is possible.
uint32_t memsnap_ready_in(const memsnap_unit *unit);

// Takes a copy of all counters in one clock, and gives it.
memsnap_counters memsnap_latch_counters(const memsnap_unit *unit);

// The copy that was taken last: by a latch, or at the last snapshot's end.
memsnap_counters memsnap_get_counters(const memsnap_unit *unit);

// The copy map: block 32 row + i is bit i, set for copied. INDEX if there is no such row or block.
memsnap_error memsnap_get_map_row(const memsnap_unit *unit, uint32_t row, uint32_t *bits);
memsnap_error memsnap_is_copied(const memsnap_unit *unit, uint32_t block, bool *copied);

// Where the image holds the byte that the memory has at `address`, which is in the memory.
uint64_t memsnap_image_address(const memsnap_unit *unit, uint64_t address);

// Configuration: LOCKED while a snapshot runs --------------------------------------------------

// The blocks that an enabled region touches are copied first, in the order of the table.
memsnap_error memsnap_set_region(const memsnap_unit *unit, uint32_t index,
                                 const memsnap_region *region);
memsnap_error memsnap_get_region(const memsnap_unit *unit, uint32_t index, memsnap_region *region);
memsnap_error memsnap_disable_region(const memsnap_unit *unit, uint32_t index);

// VALUE if this build cannot do what the policy asks for.
memsnap_error memsnap_set_policy(const memsnap_unit *unit, const memsnap_policy *policy);
memsnap_policy memsnap_get_policy(const memsnap_unit *unit);

// Clocks without an answer of the memory after which a snapshot fails; 0 for never.
memsnap_error memsnap_set_timeout(const memsnap_unit *unit, uint32_t clocks);
uint32_t memsnap_get_timeout(const memsnap_unit *unit);

// Clocks from the instant after which a snapshot fails; 0 for never.
memsnap_error memsnap_set_deadline(const memsnap_unit *unit, uint32_t clocks);
uint32_t memsnap_get_deadline(const memsnap_unit *unit);

// Clocks for which a write may be held until memsnap_policy.failure applies; 0 for any number.
memsnap_error memsnap_set_hold_limit(const memsnap_unit *unit, uint32_t clocks);
uint32_t memsnap_get_hold_limit(const memsnap_unit *unit);

// One bit for each upstream port whose reads of the shadow are answered with a bus error.
memsnap_error memsnap_set_protect(const memsnap_unit *unit, uint32_t ports);
uint32_t memsnap_get_protect(const memsnap_unit *unit);

// All of the configuration above stays as it is until the next reset.
memsnap_error memsnap_lock(const memsnap_unit *unit);
bool memsnap_is_locked_until_reset(const memsnap_unit *unit);

// Configuration that may change at any time ----------------------------------------------------

// The copier gets a slot after it was denied one for so many clocks; 0 for idle slots alone.
void memsnap_set_share(const memsnap_unit *unit, uint32_t clocks);
uint32_t memsnap_get_share(const memsnap_unit *unit);

// Clocks from one block of the background copy to the next, at least, 0 to 65535. OK or VALUE.
memsnap_error memsnap_set_pace(const memsnap_unit *unit, uint32_t clocks);
uint32_t memsnap_get_pace(const memsnap_unit *unit);

// Interrupt ------------------------------------------------------------------------------------

// Whether the end of a snapshot requests an interrupt.
void memsnap_enable_irq(const memsnap_unit *unit, bool enable);

// Whether a snapshot has ended since the last call; withdraws the request.
bool memsnap_take_irq(const memsnap_unit *unit);

// Makes it look as if a snapshot had ended, to test the way to the handler.
void memsnap_test_irq(const memsnap_unit *unit);

// Words ----------------------------------------------------------------------------------------

// Each as a few words without a full stop; "unknown" for a value that there is not.
const char *memsnap_error_text(memsnap_error error);
const char *memsnap_state_text(enum memsnap_state state);
const char *memsnap_cause_text(enum memsnap_cause cause);
const char *memsnap_refusal_text(enum memsnap_refusal refusal);

#ifdef __cplusplus
}
#endif

#endif
