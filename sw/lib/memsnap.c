#include "memsnap.h"

#define VERSION_MAJOR 0u
#define MASK(field) MEMSNAP__##field##_bm
#define FIELD(word, field) (((word) & MEMSNAP__##field##_bm) >> MEMSNAP__##field##_bp)

static uint32_t get(const memsnap_unit *unit, uint32_t offset)
{
    return MEMSNAP_READ32(unit->base + offset);
}

static void put(const memsnap_unit *unit, uint32_t offset, uint32_t value)
{
    MEMSNAP_WRITE32(unit->base + offset, value);
}

// A pair of registers, the low word first
static uint64_t get64(const memsnap_unit *unit, uint32_t offset)
{
    uint32_t low = get(unit, offset);
    return (uint64_t)get(unit, offset + 4) << 32 | low;
}

static void put64(const memsnap_unit *unit, uint32_t offset, uint64_t value)
{
    put(unit, offset, (uint32_t)value);
    put(unit, offset + 4, (uint32_t)(value >> 32));
}

// A locked register answers a write with a bus error, which may be a trap: so ask before
static memsnap_error writable(const memsnap_unit *unit)
{
    if (get(unit, MEMSNAP_STATUS) & MASK(STATUS__LOCKED))
        return MEMSNAP_ERROR_LOCKED;
    if (memsnap_is_locked_until_reset(unit))
        return MEMSNAP_ERROR_LOCKED_UNTIL_RESET;
    return MEMSNAP_OK;
}

static memsnap_error configure(const memsnap_unit *unit, uint32_t offset, uint32_t value)
{
    memsnap_error error = writable(unit);
    if (!error)
        put(unit, offset, value);
    return error;
}

memsnap_error memsnap_probe(memsnap_unit *unit, uintptr_t base)
{
    unit->base = base;
    if (get(unit, MEMSNAP_ID) != MEMSNAP__ID__MAGIC_reset)
        return MEMSNAP_ERROR_NO_UNIT;
    unit->version = get(unit, MEMSNAP_VERSION);
    if (FIELD(unit->version, VERSION__MAJOR) != VERSION_MAJOR)
        return MEMSNAP_ERROR_VERSION;

    uint32_t caps0 = get(unit, MEMSNAP_CAPS0), caps1 = get(unit, MEMSNAP_CAPS1);
    uint32_t shift = FIELD(caps0, CAPS0__BLOCK_SIZE_LOG2);
    unit->block_size = 1u << shift;
    unit->data_width = 1u << FIELD(caps0, CAPS0__DATA_WIDTH_LOG2);
    unit->regions = FIELD(caps0, CAPS0__REGIONS);
    unit->ports = FIELD(caps0, CAPS0__PORTS);
    unit->release = (enum memsnap_release)FIELD(caps0, CAPS0__RELEASE);
    unit->pipelined = caps0 & MASK(CAPS0__PIPELINED);
    unit->shadow_separate = caps0 & MASK(CAPS0__SHADOW_KIND);
    unit->buffer_depth = FIELD(caps1, CAPS1__BUFFER_DEPTH);
    unit->jobs = FIELD(caps1, CAPS1__JOBS);
    unit->retry = caps1 & MASK(CAPS1__RETRY);
    unit->io_hold = caps1 & MASK(CAPS1__IO_HOLD);
    unit->memory_base = get64(unit, MEMSNAP_MEMORY_BASE_LO);
    unit->memory_size = get64(unit, MEMSNAP_MEMORY_SIZE_LO);
    unit->shadow_base = get64(unit, MEMSNAP_SHADOW_BASE_LO);
    unit->blocks = (uint32_t)(unit->memory_size >> shift);
    return MEMSNAP_OK;
}

// Life of a snapshot ---------------------------------------------------------------------------

memsnap_error memsnap_start(const memsnap_unit *unit)
{
    put(unit, MEMSNAP_CONTROL, MASK(CONTROL__START));
    return get(unit, MEMSNAP_STATUS) & MASK(STATUS__REFUSED) ? MEMSNAP_ERROR_REFUSED : MEMSNAP_OK;
}

