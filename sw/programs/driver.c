// Tries all that the driver can do, on the unit of the simulated system, and checks what comes of it.
// Each step prints a line. docs/programming.md shows parts of this text.

#include "memsnap.h"
#include "soc.h"

enum { WORDS = 1024, POLLS = 100000, FEW_POLLS = 50, KERNEL = 0, BUFFER = 1 };

// What the image is expected to hold; a simulation that changes it sees the program fail.
volatile uint32_t expected_first = 0x5eed0001;

static uint32_t table[WORDS];
static uint32_t round_number;
static uint32_t wrong_steps;

static bool step(const char *name, bool good)
{
    print("driver: ");
    print(name);
    print(good ? ": good\n" : ": WRONG\n");
    wrong_steps += !good;
    return good;
}

static bool says(const char *name, memsnap_error error)
{
    if (error) {
        print(name);
        print(": ");
        print(memsnap_error_text(error));
        print("\n");
    }
    return !error;
}

// The parts that the guide shows ---------------------------------------------------------------

static memsnap_unit unit;

static bool find(uintptr_t base)
{
    memsnap_error error = memsnap_probe(&unit, base);
    return says("probe", error);
}

static bool choose_regions(const void *kernel, const void *buffer, uint32_t bytes)
{
    const memsnap_region first = {
        .base = (uintptr_t)kernel, .limit = (uintptr_t)kernel + bytes - 1,
        .kind = MEMSNAP_REGION_KIND_KERNEL, .enable = true,
    };
    const memsnap_region second = {
        .base = (uintptr_t)buffer, .limit = (uintptr_t)buffer + bytes - 1,
        .kind = MEMSNAP_REGION_KIND_DMA, .enable = true,
    };
    return says("kernel", memsnap_set_region(&unit, KERNEL, &first))
        && says("buffer", memsnap_set_region(&unit, BUFFER, &second));
}

static bool choose_limits(void)
{
    const memsnap_policy policy = {
        .failure = MEMSNAP_FAILURE_BREAK,
        .retries = unit.retry ? 3 : 0,
        .hold_io = false,
    };
    return says("policy", memsnap_set_policy(&unit, &policy))
        && says("timeout", memsnap_set_timeout(&unit, 20000))
        && says("deadline", memsnap_set_deadline(&unit, 10000000))
        && says("hold limit", memsnap_set_hold_limit(&unit, 50000));
}

static bool take(void)
{
    return says("snapshot", memsnap_take(&unit, POLLS));
}

static bool start(void)
{
    if (!says("ready", memsnap_wait_ready(&unit, POLLS)))
        return false;
    memsnap_error error = memsnap_start(&unit);
    if (error == MEMSNAP_ERROR_REFUSED)
        print(memsnap_refusal_text(memsnap_get_status(&unit).refusal));
    return !error;
}

static bool finish(void)
{
    memsnap_error error = memsnap_wait(&unit, POLLS);
    if (error == MEMSNAP_ERROR_FAILED) {
        memsnap_status status = memsnap_get_status(&unit);
        print(memsnap_cause_text(status.cause));
        if (status.cause == MEMSNAP_CAUSE_READ_ERROR
            || status.cause == MEMSNAP_CAUSE_WRITE_ERROR) {
            print(", block ");
            print_number(status.fail_block);
        }
        print("\n");
    }
    return !error;
}

static uint32_t in_image(const uint32_t *word)
{
    uint64_t address = memsnap_image_address(&unit, (uintptr_t)word);
    return *(const volatile uint32_t *)(uintptr_t)address;
}

static bool cancel(void)
{
    memsnap_cancel(&unit);
    memsnap_error error = memsnap_wait(&unit, POLLS);
    uint32_t clocks = memsnap_ready_in(&unit);
    print("driver: ready in ");
    print_number(clocks);
    print(" clocks\n");
    return error == MEMSNAP_ERROR_CANCELLED || error == MEMSNAP_OK;
}

static volatile bool image_is_there;

static void on_interrupt(void)
{
    if (memsnap_take_irq(&unit))
        image_is_there = memsnap_get_status(&unit).done;
}

static void slow_down(uint32_t clocks_a_block)
{
    says("pace", memsnap_set_pace(&unit, clocks_a_block));
    memsnap_set_share(&unit, 0);            // idle slots alone
}

static void full_speed(void)
{
    memsnap_set_pace(&unit, 0);
    memsnap_set_share(&unit, 16);
}

// The steps ------------------------------------------------------------------------------------

static void change_table(void)
{
    round_number++;
    for (uint32_t i = 0; i < WORDS; i++)
        table[i] = (expected_first + i) * 2654435761u ^ round_number;
}

