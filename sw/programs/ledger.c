// Moves amounts between accounts that are spread over the free memory, for as long as it is told to.
//
// Whoever has the memory as it was at one instant can check that: the accounts then hold `total`, or
// `moving` less, which is between two accounts.

#include "soc.h"

enum { ACCOUNTS = 1024, OPENING = 1000, EVERY = 256 };

// What the host may set before the run: how many transfers there are, 0 for no end
volatile uint32_t transfers = 4000;
// What the current transfer moves, and what all accounts hold together
volatile uint32_t moving, total;

static uint32_t sum_of(const volatile uint32_t *accounts, uint32_t spread)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < ACCOUNTS; i++)
        sum += accounts[i * spread];
    return sum;
}

int main(void)
{
    volatile uint32_t *accounts = __free_start;
    uint32_t spread = free_words() / ACCOUNTS, random = 0x1ed6e5;
    for (uint32_t i = 0; i < ACCOUNTS; i++)
        accounts[i * spread] = OPENING;
    total = sum_of(accounts, spread);
    for (uint32_t step = 0; !transfers || step < transfers; step++) {
        if (step % EVERY == 0)
            checkpoint();
        uint32_t from = next_random(&random) % ACCOUNTS, to = next_random(&random) % ACCOUNTS;
        moving = random >> 24;
        accounts[from * spread] -= moving;
        accounts[to * spread] += moving;
    }
    uint32_t held = sum_of(accounts, spread);
    print("ledger: ");
    print_number(transfers);
    print(" transfers\n");
    return report("ledger", held == total, held);
}