// Reads the status until its bits `mask` are `wanted`, or often enough; gives what it read last
static uint32_t poll(const memsnap_unit *unit, uint32_t mask, uint32_t wanted, uint32_t polls)
{
    uint32_t status;
    do
        status = get(unit, MEMSNAP_STATUS);
    while ((status & mask) != wanted && (polls == 0 || --polls));
    return status;
}

memsnap_error memsnap_wait(const memsnap_unit *unit, uint32_t polls)
{
    uint32_t status = poll(unit, MASK(STATUS__LOCKED), 0, polls);
    if (status & MASK(STATUS__LOCKED))
        return MEMSNAP_ERROR_RUNNING;
    if (status & MASK(STATUS__DONE))
        return MEMSNAP_OK;
    if (status & MASK(STATUS__FAILED))
        return MEMSNAP_ERROR_FAILED;
    return status & MASK(STATUS__CANCELLED) ? MEMSNAP_ERROR_CANCELLED : MEMSNAP_ERROR_NO_IMAGE;
}

memsnap_error memsnap_wait_ready(const memsnap_unit *unit, uint32_t polls)
{
    uint32_t status = poll(unit, MASK(STATUS__READY), MASK(STATUS__READY), polls);
    return status & MASK(STATUS__READY) ? MEMSNAP_OK : MEMSNAP_ERROR_RUNNING;
}

memsnap_error memsnap_take(const memsnap_unit *unit, uint32_t polls)
{
    memsnap_error error = memsnap_wait_ready(unit, polls);
    if (!error)
        error = memsnap_start(unit);
    return error ? error : memsnap_wait(unit, polls);
}

void memsnap_cancel(const memsnap_unit *unit)
{
    put(unit, MEMSNAP_CONTROL, MASK(CONTROL__CANCEL));
}

void memsnap_clear(const memsnap_unit *unit)
{
    put(unit, MEMSNAP_CONTROL, MASK(CONTROL__CLEAR));
}

void memsnap_pause(const memsnap_unit *unit)
{
    put(unit, MEMSNAP_PAUSE, MASK(PAUSE__PAUSE));
}

void memsnap_resume(const memsnap_unit *unit)
{
    put(unit, MEMSNAP_PAUSE, 0);
}

bool memsnap_is_paused(const memsnap_unit *unit)
{
    return get(unit, MEMSNAP_PAUSE) & MASK(PAUSE__PAUSE);
}

// What it does and what it found ---------------------------------------------------------------

memsnap_status memsnap_get_status(const memsnap_unit *unit)
{
    uint32_t status = get(unit, MEMSNAP_STATUS), cause = get(unit, MEMSNAP_CAUSE);
    return (memsnap_status){
        .state = (enum memsnap_state)FIELD(status, STATUS__STATE),
        .done = status & MASK(STATUS__DONE),
        .failed = status & MASK(STATUS__FAILED),
        .cancelled = status & MASK(STATUS__CANCELLED),
        .refused = status & MASK(STATUS__REFUSED),
        .active = status & MASK(STATUS__ACTIVE),
        .locked = status & MASK(STATUS__LOCKED),
        .shadow_protected = status & MASK(STATUS__PROTECTED),
        .ready = status & MASK(STATUS__READY),
        .cause = (enum memsnap_cause)FIELD(cause, CAUSE__CAUSE),
        .refusal = (enum memsnap_refusal)FIELD(cause, CAUSE__REFUSAL),
        .fail_block = get(unit, MEMSNAP_FAIL_BLOCK),
    };
}

uint32_t memsnap_ready_in(const memsnap_unit *unit)
{
    return get(unit, MEMSNAP_READY_IN);
}

memsnap_counters memsnap_get_counters(const memsnap_unit *unit)
{
    return (memsnap_counters){
        .instant = get64(unit, MEMSNAP_INSTANT_LO),
        .armed = get(unit, MEMSNAP_ARMED),
        .duration = get(unit, MEMSNAP_DURATION),
        .blocks_initial = get(unit, MEMSNAP_BLOCKS_INITIAL),
        .blocks_demand = get(unit, MEMSNAP_BLOCKS_DEMAND),
        .blocks_background = get(unit, MEMSNAP_BLOCKS_BACKGROUND),
        .held = get(unit, MEMSNAP_HELD),
        .stall_longest = get(unit, MEMSNAP_STALL_LONGEST),
        .stall_total = get(unit, MEMSNAP_STALL_TOTAL),
    };
}