static bool image_shows(uint32_t round)
{
    for (uint32_t i = 0; i < WORDS; i++)
        if (in_image(&table[i]) != ((0x5eed0001u + i) * 2654435761u ^ round))
            return false;
    return true;
}

static memsnap_error start_paused(void)
{
    memsnap_wait_ready(&unit, POLLS);
    memsnap_pause(&unit);
    return memsnap_start(&unit);
}

static bool probe_step(void)
{
    memsnap_unit nothing;
    bool good = memsnap_probe(&nothing, (uintptr_t)table) == MEMSNAP_ERROR_NO_UNIT;
    return good && find((uintptr_t)SOC_UNIT) && unit.regions > 1 && unit.memory_size > sizeof table
        && (uint64_t)unit.blocks * unit.block_size == unit.memory_size && unit.ports
        && unit.buffer_depth && unit.jobs > unit.ports && unit.data_width >= 32;
}

static bool regions_step(void)
{
    const memsnap_region outside = {.base = 0, .limit = unit.memory_base + unit.memory_size};
    memsnap_region seen;
    return choose_regions(&wrong_steps, table, sizeof table)
        && !memsnap_get_region(&unit, BUFFER, &seen) && seen.base == (uintptr_t)table
        && seen.limit == (uintptr_t)(table + WORDS) - 1 && seen.enable
        && seen.kind == MEMSNAP_REGION_KIND_DMA
        && !memsnap_disable_region(&unit, KERNEL)
        && !memsnap_get_region(&unit, KERNEL, &seen) && !seen.enable
        && memsnap_set_region(&unit, unit.regions, &seen) == MEMSNAP_ERROR_INDEX
        && memsnap_set_region(&unit, KERNEL, &outside) == MEMSNAP_ERROR_REGION;
}

static bool limits_step(void)
{
    bool good = choose_limits() && memsnap_get_timeout(&unit) == 20000
        && memsnap_get_deadline(&unit) == 10000000 && memsnap_get_hold_limit(&unit) == 50000
        && memsnap_get_policy(&unit).retries == (unit.retry ? 3 : 0);
    memsnap_policy policy = {.failure = MEMSNAP_FAILURE_FAIL_WRITE};
    bool can = unit.retry && unit.release == MEMSNAP_RELEASE_COPIED;
    good &= memsnap_set_policy(&unit, &policy) == (can ? MEMSNAP_OK : MEMSNAP_ERROR_VALUE);
    good &= memsnap_get_policy(&unit).failure == (can ? policy.failure : MEMSNAP_FAILURE_BREAK);
    policy = (memsnap_policy){.hold_io = true};
    if (!unit.io_hold)
        good &= memsnap_set_policy(&unit, &policy) == MEMSNAP_ERROR_VALUE;
    good &= memsnap_set_protect(&unit, 1) == MEMSNAP_OK && memsnap_get_protect(&unit) == 1;
    good &= memsnap_set_protect(&unit, 1u << unit.ports) == MEMSNAP_ERROR_INDEX;
    return good && choose_limits() && !memsnap_set_protect(&unit, 0);
}

static bool take_step(void)
{
    change_table();
    bool good = take() && image_shows(round_number);
    memsnap_counters counters = memsnap_get_counters(&unit);
    memsnap_status status = memsnap_get_status(&unit);
    bool copied = false;
    good &= counters.blocks_initial + counters.blocks_demand + counters.blocks_background
        == unit.blocks;
    good &= counters.blocks_initial >= sizeof table / unit.block_size && counters.duration
        && counters.instant && counters.armed && counters.stall_total >= counters.stall_longest;
    good &= status.done && status.ready && status.shadow_protected && !status.active
        && status.state == MEMSNAP_STATE_DONE && memsnap_ready_in(&unit) == 0;
    good &= !memsnap_is_copied(&unit, unit.blocks - 1, &copied) && copied;
    return good && memsnap_is_copied(&unit, unit.blocks, &copied) == MEMSNAP_ERROR_INDEX;
}

static bool work_on_step(void)
{
    memsnap_disable_region(&unit, BUFFER);
    change_table();
    if (!start())
        return false;
    change_table();             // while the snapshot is taken
    bool good = finish() && image_shows(round_number - 1);
    return good && memsnap_get_counters(&unit).blocks_demand;
}

