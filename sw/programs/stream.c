// Writes a stream of words through all of the free memory, pass after pass, and reads it back.

#include "soc.h"

enum { PASSES = 3, MOST = 8192, CHUNK = 512 };

int main(void)
{
    // In a large memory not each word, but some of each block, so that a pass does not take long
    uint32_t step = free_words() / MOST + 1;
    uint32_t wrong = 0, sum = 0, count = 0;
    for (uint32_t pass = 1; pass <= PASSES; pass++) {
        uint32_t word = pass << 24;
        for (uint32_t *at = __free_start; at < __free_end;) {
            checkpoint();
            uint32_t *end = at + CHUNK * step;
            if (end > __free_end)
                end = __free_end;
            for (; at < end; at += step)
                *at = word += 0x201;
        }
    }
    uint32_t word = PASSES << 24;
    for (uint32_t *at = __free_start; at < __free_end; at += step) {
        wrong += *at != (word += 0x201);
        sum += *at;
        count++;
    }
    print("stream: ");
    print_number(PASSES);
    print(" passes of ");
    print_number(count);
    print(" words\n");
    return report("stream", !wrong, sum);
}
