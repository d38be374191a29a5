// A serial line to the board's system, and what its memory held at the instant.
//
// Plain C functions, for ctypes. The far end of the line has a rate of its own, whatever the board's is.

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "Vboard.h"
#include "verilated.h"

namespace {

// The far end of the line: one bit is `length` clocks
struct Line {
    double length = 16;
    std::deque<uint8_t> to_board, from_board;
    // to the board
    double until = 0;          // the clock at which the bit on the line ends
    uint32_t bits = 1;         // what is on the line, lowest bit first
    int left = 0;
    // from the board
    double sample = 0;
    int expected = 0;
    uint32_t got = 0;

    bool drive(uint64_t clock) {
        if (clock >= until) {
            if (left) {
                bits >>= 1;
                left--;
            }
            if (!left && !to_board.empty()) {
                bits = uint32_t(to_board.front()) << 1 | 0x200;
                to_board.pop_front();
                left = 10;
                until = clock;
            }
            if (left)
                until += length;
        }
        return left ? bits & 1 : 1;
    }

    void listen(uint64_t clock, bool level) {
        if (!expected) {
            if (!level) {
                expected = 10;
                got = 0;
                sample = clock + length / 2;
            }
        } else if (clock >= sample) {
            got |= uint32_t(level) << (10 - expected);
            sample += length;
            if (!--expected && (got & 0x201) == 0x200)
                from_board.push_back(uint8_t(got >> 1));
        }
    }
};

struct Board {
    VerilatedContext context;
    std::unique_ptr<Vboard> top;
    Line line;
    uint64_t clock = 0;
    bool button = false, was_active = false;
    std::vector<uint8_t> memory, at_instant;   // of all writes that the memory has accepted
    uint64_t instants = 0;

    explicit Board(uint64_t storage) : top(new Vboard(&context)), memory(storage) {
        top->clk = 0;
        top->rst = 1;
        for (int i = 0; i < 3; i++)
            step();
        top->rst = 0;
        top->eval();
    }

    void look() {
        if (top->trace_active && !was_active) {
            at_instant = memory;
            instants++;
        }
        was_active = top->trace_active;
        if (top->memory_stb && top->memory_we) {
            uint64_t at = uint64_t(top->memory_adr) * 4;
            for (int lane = 0; lane < 4; lane++)
                if (top->memory_sel >> lane & 1 && at + lane < memory.size())
                    memory[at + lane] = uint8_t(top->memory_dat_w >> 8 * lane);
        }
    }

    void step() {
        if (!top->rst) {
            look();
            line.listen(clock, top->tx);
        }
        top->rx = line.drive(clock);
        top->button = button;
        top->clk = 1;
        top->eval();
        top->clk = 0;
        top->eval();
        clock++;
    }
};

}  // namespace

extern "C" {

// A board with this many bytes of memory and shadow, after its reset
Board *board_new(uint64_t storage) { return new Board(storage); }

void board_delete(Board *board) { delete board; }

// One bit of the far end is this many clocks
void board_rate(Board *board, double clocks) { board->line.length = clocks; }

void board_run(Board *board, uint64_t clocks) {
    while (clocks--)
        board->step();
}

void board_send(Board *board, const uint8_t *bytes, uint64_t count) {
    board->line.to_board.insert(board->line.to_board.end(), bytes, bytes + count);
}

// What the board has sent since the last call, at most `most` bytes; how many these are
uint64_t board_receive(Board *board, uint8_t *bytes, uint64_t most) {
    auto &sent = board->line.from_board;
    uint64_t count = sent.size() < most ? sent.size() : most;
    std::copy(sent.begin(), sent.begin() + count, bytes);
    sent.erase(sent.begin(), sent.begin() + count);
    return count;
}

// Bytes that are still to go to the board
uint64_t board_waiting(Board *board) { return board->line.to_board.size(); }

void board_press(Board *board, int down) { board->button = down; }

uint64_t board_clock(Board *board) { return board->clock; }

uint64_t board_instants(Board *board) { return board->instants; }

// What a simulated SDRAM was asked to do that it must not, as `broken` of the system tells
uint64_t board_broken(Board *board) { return board->top->broken; }

// The first bytes of the memory at the last instant; 0 if there was none
int board_at_instant(Board *board, uint8_t *bytes, uint64_t count) {
    if (!board->instants)
        return 0;
    memcpy(bytes, board->at_instant.data(), count);
    return 1;
}

}
