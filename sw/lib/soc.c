#include "soc.h"

#include <stddef.h>

#include "guard.h"

volatile uint32_t progress;
volatile uint32_t start_snapshot = 1;

__attribute__((noinline)) void checkpoint(void)
{
    guard_checkpoint(++progress);
}

void print(const char *text)
{
    while (*text)
        SOC_CONSOLE = (unsigned char)*text++;
}

void print_number(uint32_t number)
{
    char digits[11];
    char *at = digits + sizeof digits;
    *--at = 0;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    print(at);
}

void print_hex(uint32_t number)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        SOC_CONSOLE = (unsigned char)"0123456789abcdef"[number >> shift & 15];
}

int report(const char *name, bool good, uint32_t checksum)
{
    guard_end();
    print(name);
    print(good ? ": good, checksum " : ": WRONG, checksum ");
    print_hex(checksum);
    print("\n");
    return good ? 0 : 1;
}

// The compiler may call these for assignments and initialisations.

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *out = to;
    const unsigned char *in = from;
    while (size--)
        *out++ = *in++;
    return to;
}

void *memset(void *to, int value, size_t size)
{
    unsigned char *out = to;
    while (size--)
        *out++ = (unsigned char)value;
    return to;
}