memsnap_counters memsnap_latch_counters(const memsnap_unit *unit)
{
    put(unit, MEMSNAP_CONTROL, MASK(CONTROL__LATCH));
    return memsnap_get_counters(unit);
}

memsnap_error memsnap_get_map_row(const memsnap_unit *unit, uint32_t row, uint32_t *bits)
{
    if (row > (unit->blocks - 1) / 32)
        return MEMSNAP_ERROR_INDEX;
    put(unit, MEMSNAP_MAP_INDEX, row);
    *bits = get(unit, MEMSNAP_MAP_DATA);
    return MEMSNAP_OK;
}

memsnap_error memsnap_is_copied(const memsnap_unit *unit, uint32_t block, bool *copied)
{
    uint32_t bits = 0;
    if (block >= unit->blocks)
        return MEMSNAP_ERROR_INDEX;
    memsnap_get_map_row(unit, block / 32, &bits);
    *copied = bits >> block % 32 & 1;
    return MEMSNAP_OK;
}

uint64_t memsnap_image_address(const memsnap_unit *unit, uint64_t address)
{
    return address - unit->memory_base + unit->shadow_base;
}

// Configuration: LOCKED while a snapshot runs --------------------------------------------------

memsnap_error memsnap_set_region(const memsnap_unit *unit, uint32_t index,
                                 const memsnap_region *region)
{
    uint64_t last = unit->memory_base + (unit->memory_size - 1);
    memsnap_error error;
    if (index >= unit->regions)
        return MEMSNAP_ERROR_INDEX;
    if ((uint32_t)region->kind > MASK(REGION__ATTR__KIND) >> MEMSNAP__REGION__ATTR__KIND_bp)
        return MEMSNAP_ERROR_VALUE;
    if (region->base < unit->memory_base || region->limit > last || region->base > region->limit)
        return MEMSNAP_ERROR_REGION;
    error = configure(unit, MEMSNAP_REGION_ATTR(index), 0);
    if (error)
        return error;
    put64(unit, MEMSNAP_REGION_BASE_LO(index), region->base);
    put64(unit, MEMSNAP_REGION_LIMIT_LO(index), region->limit);
    put(unit, MEMSNAP_REGION_ATTR(index),
        (region->enable ? MASK(REGION__ATTR__ENABLE) : 0)
        | (uint32_t)region->kind << MEMSNAP__REGION__ATTR__KIND_bp);
    return MEMSNAP_OK;
}

memsnap_error memsnap_get_region(const memsnap_unit *unit, uint32_t index, memsnap_region *region)
{
    if (index >= unit->regions)
        return MEMSNAP_ERROR_INDEX;
    uint32_t attributes = get(unit, MEMSNAP_REGION_ATTR(index));
    region->base = get64(unit, MEMSNAP_REGION_BASE_LO(index));
    region->limit = get64(unit, MEMSNAP_REGION_LIMIT_LO(index));
    region->kind = (enum memsnap_region_kind)FIELD(attributes, REGION__ATTR__KIND);
    region->enable = attributes & MASK(REGION__ATTR__ENABLE);
    return MEMSNAP_OK;
}

memsnap_error memsnap_disable_region(const memsnap_unit *unit, uint32_t index)
{
    if (index >= unit->regions)
        return MEMSNAP_ERROR_INDEX;
    return configure(unit, MEMSNAP_REGION_ATTR(index), 0);
}

