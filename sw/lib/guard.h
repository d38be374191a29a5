// The snapshot by software in our programs: what they tell, and what is there to look at.
//
// A program tells of its writes to the free memory with about_to_write(), comes by checkpoint() again
// and again, and ends with report(). Built as usual it takes no snapshot by itself, and that costs
// nothing. Built with SOFT_BLOCK_SIZE, SOFT_MEMORY_SIZE and SOFT_SHADOW (bytes, bytes, address), it
// starts one at checkpoint number soft_at, copies some blocks at each of the later ones, and the rest
// in report().

#ifndef GUARD_H
#define GUARD_H

#include <stdint.h>

#ifdef SOFT_BLOCK_SIZE

#include "memsnap_soft.h"

extern memsnap_soft soft_snapshot;
// Who runs the program writes the number here before
extern volatile uint32_t soft_at;

static inline void about_to_write(const volatile void *address, uint32_t bytes)
{
    if (soft_snapshot.state == MEMSNAP_SOFT_RUNNING)
        memsnap_soft_before_write(&soft_snapshot, (const void *)address, bytes);
}

void guard_checkpoint(uint32_t number);
void guard_end(void);

#else

static inline void about_to_write(const volatile void *address, uint32_t bytes)
{
    (void)address, (void)bytes;
}

static inline void guard_checkpoint(uint32_t number)
{
    (void)number;
}

static inline void guard_end(void)
{
}

#endif

#endif
