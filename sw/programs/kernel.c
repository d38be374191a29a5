// A small kernel that runs three tasks by turns. Its code, its variables and its stack are in the
// section .kernel, so that the blocks a snapshot has to copy first can be read from the ELF file.

#include "soc.h"

#define KERNEL_CODE __attribute__((section(".kernel.text"), noinline))
#define KERNEL_DATA __attribute__((section(".kernel.data")))

enum { TASKS = 3, KERNEL_STACK_WORDS = 128, TASK_STACK_WORDS = 256 };
enum { SNAPSHOT_TURN = 250 };   // the switch of tasks at which the kernel starts a snapshot

// The kernel ------------------------------------------------------------------------------------

enum task_state { READY, ENDED };

struct task {
    uint32_t *stack;            // its saved registers are on top
    enum task_state state;
    uint32_t turns;
};

KERNEL_DATA static struct task tasks[TASKS] = {{0}};
KERNEL_DATA static uint32_t current = 0;
KERNEL_DATA static uint32_t turns = 0;
KERNEL_DATA static uint32_t *kernel_context = 0;
KERNEL_DATA static bool snapshot_started = false;
KERNEL_DATA static uint32_t kernel_stack[KERNEL_STACK_WORDS] = {0};

// Saves the registers that a call keeps on the stack, that at *from, and goes on with the stack to.
void switch_stacks(uint32_t **from, uint32_t *to);
__asm__(".pushsection .kernel.text, \"ax\", @progbits\n"
        ".globl switch_stacks\n.type switch_stacks, @function\n"
        "switch_stacks:\n.cfi_startproc\n"
        "addi sp, sp, -64\n"
        "sw ra, 0(sp)\n sw s0, 4(sp)\n sw s1, 8(sp)\n sw s2, 12(sp)\n sw s3, 16(sp)\n"
        "sw s4, 20(sp)\n sw s5, 24(sp)\n sw s6, 28(sp)\n sw s7, 32(sp)\n sw s8, 36(sp)\n"
        "sw s9, 40(sp)\n sw s10, 44(sp)\n sw s11, 48(sp)\n"
        "sw sp, 0(a0)\n mv sp, a1\n"
        "lw ra, 0(sp)\n lw s0, 4(sp)\n lw s1, 8(sp)\n lw s2, 12(sp)\n lw s3, 16(sp)\n"
        "lw s4, 20(sp)\n lw s5, 24(sp)\n lw s6, 28(sp)\n lw s7, 32(sp)\n lw s8, 36(sp)\n"
        "lw s9, 40(sp)\n lw s10, 44(sp)\n lw s11, 48(sp)\n"
        "addi sp, sp, 64\n ret\n"
        ".cfi_endproc\n.size switch_stacks, . - switch_stacks\n"
        ".globl start_stack\n.type start_stack, @function\n"
        "start_stack:\n.cfi_startproc\n.cfi_undefined ra\n"      // a debugger stops here
        "jalr s0\n"
        ".cfi_endproc\n.size start_stack, . - start_stack\n.popsection\n");
void start_stack(void);

// A stack on which switch_stacks comes to start_stack, and that to entry
KERNEL_CODE static uint32_t *new_stack(uint32_t *stack, uint32_t words, void (*entry)(void))
{
    uint32_t *top = stack + words - 16;
    for (uint32_t i = 0; i < 16; i++)
        top[i] = 0;
    top[0] = (uint32_t)start_stack;
    top[1] = (uint32_t)entry;
    return top;
}

// Lets the other tasks run.
KERNEL_CODE static void yield(void)
{
    switch_stacks(&tasks[current].stack, kernel_context);
}

KERNEL_CODE _Noreturn static void end_task(void)
{
    tasks[current].state = ENDED;
    yield();
    __builtin_unreachable();
}

// Starts a snapshot, unless there is one already.
KERNEL_CODE static void snapshot(void)
{
    if ((SOC_UNIT->STATUS & MEMSNAP__STATUS__STATE_bm) != MEMSNAP_STATE_IDLE)
        return;
    SOC_UNIT->CONTROL = MEMSNAP__CONTROL__START_bm;
    snapshot_started = true;
}

// Gives each task its turn, until all have ended.
KERNEL_CODE static void schedule(void)
{
    uint32_t ready;
    do {
        ready = 0;
        for (current = 0; current < TASKS; current++) {
            if (tasks[current].state == ENDED)
                continue;
            ready++;
            turns++;
            tasks[current].turns++;
            checkpoint();
            if (turns == SNAPSHOT_TURN && start_snapshot)
                snapshot();
            switch_stacks(&kernel_context, tasks[current].stack);
        }
    } while (ready);
}

