// Starts a snapshot by itself, goes on working, and compares the image with what it had then.

#include "soc.h"

enum { TABLE_WORDS = 2048, LONGEST_WAIT = 1000000, ROUNDS = 3 };

static uint32_t table[TABLE_WORDS];
extern uint32_t _start[];       // the first of the code

static uint32_t before(uint32_t index)
{
    return index * 2654435761u;
}

static uint32_t status(void)
{
    return SOC_UNIT->STATUS;
}

// Starts a snapshot; whether it was accepted, and its instant is past.
__attribute__((noinline)) bool take_snapshot(void)
{
    SOC_UNIT->CONTROL = MEMSNAP__CONTROL__START_bm;
    while (!(status() & (MEMSNAP__STATUS__ACTIVE_bm | MEMSNAP__STATUS__DONE_bm
                         | MEMSNAP__STATUS__FAILED_bm | MEMSNAP__STATUS__REFUSED_bm)))
        ;
    return !(status() & (MEMSNAP__STATUS__FAILED_bm | MEMSNAP__STATUS__REFUSED_bm));
}

// The copy, in the image, of something in memory
static const volatile uint32_t *in_image(const uint32_t *address)
{
    uint32_t offset = (uint32_t)address - SOC_UNIT->MEMORY_BASE_LO;
    return (const volatile uint32_t *)(SOC_UNIT->SHADOW_BASE_LO + offset);
}

int main(void)
{
    uint32_t wrong = 0, sum = 0;
    if (SOC_UNIT->ID != MEMSNAP__ID__MAGIC_reset) {
        print("self: there is no snapshot unit\n");
        return 1;
    }
    for (uint32_t i = 0; i < TABLE_WORDS; i++) {
        if (i % 256 == 0)
            checkpoint();
        table[i] = before(i);
    }
    bool started = start_snapshot;
    if (started && !take_snapshot()) {
        print("self: the start was refused, cause register ");
        print_hex(SOC_UNIT->CAUSE);
        print("\n");
        return 1;
    }

    // Work on: every word of the table changes, from its end to its start
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        for (uint32_t i = TABLE_WORDS; i-- > 0;) {
            if (i % 256 == 0)
                checkpoint();
            table[i] += round;
        }
    }
    for (uint32_t i = 0; i < TABLE_WORDS; i++) {
        wrong += table[i] != before(i) + ROUNDS * (ROUNDS + 1) / 2;
        sum += table[i];
    }

    if (started) {
        uint32_t wait = LONGEST_WAIT;
        while (!(status() & (MEMSNAP__STATUS__DONE_bm | MEMSNAP__STATUS__FAILED_bm)) && --wait)
            ;
        if (!(status() & MEMSNAP__STATUS__DONE_bm)) {
            print("self: the snapshot did not end well, status ");
            print_hex(status());
            print("\n");
            return 1;
        }
        const volatile uint32_t *image = in_image(table);
        for (uint32_t i = 0; i < TABLE_WORDS; i++)
            wrong += image[i] != before(i);
        image = in_image(_start);
        for (uint32_t i = 0; i < 64; i++)
            wrong += image[i] != _start[i];
        print("self: the image was compared, instant ");
        print_number(SOC_UNIT->INSTANT_LO);
        print(", writes held ");
        print_number(SOC_UNIT->HELD);
        print("\n");
    }
    return report("self", !wrong, sum);
}
