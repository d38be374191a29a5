// Writes a stream of words through all of the free memory, pass after pass, and reads it back.

#include "guard.h"
#include "soc.h"

enum { WORDS_WRITTEN = 32768, BLOCK_WORDS = 16, CHUNK_WORDS = 512 };

static void write_pass(uint32_t word)
{
    for (uint32_t *at = __free_start; at < __free_end; at += BLOCK_WORDS) {
        if ((at - __free_start) % CHUNK_WORDS == 0)
            checkpoint();
        about_to_write(at, BLOCK_WORDS * sizeof *at);
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < BLOCK_WORDS; i++)
            at[i] = word++;
    }
}

int main(void)
{
    uint32_t passes = WORDS_WRITTEN / free_words() + 1;
    for (uint32_t pass = 1; pass <= passes; pass++)
        write_pass(pass << 24);

    uint32_t wrong = 0, sum = 0, word = passes << 24;
    for (uint32_t *at = __free_start; at < __free_end; at += BLOCK_WORDS) {
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < BLOCK_WORDS; i++) {
            wrong |= at[i] ^ word++;
            sum += at[i];
        }
    }
    print("stream: ");
    print_number(passes);
    print(passes == 1 ? " pass over " : " passes over ");
    print_number(4 * free_words());
    print(" bytes\n");
    return report("stream", !wrong, sum);
}
