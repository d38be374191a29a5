// The simulated system as its programs see it, and the little that they share.

#ifndef SOC_H
#define SOC_H

#include <stdbool.h>
#include <stdint.h>

#include "memsnap_regs.h"

#define SOC_CONSOLE (*(volatile uint32_t *)0x10000000u)
// Accesses of the CPU that were answered with a bus error
#define SOC_ERRORS (*(volatile uint32_t *)0x1000000cu)
#define SOC_UNIT ((volatile memsnap_t *)0x20000000u)
// An IO DMA device, if the system has one: see dma.v
#define SOC_DEVICE ((volatile struct soc_device *)0x40000000u)

struct soc_device {
    uint32_t RUN;           // 1: it receives packets
    uint32_t RING;          // address of its descriptors
    uint32_t SLOTS;         // how many these are
    uint32_t REST;          // clocks before it looks at a descriptor
    uint32_t SENT, ERRORS;  // packets, and those that met a bus error; read only
};

// From the linker: memory that holds neither code, variables nor the stack, whole blocks of 64 bytes
extern uint32_t __free_start[], __free_end[];

// Keeps changing while a program runs; checkpoint() counts it up.
extern volatile uint32_t progress;

// Nonzero if the program is to start a snapshot by itself. A simulation in which someone else starts
// it, or nobody, writes 0 here before the program runs.
extern volatile uint32_t start_snapshot;

// Every program comes here again and again: `--at checkpoint:3` is the third time.
void checkpoint(void);

// Ends the run.
_Noreturn void soc_exit(int code);

void print(const char *text);
void print_number(uint32_t number);
void print_hex(uint32_t number);

// Prints a program's last line; the exit code that main returns.
int report(const char *name, bool good, uint32_t checksum);

// One step of a generator of numbers that look random; the state is never 0.
static inline uint32_t next_random(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

static inline uint32_t free_words(void)
{
    return (uint32_t)(__free_end - __free_start);
}

#endif
