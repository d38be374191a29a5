// Follows a list that is shuffled over the free memory, and writes to scattered nodes on its way.

#include "guard.h"
#include "soc.h"

enum { STEPS = 4000, MOST = 1024, SEED = 0x5eed };

struct node {
    struct node *next;
    uint32_t visits;
    uint32_t gifts;
    uint32_t number;
    uint32_t room[12];      // so that each node has a block of 64 bytes
};

int main(void)
{
    struct node *nodes = (struct node *)__free_start;
    uint32_t count = free_words() * 4 / sizeof *nodes;
    uint32_t random = SEED;
    if (count > MOST)
        count = MOST;
    for (uint32_t i = 0; i < count; i++) {
        about_to_write(&nodes[i], sizeof *nodes);
        nodes[i].next = &nodes[i], nodes[i].visits = nodes[i].gifts = 0, nodes[i].number = i;
    }
    for (uint32_t i = count - 1; i > 0; i--) {      // Sattolo's shuffle: one ring through all
        uint32_t other = (next_random(&random) >> 16) * i >> 16;
        struct node *next = nodes[i].next;
        about_to_write(&nodes[i], sizeof *nodes);
        about_to_write(&nodes[other], sizeof *nodes);
        nodes[i].next = nodes[other].next;
        nodes[other].next = next;
    }

    struct node *node = nodes;
    uint32_t given = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        if (step % 64 == 0)
            checkpoint();
        uint32_t gift = next_random(&random);
        struct node *lucky = &nodes[(gift >> 16) * count >> 16];
        about_to_write(node, sizeof *node);
        node->visits++;
        about_to_write(lucky, sizeof *lucky);
        lucky->gifts += gift & 255;
        given += gift & 255;
        node = node->next;
    }

    uint32_t visits = 0, gifts = 0, even = 0, sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        visits += nodes[i].visits;
        gifts += nodes[i].gifts;
        even += nodes[i].visits == STEPS / count || nodes[i].visits == STEPS / count + 1;
        sum = sum * 31 + nodes[i].gifts + nodes[i].number;
    }
    print("chase: ");
    print_number(visits);
    print(" steps over ");
    print_number(count);
    print(" nodes\n");
    return report("chase", visits == STEPS && gifts == given && even == count, sum);
}
