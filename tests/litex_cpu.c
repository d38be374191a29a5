// Runs on the CPU of litex_cpu.py: takes a snapshot while it writes all of the memory over, and compares.
#include "memsnap.h"

enum { WORDS = 256 };
static volatile uint32_t *const memory = (volatile uint32_t *)0x40000000;

__attribute__((naked, section(".text.start"))) void _start(void) {
    __asm__("li sp, 0x10001000\n\tj main");
}

int main(void) {
    memsnap_unit unit;
    uint32_t wrong = memsnap_probe(&unit, 0xe0000000);
    for (uint32_t i = 0; i < WORDS; i++) memory[i] = 0x1000 + i;
    wrong |= memsnap_set_pace(&unit, 2000);     // so that most blocks are copied for a write
    wrong |= memsnap_start(&unit);
    for (uint32_t i = 0; i < WORDS; i++) memory[i] = 0x2000 + i;
    wrong |= memsnap_wait(&unit, 1000);
    const uint32_t *image = (const uint32_t *)(uintptr_t)memsnap_image_address(&unit, 0x40000000);
    for (uint32_t i = 0; i < WORDS; i++)
        if (image[i] != 0x1000 + i || memory[i] != 0x2000 + i) wrong |= 0x100;
    uint32_t held = memsnap_get_counters(&unit).held;
    *(volatile uint32_t *)0xe1000000 = wrong << 16 | held;
    for (;;) {
    }
}