static bool pause_step(void)
{
    bool good = !start_paused() && memsnap_is_paused(&unit)
        && memsnap_wait(&unit, FEW_POLLS) == MEMSNAP_ERROR_RUNNING;
    uint32_t bits = ~0u;
    good &= memsnap_get_status(&unit).active && memsnap_set_timeout(&unit, 1) == MEMSNAP_ERROR_LOCKED
        && memsnap_disable_region(&unit, KERNEL) == MEMSNAP_ERROR_LOCKED;
    good &= !memsnap_get_map_row(&unit, unit.blocks / 2 / 32, &bits) && !bits;
    good &= memsnap_start(&unit) == MEMSNAP_ERROR_REFUSED
        && memsnap_get_status(&unit).refusal == MEMSNAP_REFUSAL_BUSY;
    uint32_t first = memsnap_latch_counters(&unit).duration;
    good &= memsnap_latch_counters(&unit).duration > first
        && memsnap_get_counters(&unit).blocks_background == 0;
    memsnap_resume(&unit);
    return good && finish() && !memsnap_is_paused(&unit);
}

static bool pace_step(void)
{
    slow_down(100);
    bool good = memsnap_get_pace(&unit) == 100 && memsnap_get_share(&unit) == 0 && take();
    memsnap_counters counters = memsnap_get_counters(&unit);
    full_speed();
    return good && memsnap_set_pace(&unit, 65536) == MEMSNAP_ERROR_VALUE
        && counters.duration >= 100 * (counters.blocks_background - 1);
}

static bool cancel_step(void)
{
    bool good = !start_paused() && cancel() && memsnap_get_status(&unit).cancelled
        && memsnap_get_status(&unit).cause == MEMSNAP_CAUSE_CANCELLED;
    memsnap_resume(&unit);
    return good && !memsnap_wait_ready(&unit, POLLS) && memsnap_ready_in(&unit) == 0;
}

static bool deadline_step(void)
{
    bool good = !memsnap_set_deadline(&unit, 500) && !start_paused() && !finish()
        && memsnap_get_status(&unit).cause == MEMSNAP_CAUSE_DEADLINE;
    memsnap_resume(&unit);
    return good && !memsnap_set_deadline(&unit, 0);
}

static bool hold_limit_step(void)
{
    bool good = !memsnap_wait_ready(&unit, POLLS) && !memsnap_set_hold_limit(&unit, 1)
        && !start_paused();
    change_table();
    good &= memsnap_wait(&unit, POLLS) == MEMSNAP_ERROR_FAILED
        && memsnap_get_status(&unit).cause == MEMSNAP_CAUSE_HOLD_LIMIT;
    memsnap_resume(&unit);
    return good && !memsnap_set_hold_limit(&unit, 0);
}

static bool refusal_step(void)
{
    volatile memsnap_t *registers = SOC_UNIT;
    memsnap_wait_ready(&unit, POLLS);
    registers->REGION[KERNEL].BASE_LO = 8;          // behind the driver's back
    registers->REGION[KERNEL].LIMIT_LO = 4;
    registers->REGION[KERNEL].ATTR = MEMSNAP__REGION__ATTR__ENABLE_bm;
    return memsnap_start(&unit) == MEMSNAP_ERROR_REFUSED
        && memsnap_get_status(&unit).refusal == MEMSNAP_REFUSAL_REGION_ORDER
        && !memsnap_disable_region(&unit, KERNEL);
}

static bool clear_step(void)
{
    bool good = take();
    memsnap_clear(&unit);
    return good && !memsnap_get_status(&unit).shadow_protected
        && memsnap_wait(&unit, 1) == MEMSNAP_ERROR_NO_IMAGE;
}

static bool interrupt_step(void)
{
    memsnap_enable_irq(&unit, true);
    memsnap_take_irq(&unit);
    on_interrupt();
    bool good = !image_is_there && take();
    on_interrupt();
    good &= image_is_there && !memsnap_take_irq(&unit);
    memsnap_test_irq(&unit);
    good &= memsnap_take_irq(&unit) && !memsnap_take_irq(&unit);
    memsnap_enable_irq(&unit, false);
    return good;
}

static bool lock_step(void)
{
    memsnap_wait_ready(&unit, POLLS);
    change_table();
    return !memsnap_is_locked_until_reset(&unit) && !memsnap_lock(&unit) && !memsnap_lock(&unit)
        && memsnap_is_locked_until_reset(&unit)
        && memsnap_set_timeout(&unit, 1) == MEMSNAP_ERROR_LOCKED_UNTIL_RESET
        && take() && image_shows(round_number);
}

int main(void)
{
    if (start_snapshot && step("probe", probe_step())) {
        step("regions", regions_step());
        step("limits and policy", limits_step());
        step("start and wait", take_step());
        step("start and work on", work_on_step());
        step("pause and resume", pause_step());
        step("pace and share", pace_step());
        step("cancel", cancel_step());
        step("deadline", deadline_step());
        step("hold limit", hold_limit_step());
        step("refusal", refusal_step());
        step("clear", clear_step());
        step("interrupt", interrupt_step());
        step("lock until reset", lock_step());
    }
    return report("driver", !wrong_steps, round_number);
}
