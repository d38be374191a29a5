#include "memsnap_soft.h"

enum { BITS = 32 };             // of a word of the map
#define ALL_COPIED UINT32_MAX

// A function that is not put into its caller, so that the way that most calls take needs no stack
#ifdef __GNUC__
#define APART __attribute__((noinline))
#else
#define APART
#endif

// A run of blocks, `last` not included
struct run {
    size_t first, last;
};

static uintptr_t at(const void *pointer)
{
    return (uintptr_t)pointer;
}

static int overlap(uintptr_t a, size_t a_bytes, uintptr_t b, size_t b_bytes)
{
    return a_bytes && b_bytes && (a < b ? b - a < a_bytes : a - b < b_bytes);
}

// Of `bytes` from `address` on, the blocks that are in the memory
static struct run blocks_of(const memsnap_soft *soft, const void *address, size_t bytes)
{
    struct run none = {0, 0}, run;
    uintptr_t memory = at(soft->config.memory), offset = at(address) - memory;
    if (at(address) < memory) {
        if (bytes <= memory - at(address))
            return none;
        bytes -= memory - at(address);
        offset = 0;
    }
    if (!bytes || offset >= soft->config.size)
        return none;
    if (bytes > soft->config.size - offset)
        bytes = soft->config.size - offset;
    run.first = offset >> soft->block_shift;
    run.last = ((offset + (bytes - 1)) >> soft->block_shift) + 1;
    return run;
}

static size_t length(struct run run)
{
    return run.last - run.first;
}

// The blocks of `run` that are not in `other`, which is not inside of it
static struct run without(struct run run, struct run other)
{
    if (run.first >= other.first && run.first < other.last)
        run.first = other.last < run.last ? other.last : run.last;
    if (run.last > other.first && run.last <= other.last)
        run.last = other.first > run.first ? other.first : run.first;
    return run;
}

// Block number `i` of two runs
static size_t nth(const struct run *runs, size_t i)
{
    return i < length(runs[0]) ? runs[0].first + i : runs[1].first + (i - length(runs[0]));
}

static size_t map_words(const memsnap_soft *soft)
{
    return soft->blocks / BITS + (soft->blocks % BITS != 0);
}

static int is_set(const memsnap_soft *soft, size_t block)
{
    const volatile uint32_t *map = soft->config.map;
    return map[block / BITS] >> block % BITS & 1;
}

// The accesses are volatile so that no compiler moves the bit before the copy, or the write that
// waits for it before the bit.
static int copy_words(volatile uint32_t *to, const volatile uint32_t *from, size_t words)
{
    for (; words >= 4; words -= 4, to += 4, from += 4) {
        uint32_t a = from[0], b = from[1], c = from[2], d = from[3];
        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
    }
    while (words--)
        *to++ = *from++;
    return 0;
}

// Copies a block to the shadow; whether it is safe there
static int copy_content(const memsnap_soft *soft, size_t block)
{
    const memsnap_soft_config *config = &soft->config;
    size_t offset = block << soft->block_shift;
    void *to = (unsigned char *)config->shadow + offset;
    const void *from = (const unsigned char *)config->memory + offset;
    if (config->copy)
        return !config->copy(config->context, to, from, config->block_size);
    return !copy_words(to, from, config->block_size / sizeof(uint32_t));
}

static memsnap_soft_error fail(memsnap_soft *soft, size_t block)
{
    soft->fail_block = block;
    soft->state = MEMSNAP_SOFT_FAILED;
    return MEMSNAP_SOFT_COPY;
}

// Records that a block is safe in the shadow
static void record(memsnap_soft *soft, size_t block, memsnap_soft_kind kind)
{
    volatile uint32_t *map = soft->config.map;
    map[block / BITS] |= (uint32_t)1 << block % BITS;
    soft->copied[kind]++;
    if (--soft->left == 0)
        soft->state = MEMSNAP_SOFT_DONE;
}

// Copies a block of a running snapshot unless it was copied before
static memsnap_soft_error copy_block(memsnap_soft *soft, size_t block, memsnap_soft_kind kind)
{
    if (is_set(soft, block))
        return MEMSNAP_SOFT_OK;
    if (!copy_content(soft, block))
        return fail(soft, block);
    record(soft, block, kind);
    return MEMSNAP_SOFT_OK;
}

