// Snapshots of a memory by software alone, for a system without the unit.
//
// A snapshot is the memory as it was at the instant of its start. A start copies the ranges that are
// written without notice (a kernel, buffers of IO DMA); after it, whoever is about to write says so
// first, and whoever has time copies a few more blocks. A copy map with one bit a block, set =
// copied, keeps every block from being copied twice and every write from coming before its copy.
//
// Nothing is allocated and nothing is called but the function that the caller may give to copy a
// block (and memcpy or memset, if the compiler puts them in). Addresses are those that the CPU uses,
// sizes are bytes. No two calls for one snapshot may overlap in time: hold a lock, or keep
// interrupts off, around each.

#ifndef MEMSNAP_SOFT_H
#define MEMSNAP_SOFT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Why a call was refused, or what went wrong. A refused call has changed nothing.
typedef enum {
    MEMSNAP_SOFT_OK = 0,
    MEMSNAP_SOFT_BLOCK_SIZE,    // the block size is no power of two of at least 4
    MEMSNAP_SOFT_SIZE,          // the memory is not a whole number of blocks, or ends above all addresses
    MEMSNAP_SOFT_MISALIGNED,    // memory or shadow does not begin at a multiple of the block size
    MEMSNAP_SOFT_OVERLAP,       // memory and shadow overlap
    MEMSNAP_SOFT_MAP_ALIGN,     // the map does not begin at a multiple of 4
    MEMSNAP_SOFT_MAP_SIZE,      // the map has fewer bits than there are blocks
    MEMSNAP_SOFT_MAP_PLACE,     // the map overlaps the shadow, or is only partly in the memory
    MEMSNAP_SOFT_RANGE,         // a range of the initial copy is empty or not within the memory
    MEMSNAP_SOFT_BUSY,          // a snapshot is running
    MEMSNAP_SOFT_BLOCK,         // there is no such block
    MEMSNAP_SOFT_COPY,          // a block could not be copied: the snapshot has failed
    MEMSNAP_SOFT_ERRORS
} memsnap_soft_error;

// Where a snapshot is in its life.
typedef enum {
    MEMSNAP_SOFT_IDLE = 0,      // nothing was started
    MEMSNAP_SOFT_RUNNING,       // past the instant, blocks are left to copy
    MEMSNAP_SOFT_DONE,          // the shadow is the memory at the instant
    MEMSNAP_SOFT_CANCELLED,     // given up on request: there is no image
    MEMSNAP_SOFT_FAILED         // a block could not be copied: there is no image
} memsnap_soft_state;

// Why a block was copied.
typedef enum {
    MEMSNAP_SOFT_DEMAND = 0,    // a write to it was about to happen
    MEMSNAP_SOFT_INITIAL,       // part of a range of the initial copy, of the map, or of the state
    MEMSNAP_SOFT_BACKGROUND,    // it was its turn
    MEMSNAP_SOFT_KINDS
} memsnap_soft_kind;

// Some bytes of the memory; a block of which one byte is in the range belongs to it.
typedef struct {
    const void *base;
    size_t bytes;
} memsnap_soft_range;

// Copies `bytes` (one block) and returns 0 once they are safe, anything else if they are not.
typedef int (*memsnap_soft_copy)(void *context, void *to, const void *from, size_t bytes);

typedef struct {
    void *memory;               // what is guarded; begins at a multiple of block_size
    size_t size;                // of the memory and of the shadow: a multiple of block_size
    void *shadow;               // where the image goes; begins at a multiple of block_size
    size_t block_size;          // a power of two, 4 or more
    uint32_t *map;              // block b is bit b % 32 of word b / 32; in the memory, or elsewhere
    size_t map_bytes;           // MEMSNAP_SOFT_MAP_BYTES(size, block_size), or more
    memsnap_soft_copy copy;     // NULL for a plain loop
    void *context;              // handed to copy
} memsnap_soft_config;

// Bytes that the copy map of `size` bytes in blocks of `block_size` needs: whole words.
#define MEMSNAP_SOFT_MAP_BYTES(size, block_size) (((size) / (block_size) + 31) / 32 * 4)

// One memory and its snapshots, one after another. To be read, not to be written. If it lies in the
// memory, its blocks are copied before it changes, as are those of the map.
typedef struct {
    memsnap_soft_config config;
    unsigned block_shift;                   // the block size is 1 << block_shift
    memsnap_soft_state state;
    size_t blocks;                          // of the memory
    size_t left;                            // not copied yet
    size_t next;                            // no block below this one is left
    size_t fail_block;                      // in state FAILED: the block that could not be copied
    size_t copied[MEMSNAP_SOFT_KINDS];      // blocks copied, by what made them be
} memsnap_soft;

// Checks `config` and prepares `soft` for it. Neither memory, shadow nor map is touched.
// Returns OK, or BLOCK_SIZE, SIZE, MISALIGNED, OVERLAP, MAP_ALIGN, MAP_SIZE, MAP_PLACE.
memsnap_soft_error memsnap_soft_init(memsnap_soft *soft, const memsnap_soft_config *config);

// The instant: what the memory holds at the call is what the image will show. Copies, before it
// returns, the blocks of the map and of `soft` that are in the memory, then those of `count` ranges.
//
// The stack that it runs on must be outside the memory, or what lies below its top must not matter
// in the image; and it must be in one of the ranges if it is written later without notice.
// Returns OK, or BUSY, RANGE (nothing was started), or COPY (started, and failed).
memsnap_soft_error memsnap_soft_start(memsnap_soft *soft, const memsnap_soft_range *ranges,
                                      size_t count);

// To be called before `bytes` from `address` on are written: copies those of their blocks whose bit
// is clear. Bytes outside the memory are passed over, and so is everything while nothing runs.
// Returns OK, or COPY if that made the snapshot fail; the write may go ahead in either case.
memsnap_soft_error memsnap_soft_before_write(memsnap_soft *soft, const void *address,
                                             size_t bytes);

// The same for a write to the block of this number, 0 to blocks - 1. Returns OK, COPY, or BLOCK.
memsnap_soft_error memsnap_soft_before_block(memsnap_soft *soft, size_t block);

// Whether a write must be refused: one of the `bytes` from `address` on is in the shadow or in the
// map, and a snapshot is running or its image is kept.
int memsnap_soft_protected(const memsnap_soft *soft, const void *address, size_t bytes);

// Copies the next blocks that are left, `most` at most, in the order of their numbers. Returns how
// many it copied; fewer than `most` if the snapshot is then done or failed, or was not running.
size_t memsnap_soft_step(memsnap_soft *soft, size_t most);

// Gives a running snapshot up; the memory is as its writers left it. In other states, nothing.
void memsnap_soft_cancel(memsnap_soft *soft);

// Gives the image up: back to IDLE, nothing is protected. Returns OK, or BUSY.
memsnap_soft_error memsnap_soft_clear(memsnap_soft *soft);

// Whether a block has been copied since the last start; 0 for a block that there is not.
int memsnap_soft_is_copied(const memsnap_soft *soft, size_t block);

// What an error means and what to do, as a sentence without its full stop.
const char *memsnap_soft_error_text(memsnap_soft_error error);

#ifdef __cplusplus
}
#endif

#endif