memsnap_error memsnap_set_policy(const memsnap_unit *unit, const memsnap_policy *policy)
{
    bool fail_write = policy->failure == MEMSNAP_FAILURE_FAIL_WRITE;
    if (policy->retries > MASK(POLICY__RETRIES) >> MEMSNAP__POLICY__RETRIES_bp
        || (policy->retries && !unit->retry)
        || (fail_write && !(unit->retry && unit->release == MEMSNAP_RELEASE_COPIED))
        || (policy->hold_io && !unit->io_hold))
        return MEMSNAP_ERROR_VALUE;
    return configure(unit, MEMSNAP_POLICY,
                     (fail_write ? MASK(POLICY__FAILURE) : 0)
                     | policy->retries << MEMSNAP__POLICY__RETRIES_bp
                     | (policy->hold_io ? MASK(POLICY__HOLD_IO) : 0));
}

memsnap_policy memsnap_get_policy(const memsnap_unit *unit)
{
    uint32_t word = get(unit, MEMSNAP_POLICY);
    return (memsnap_policy){
        .failure = (enum memsnap_failure)FIELD(word, POLICY__FAILURE),
        .retries = FIELD(word, POLICY__RETRIES),
        .hold_io = word & MASK(POLICY__HOLD_IO),
    };
}

memsnap_error memsnap_set_timeout(const memsnap_unit *unit, uint32_t clocks)
{
    return configure(unit, MEMSNAP_TIMEOUT, clocks);
}

uint32_t memsnap_get_timeout(const memsnap_unit *unit)
{
    return get(unit, MEMSNAP_TIMEOUT);
}

memsnap_error memsnap_set_deadline(const memsnap_unit *unit, uint32_t clocks)
{
    return configure(unit, MEMSNAP_DEADLINE, clocks);
}

uint32_t memsnap_get_deadline(const memsnap_unit *unit)
{
    return get(unit, MEMSNAP_DEADLINE);
}

memsnap_error memsnap_set_hold_limit(const memsnap_unit *unit, uint32_t clocks)
{
    return configure(unit, MEMSNAP_HOLD_LIMIT, clocks);
}

uint32_t memsnap_get_hold_limit(const memsnap_unit *unit)
{
    return get(unit, MEMSNAP_HOLD_LIMIT);
}

memsnap_error memsnap_set_protect(const memsnap_unit *unit, uint32_t ports)
{
    if (ports >> unit->ports)
        return MEMSNAP_ERROR_INDEX;
    return configure(unit, MEMSNAP_PROTECT, ports << MEMSNAP__PROTECT__DENY_READ_bp);
}

uint32_t memsnap_get_protect(const memsnap_unit *unit)
{
    return FIELD(get(unit, MEMSNAP_PROTECT), PROTECT__DENY_READ);
}

memsnap_error memsnap_lock(const memsnap_unit *unit)
{
    memsnap_error error = configure(unit, MEMSNAP_LOCK, MASK(LOCK__UNTIL_RESET));
    return error == MEMSNAP_ERROR_LOCKED_UNTIL_RESET ? MEMSNAP_OK : error;
}

bool memsnap_is_locked_until_reset(const memsnap_unit *unit)
{
    return get(unit, MEMSNAP_LOCK) & MASK(LOCK__UNTIL_RESET);
}

// Configuration that may change at any time ----------------------------------------------------

void memsnap_set_share(const memsnap_unit *unit, uint32_t clocks)
{
    put(unit, MEMSNAP_SHARE, clocks);
}

uint32_t memsnap_get_share(const memsnap_unit *unit)
{
    return get(unit, MEMSNAP_SHARE);
}

memsnap_error memsnap_set_pace(const memsnap_unit *unit, uint32_t clocks)
{
    if (clocks > MASK(PACE__CLOCKS))
        return MEMSNAP_ERROR_VALUE;
    put(unit, MEMSNAP_PACE, clocks);
    return MEMSNAP_OK;
}

uint32_t memsnap_get_pace(const memsnap_unit *unit)
{
    return get(unit, MEMSNAP_PACE);
}

// Interrupt ------------------------------------------------------------------------------------

void memsnap_enable_irq(const memsnap_unit *unit, bool enable)
{
    put(unit, MEMSNAP_IRQ_ENABLE, enable ? MASK(IRQ_ENABLE__ENDED) : 0);
}