static memsnap_soft_error copy_run(memsnap_soft *soft, struct run run, memsnap_soft_kind kind)
{
    memsnap_soft_error error = MEMSNAP_SOFT_OK;
    for (size_t block = run.first;
         block < run.last && !error && soft->state == MEMSNAP_SOFT_RUNNING; block++)
        error = copy_block(soft, block, kind);
    return error;
}

static memsnap_soft_error check(const memsnap_soft_config *config)
{
    size_t block_size = config->block_size, size = config->size, map_bytes;
    uintptr_t memory = at(config->memory), shadow = at(config->shadow), map = at(config->map);
    if (block_size < sizeof(uint32_t) || block_size & (block_size - 1))
        return MEMSNAP_SOFT_BLOCK_SIZE;
    if (!size || size % block_size || size - 1 > UINTPTR_MAX - memory
        || size - 1 > UINTPTR_MAX - shadow)
        return MEMSNAP_SOFT_SIZE;
    if (memory % block_size || shadow % block_size)
        return MEMSNAP_SOFT_MISALIGNED;
    if (overlap(memory, size, shadow, size))
        return MEMSNAP_SOFT_OVERLAP;
    if (map % sizeof(uint32_t))
        return MEMSNAP_SOFT_MAP_ALIGN;
    map_bytes = MEMSNAP_SOFT_MAP_BYTES(size, block_size);
    if (config->map_bytes < map_bytes)
        return MEMSNAP_SOFT_MAP_SIZE;
    if (overlap(map, map_bytes, shadow, size)
        || (overlap(map, map_bytes, memory, size)
            && (map < memory || map - memory > size - map_bytes)))
        return MEMSNAP_SOFT_MAP_PLACE;
    return MEMSNAP_SOFT_OK;
}

memsnap_soft_error memsnap_soft_init(memsnap_soft *soft, const memsnap_soft_config *config)
{
    memsnap_soft_error error = check(config);
    if (error)
        return error;
    soft->config = *config;
    soft->block_shift = 0;
    while ((size_t)1 << soft->block_shift != config->block_size)
        soft->block_shift++;
    soft->blocks = soft->left = config->size >> soft->block_shift;
    soft->state = MEMSNAP_SOFT_IDLE;
    soft->next = soft->fail_block = 0;
    for (int kind = 0; kind < MEMSNAP_SOFT_KINDS; kind++)
        soft->copied[kind] = 0;
    return MEMSNAP_SOFT_OK;
}

memsnap_soft_error memsnap_soft_start(memsnap_soft *soft, const memsnap_soft_range *ranges,
                                      size_t count)
{
    size_t words = map_words(soft);
    struct run own[2];
    size_t safe = 0;            // of the blocks in `own`, those that are in the shadow
    memsnap_soft_error error = MEMSNAP_SOFT_OK;
    if (soft->state == MEMSNAP_SOFT_RUNNING)
        return MEMSNAP_SOFT_BUSY;
    for (size_t i = 0; i < count; i++) {
        uintptr_t offset = at(ranges[i].base) - at(soft->config.memory);
        if (!ranges[i].bytes || offset >= soft->config.size
            || ranges[i].bytes > soft->config.size - offset)
            return MEMSNAP_SOFT_RANGE;
    }

    // What changes from here on is copied before anything in the memory does
    own[0] = blocks_of(soft, soft->config.map, words * sizeof(uint32_t));
    own[1] = without(blocks_of(soft, soft, sizeof *soft), own[0]);
    while (safe < length(own[0]) + length(own[1]) && copy_content(soft, nth(own, safe)))
        safe++;

    for (size_t word = 0; word < words; word++)
        ((volatile uint32_t *)soft->config.map)[word] = 0;
    soft->left = soft->blocks;
    soft->next = 0;
    for (int kind = 0; kind < MEMSNAP_SOFT_KINDS; kind++)
        soft->copied[kind] = 0;
    soft->state = MEMSNAP_SOFT_RUNNING;
    for (size_t i = 0; i < safe; i++)
        record(soft, nth(own, i), MEMSNAP_SOFT_INITIAL);
    if (safe < length(own[0]) + length(own[1]))
        return fail(soft, nth(own, safe));

    for (size_t i = 0; i < count && !error; i++)
        error = copy_run(soft, blocks_of(soft, ranges[i].base, ranges[i].bytes),
                         MEMSNAP_SOFT_INITIAL);
    return error;
}

