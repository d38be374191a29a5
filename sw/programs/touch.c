// Writes one byte in each block of 64 bytes, round after round: each write wants another block.

#include "guard.h"
#include "soc.h"

enum { BLOCK = 64, TOUCHES = 12000 };

int main(void)
{
    volatile uint8_t *memory = (volatile uint8_t *)__free_start;
    uint32_t blocks = free_words() * 4 / BLOCK;
    uint32_t rounds = TOUCHES / blocks + 1;
    uint32_t wrong = 0, sum = 0;
    for (uint32_t block = 0; block < blocks; block++) {
        about_to_write(&memory[block * BLOCK], BLOCK);
        __free_start[block * BLOCK / 4 + 15] = 0xa5000000u + block;   // not to be touched
    }
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t block = 0; block < blocks; block++) {
            if (block % 64 == 0)
                checkpoint();
            about_to_write(&memory[block * BLOCK], BLOCK);
            memory[block * BLOCK + (round & 31)] = (uint8_t)(block + round);
        }
    }
    for (uint32_t block = 0; block < blocks; block++) {
        uint8_t last = memory[block * BLOCK + ((rounds - 1) & 31)];
        wrong += last != (uint8_t)(block + rounds - 1);
        wrong += __free_start[block * BLOCK / 4 + 15] != 0xa5000000u + block;
        sum = sum * 31 + last;
    }
    print("touch: ");
    print_number(rounds);
    print(" rounds over ");
    print_number(blocks);
    print(" blocks\n");
    return report("touch", !wrong, sum);
}