bool memsnap_take_irq(const memsnap_unit *unit)
{
    uint32_t pending = get(unit, MEMSNAP_IRQ_STATUS);
    put(unit, MEMSNAP_IRQ_STATUS, pending);
    return pending & MASK(IRQ_STATUS__ENDED);
}

void memsnap_test_irq(const memsnap_unit *unit)
{
    put(unit, MEMSNAP_IRQ_TEST, MASK(IRQ_TEST__ENDED));
}

// Words ----------------------------------------------------------------------------------------

#define WORDS(texts, value) ((size_t)(value) < sizeof(texts) / sizeof *(texts) ? (texts)[value] \
                                                                              : "unknown")

const char *memsnap_error_text(memsnap_error error)
{
    static const char *const texts[MEMSNAP_ERRORS] = {
        [MEMSNAP_OK] = "no error",
        [MEMSNAP_ERROR_NO_UNIT] = "there is no snapshot unit at this address",
        [MEMSNAP_ERROR_VERSION] = "the unit has another major version than the driver",
        [MEMSNAP_ERROR_LOCKED] = "a snapshot is running: wait for its end, or cancel it",
        [MEMSNAP_ERROR_LOCKED_UNTIL_RESET] = "the configuration is locked until the next reset",
        [MEMSNAP_ERROR_INDEX] = "there is no such region, port, block or row",
        [MEMSNAP_ERROR_REGION] = "the region is not within the memory, or its base is above its limit",
        [MEMSNAP_ERROR_VALUE] = "the value does not fit, or this build cannot do it",
        [MEMSNAP_ERROR_REFUSED] = "the start was refused",
        [MEMSNAP_ERROR_RUNNING] = "it has not ended yet",
        [MEMSNAP_ERROR_FAILED] = "the snapshot failed",
        [MEMSNAP_ERROR_CANCELLED] = "the snapshot was cancelled",
        [MEMSNAP_ERROR_NO_IMAGE] = "there is no image: start a snapshot first",
    };
    return WORDS(texts, error);
}

const char *memsnap_state_text(enum memsnap_state state)
{
    static const char *const texts[] = {
        [MEMSNAP_STATE_CLEARING] = "clearing",
        [MEMSNAP_STATE_IDLE] = "idle",
        [MEMSNAP_STATE_ARMING] = "arming",
        [MEMSNAP_STATE_INITIAL] = "initial copy",
        [MEMSNAP_STATE_BACKGROUND] = "background copy",
        [MEMSNAP_STATE_DRAINING] = "draining",
        [MEMSNAP_STATE_DONE] = "done",
        [MEMSNAP_STATE_STOPPING] = "stopping",
    };
    return WORDS(texts, state);
}

const char *memsnap_cause_text(enum memsnap_cause cause)
{
    static const char *const texts[] = {
        [MEMSNAP_CAUSE_NONE] = "no failure",
        [MEMSNAP_CAUSE_READ_ERROR] = "the memory answered a read with an error",
        [MEMSNAP_CAUSE_WRITE_ERROR] = "the shadow answered a write with an error",
        [MEMSNAP_CAUSE_TIMEOUT] = "the memory gave no answer in time",
        [MEMSNAP_CAUSE_CANCELLED] = "it was cancelled",
        [MEMSNAP_CAUSE_DEADLINE] = "it took longer than the deadline",
        [MEMSNAP_CAUSE_HOLD_LIMIT] = "a write was held for too long",
        [MEMSNAP_CAUSE_IO_TIMEOUT] = "an ungated master did not hold still in time",
    };
    return WORDS(texts, cause);
}

const char *memsnap_refusal_text(enum memsnap_refusal refusal)
{
    static const char *const texts[] = {
        [MEMSNAP_REFUSAL_NONE] = "not refused",
        [MEMSNAP_REFUSAL_BUSY] = "a snapshot is running, or the map is still being swept",
        [MEMSNAP_REFUSAL_REGION_ORDER] = "a region's base is above its limit",
        [MEMSNAP_REFUSAL_REGION_RANGE] = "a region is not within the memory",
        [MEMSNAP_REFUSAL_POLICY] = "the policy asks for what this build cannot do",
    };
    return WORDS(texts, refusal);
}
