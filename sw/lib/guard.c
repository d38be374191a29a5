#include "guard.h"

#include "soc.h"

// In the background: 512 bytes, or a block if it is larger
enum { BLOCKS_A_CHECKPOINT = SOFT_BLOCK_SIZE < 512 ? 512 / SOFT_BLOCK_SIZE : 1 };

// From the linker: what programs write without a word. The kernel, if there is one, and variables;
// the stack.
extern uint32_t __kernel_start[], __bss_end[], __stack_limit[], __stack_top[];

// In the memory that they guard, so that they are copied before all else
memsnap_soft soft_snapshot;
uint32_t soft_map[MEMSNAP_SOFT_MAP_BYTES(SOFT_MEMORY_SIZE, SOFT_BLOCK_SIZE) / 4];

volatile uint32_t soft_at = 1;

// Runs start() on a stack outside the memory: what lies on the program's own is in the image.
void start_outside(void);
__asm__(".pushsection .text, \"ax\", @progbits\n"
        ".globl start_outside\n.type start_outside, @function\n"
        "start_outside:\n"
        "mv t0, sp\n li sp, 0x3000fff0\n sw t0, 0(sp)\n sw ra, 4(sp)\n"
        "call start_guarding\n"
        "lw ra, 4(sp)\n lw sp, 0(sp)\n ret\n"
        ".size start_outside, . - start_outside\n.popsection\n");

void start_guarding(void);
void start_guarding(void)
{
    const memsnap_soft_range written[] = {
        {__kernel_start, (size_t)((char *)__bss_end - (char *)__kernel_start)},
        {__stack_limit, (size_t)((char *)__stack_top - (char *)__stack_limit)},
    };
    memsnap_soft_start(&soft_snapshot, written, sizeof written / sizeof written[0]);
}

static void check(memsnap_soft_error error)
{
    if (!error)
        return;
    print(memsnap_soft_error_text(error));
    print("\n");
    soc_exit(1);
}

void guard_checkpoint(uint32_t number)
{
    const memsnap_soft_config config = {
        .memory = (void *)0, .size = SOFT_MEMORY_SIZE, .shadow = (void *)SOFT_SHADOW,
        .block_size = SOFT_BLOCK_SIZE, .map = soft_map, .map_bytes = sizeof soft_map,
    };
    if (number == soft_at) {
        check(memsnap_soft_init(&soft_snapshot, &config));
        start_outside();
    } else if (soft_snapshot.state == MEMSNAP_SOFT_RUNNING) {
        memsnap_soft_step(&soft_snapshot, BLOCKS_A_CHECKPOINT);
    }
}

void guard_end(void)
{
    while (soft_snapshot.state == MEMSNAP_SOFT_RUNNING)
        memsnap_soft_step(&soft_snapshot, BLOCKS_A_CHECKPOINT);
    if (soft_snapshot.state == MEMSNAP_SOFT_FAILED)
        check(MEMSNAP_SOFT_COPY);
}
