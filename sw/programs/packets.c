// Receives packets by an IO DMA device, checks them, and works on other memory meanwhile.

#include "soc.h"

enum { PACKETS = 120, SLOTS = 4, BUFFER = 128, BLOCK = 64, REST = 400, SEED = 0x5eed };
enum { OWNED = 1, DONE = 2, ERROR = 4 };

struct descriptor {
    uint32_t buffer;        // its address
    uint32_t length;        // in bytes: of the buffer, then of the packet
    uint32_t number;
    uint32_t flags;
};

// All that the device writes to: regions of the initial copy, in blocks of their own
static volatile struct descriptor ring[SLOTS] __attribute__((aligned(BLOCK)));
static volatile uint32_t buffers[SLOTS][BUFFER / 4] __attribute__((aligned(BLOCK)));

static uint32_t expected(uint32_t number, uint32_t index)
{
    return index ? number * 0x9e3779b1u + index * 0x85ebca6bu : number;
}

static void give(uint32_t slot)
{
    ring[slot].buffer = (uint32_t)buffers[slot];
    ring[slot].length = BUFFER;
    ring[slot].flags = OWNED;
}

// One count in each block of the free memory, in an order that looks random
static void work(uint32_t *random)
{
    uint32_t blocks = free_words() / (BLOCK / 4);
    __free_start[(next_random(random) % blocks) * (BLOCK / 4)]++;
}

int main(void)
{
    uint32_t random = SEED, worked = 0, counted = 0, wrong = 0, lost = 0, words = 0, sum = 0;
    SOC_DEVICE->SLOTS = SLOTS;
    if (SOC_DEVICE->SLOTS != SLOTS) {
        print("packets: there is no IO device\n");
        return 1;
    }
    for (uint32_t at = 0; at < free_words(); at += BLOCK / 4)
        __free_start[at] = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        give(slot);
    SOC_DEVICE->RING = (uint32_t)ring;
    SOC_DEVICE->REST = REST;
    SOC_DEVICE->RUN = 1;

    for (uint32_t packet = 0; packet < PACKETS; packet++) {
        uint32_t slot = packet % SLOTS;
        checkpoint();
        do {
            work(&random);
            worked++;
        } while (!(ring[slot].flags & DONE));
        uint32_t length = ring[slot].length / 4;
        wrong += ring[slot].number != packet || length == 0 || length > BUFFER / 4;
        if (ring[slot].flags & ERROR) {
            lost++;
        } else {
            for (uint32_t i = 0; i < length; i++) {
                wrong += buffers[slot][i] != expected(packet, i);
                sum = sum * 31 + buffers[slot][i];
                if (i % 4 == 0) {
                    work(&random);
                    worked++;
                }
            }
            words += length;
        }
        give(slot);
    }
    SOC_DEVICE->RUN = 0;

    for (uint32_t at = 0; at < free_words(); at += BLOCK / 4)
        counted += __free_start[at];
    wrong += counted != worked;
    print("packets: ");
    print_number(PACKETS);
    print(" packets of ");
    print_number(4 * words);
    print(" bytes, ");
    print_number(lost);
    print(" lost to bus errors; ");
    print_number(wrong);
    print(" things wrong\n");
    return report("packets", !wrong, sum);
}
