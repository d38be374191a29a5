// LiteDRAM's controller inside the system, and the SDRAM that it simulates.

#pragma once

#ifdef SOC_LITEDRAM

#include <cstdint>

#include "dram_init.h"      // from LiteDRAM's generator: kDramInit, kDramColumns, kDramBanks

// The commands of the SDRAM, as `dfi` of soc.v has them
enum Command { ACTIVATE = 0, PRECHARGE, REFRESH, READ, WRITE, COMMANDS };

// A beat of the SDRAM's content
template <class Root> auto &dram_beat(Root *root, uint64_t beat) {
    static_assert(kDramBanks == 4);
    uint64_t bank = beat / kDramColumns % kDramBanks;
    uint64_t at = beat / kDramColumns / kDramBanks * kDramColumns + beat % kDramColumns;
    if (bank == 0) return root->soc__DOT__dram__DOT__sdram_bank0[at];
    if (bank == 1) return root->soc__DOT__dram__DOT__sdram_bank1[at];
    if (bank == 2) return root->soc__DOT__dram__DOT__sdram_bank2[at];
    return root->soc__DOT__dram__DOT__sdram_bank3[at];
}

template <class Root> uint8_t dram_read(Root *root, uint64_t address) {
    return uint8_t(dram_beat(root, address / SOC_BYTES) >> 8 * (address % SOC_BYTES));
}

template <class Root> void dram_write(Root *root, uint64_t address, uint8_t byte) {
    auto &beat = dram_beat(root, address / SOC_BYTES);
    uint64_t shift = 8 * (address % SOC_BYTES);
    beat = (beat & ~(uint64_t(0xff) << shift)) | uint64_t(byte) << shift;
}

// The initialisation that an SDRAM asks for, through the controller's registers. tick() is a clock.
template <class Top, class Tick> void dram_initialise(Top *top, Tick tick) {
    for (const auto &[address, value, wait] : kDramInit) {
        top->ctrl_cyc = 1;
        top->ctrl_adr = address / 4;
        top->ctrl_dat_w = value;
        top->clk = 0;
        top->eval();
        for (int i = 0; i < 100 && !top->ctrl_ack; i++) tick();
        tick();
        top->ctrl_cyc = 0;
        for (uint32_t i = 0; i <= wait; i++) tick();
    }
}

#endif
