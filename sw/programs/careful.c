// Writes to one block after the other, looks after each write whether the bus took it, and repeats
// those that it did not take.

#include "soc.h"

enum { BLOCK = 64, ROUNDS = 3 };

int main(void)
{
    volatile uint32_t *memory = __free_start;
    uint32_t words = free_words(), repeated = 0, wrong = 0, sum = 0, errors = SOC_ERRORS;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        for (uint32_t at = 0; at < words; at += BLOCK / 4) {
            if (at % 1024 == 0)
                checkpoint();
            memory[at] = round * at;
            while (errors != SOC_ERRORS) {
                errors = SOC_ERRORS;
                repeated++;
                memory[at] = round * at;
            }
        }
    }
    for (uint32_t at = 0; at < words; at += BLOCK / 4) {
        wrong += memory[at] != ROUNDS * at;
        sum = sum * 31 + memory[at];
    }
    print("careful: writes that were answered with an error, and repeated: ");
    print_number(repeated);
    print("\n");
    return report("careful", !wrong, sum);
}