KERNEL_DATA static uint32_t *boot_context = 0;

KERNEL_CODE static void kernel_main(void)
{
    schedule();
    switch_stacks(&kernel_context, boot_context);
}

// The tasks -------------------------------------------------------------------------------------

static uint32_t stacks[TASKS][TASK_STACK_WORDS] __attribute__((aligned(16)));
static uint32_t sums[TASKS];
static bool good[TASKS];

// Streams words through a buffer, and reads them back.
enum { BUFFER_WORDS = 1024, STREAM_PASSES = 2, STREAM_PART = 16 };
static uint32_t buffer[BUFFER_WORDS];

static void stream_task(void)
{
    uint32_t wrong = 0;
    for (uint32_t pass = 1; pass <= STREAM_PASSES; pass++) {
        for (uint32_t i = 0; i < BUFFER_WORDS; i++) {
            wrong += buffer[i] != (pass == 1 ? 0 : i ^ (pass - 1) << 16);
            buffer[i] = i ^ pass << 16;
            sums[0] = sums[0] * 5 + buffer[i];
            if (i % STREAM_PART == 0)
                yield();
        }
    }
    good[0] = !wrong;
    end_task();
}

// Counts prime numbers, and prints how many there are so far.
enum { PRIMES_TO = 400, PRIMES_PART = 50, PRIMES_FOUND = 78 };
static uint8_t composite[PRIMES_TO];

static void prime_task(void)
{
    uint32_t found = 0;
    for (uint32_t number = 2; number < PRIMES_TO; number++) {
        if (!composite[number]) {
            found++;
            sums[1] = sums[1] * 31 + number;
            for (uint32_t next = number * number; next < PRIMES_TO; next += number)
                composite[next] = 1;
        }
        if (number % PRIMES_PART == PRIMES_PART - 1) {
            print("kernel: ");
            print_number(found);
            print(" primes below ");
            print_number(number + 1);
            print("\n");
        }
        yield();
    }
    good[1] = found == PRIMES_FOUND;
    end_task();
}

// Keeps a sorted list of nodes from a heap: puts numbers in, takes the smallest out.
struct node {
    struct node *next;
    uint32_t value;
};
enum { NODES = 48, LIST_ROUNDS = 220 };
static struct node heap[NODES];
static struct node *unused, *list;

static void put(uint32_t value)
{
    struct node *node = unused, **at = &list;
    unused = node->next;
    while (*at && (*at)->value < value)
        at = &(*at)->next;
    *node = (struct node){*at, value};
    *at = node;
}

static uint32_t take(void)
{
    struct node *node = list;
    list = node->next;
    node->next = unused;
    unused = node;
    return node->value;
}

static void list_task(void)
{
    uint32_t random = 0xbeef, balance = 0, wrong = 0, last = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        heap[i].next = unused;
        unused = &heap[i];
    }
    for (uint32_t round = 0; round < LIST_ROUNDS; round++) {
        if (!unused || (list && next_random(&random) % 3 == 0)) {
            uint32_t value = take();
            balance -= value;
            sums[2] = sums[2] * 31 + value;
        } else {
            uint32_t value = next_random(&random) >> 8;
            balance += value;
            put(value);
        }
        yield();
    }
    while (list) {
        uint32_t value = take();
        balance -= value;
        wrong += value < last;
        last = value;
    }
    good[2] = !wrong && !balance;
    end_task();
}

int main(void)
{
    static void (*const entries[TASKS])(void) = {stream_task, prime_task, list_task};
    for (uint32_t i = 0; i < TASKS; i++)
        tasks[i].stack = new_stack(stacks[i], TASK_STACK_WORDS, entries[i]);
    switch_stacks(&boot_context, new_stack(kernel_stack, KERNEL_STACK_WORDS, kernel_main));

    print("kernel: ");
    print_number(turns);
    print(" turns");
    for (uint32_t i = 0; i < TASKS; i++) {
        print(i ? ", " : " of tasks: ");
        print_number(tasks[i].turns);
    }
    print(snapshot_started ? "; started a snapshot\n" : "\n");
    return report("kernel", good[0] && good[1] && good[2], sums[0] ^ sums[1] ^ sums[2]);
}