static APART memsnap_soft_error copy_written(memsnap_soft *soft, const void *address, size_t bytes)
{
    return copy_run(soft, blocks_of(soft, address, bytes), MEMSNAP_SOFT_DEMAND);
}

memsnap_soft_error memsnap_soft_before_write(memsnap_soft *soft, const void *address,
                                             size_t bytes)
{
    uintptr_t offset = at(address) - at(soft->config.memory);
    size_t block = offset >> soft->block_shift, in_block = offset & (soft->config.block_size - 1);
    if (soft->state != MEMSNAP_SOFT_RUNNING)
        return MEMSNAP_SOFT_OK;
    // Most writes are to one block that is copied
    if (block < soft->blocks && bytes - 1 < soft->config.block_size - in_block
        && is_set(soft, block))
        return MEMSNAP_SOFT_OK;
    return copy_written(soft, address, bytes);
}

memsnap_soft_error memsnap_soft_before_block(memsnap_soft *soft, size_t block)
{
    if (block >= soft->blocks)
        return MEMSNAP_SOFT_BLOCK;
    if (soft->state != MEMSNAP_SOFT_RUNNING)
        return MEMSNAP_SOFT_OK;
    return copy_block(soft, block, MEMSNAP_SOFT_DEMAND);
}

int memsnap_soft_protected(const memsnap_soft *soft, const void *address, size_t bytes)
{
    const memsnap_soft_config *config = &soft->config;
    if (soft->state != MEMSNAP_SOFT_RUNNING && soft->state != MEMSNAP_SOFT_DONE)
        return 0;
    return overlap(at(address), bytes, at(config->shadow), config->size)
        || overlap(at(address), bytes, at(config->map), map_words(soft) * sizeof(uint32_t));
}

size_t memsnap_soft_step(memsnap_soft *soft, size_t most)
{
    const volatile uint32_t *map = soft->config.map;
    size_t done = 0, block = soft->next;
    while (done < most && soft->state == MEMSNAP_SOFT_RUNNING) {
        if (block % BITS == 0 && map[block / BITS] == ALL_COPIED) {
            block += BITS;
        } else if (is_set(soft, block)) {
            block++;
        } else if (!copy_block(soft, block, MEMSNAP_SOFT_BACKGROUND)) {
            block++;
            done++;
        }
    }
    soft->next = block;
    return done;
}

void memsnap_soft_cancel(memsnap_soft *soft)
{
    if (soft->state == MEMSNAP_SOFT_RUNNING)
        soft->state = MEMSNAP_SOFT_CANCELLED;
}

memsnap_soft_error memsnap_soft_clear(memsnap_soft *soft)
{
    if (soft->state == MEMSNAP_SOFT_RUNNING)
        return MEMSNAP_SOFT_BUSY;
    soft->state = MEMSNAP_SOFT_IDLE;
    return MEMSNAP_SOFT_OK;
}

int memsnap_soft_is_copied(const memsnap_soft *soft, size_t block)
{
    return block < soft->blocks && soft->state != MEMSNAP_SOFT_IDLE && is_set(soft, block);
}

const char *memsnap_soft_error_text(memsnap_soft_error error)
{
    static const char *const texts[MEMSNAP_SOFT_ERRORS] = {
        "no error",
        "the block size must be a power of two, 4 bytes or more",
        "the memory must be a whole number of blocks, one or more, and end below the last address",
        "memory and shadow must begin at a multiple of the block size",
        "memory and shadow must not overlap",
        "the map must begin at a multiple of 4 bytes",
        "the map must have a bit for each block, in whole words: MEMSNAP_SOFT_MAP_BYTES tells",
        "the map must be outside the shadow, and wholly in the memory or wholly outside",
        "a range of the initial copy must hold a byte or more and lie within the memory",
        "a snapshot is running: step until it is done, or cancel it",
        "the block's number must be below the number of blocks",
        "a block could not be copied: the snapshot has failed, fail_block tells where",
    };
    return (unsigned)error < MEMSNAP_SOFT_ERRORS ? texts[error] : "no such error";
}
