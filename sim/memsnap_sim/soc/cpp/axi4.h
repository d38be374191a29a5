// The memory's end of an AXI4 port: bursts into beats, and the order and the time of answers.
//
// A burst is accepted in the clock in which its address is. Beats of a write are done when they come; those
// of a read as late as can be, when they are offered. Answers come in the order of the addresses.

#pragma once

#include <cstdint>
#include <deque>

struct Axi4Address { bool valid; uint64_t addr; uint32_t id, len, size, burst; };
struct Axi4Request {
    Axi4Address aw, ar;
    bool wvalid; uint64_t wdata; uint32_t wstrb; bool wlast;
    bool bready, rready;
};
struct Axi4Answer {
    bool awready, wready, bvalid; uint32_t bid, bresp;
    bool arready, rvalid, rlast; uint32_t rid, rresp; uint64_t rdata;
};

// What the port `name` of the top asks, and what it is answered
#define AXI4_ADDRESS(top, name) {bool(top->name##valid), top->name##addr, top->name##id, top->name##len, \
                                 top->name##size, top->name##burst}
#define AXI4_REQUEST(top, name) {AXI4_ADDRESS(top, name##_aw), AXI4_ADDRESS(top, name##_ar), \
    bool(top->name##_wvalid), top->name##_wdata, top->name##_wstrb, bool(top->name##_wlast), \
    bool(top->name##_bready), bool(top->name##_rready)}
#define AXI4_ANSWER(top, name, answer) do { \
    top->name##_awready = (answer).awready; top->name##_wready = (answer).wready; \
    top->name##_bvalid = (answer).bvalid; top->name##_bid = (answer).bid; \
    top->name##_bresp = (answer).bresp; top->name##_arready = (answer).arready; \
    top->name##_rvalid = (answer).rvalid; top->name##_rid = (answer).rid; \
    top->name##_rdata = (answer).rdata; top->name##_rresp = (answer).rresp; \
    top->name##_rlast = (answer).rlast; } while (0)

constexpr uint32_t kOkay = 0, kSlaveError = 2, kFixed = 0, kWrap = 2;

struct Axi4Burst {
    Axi4Address at;
    uint64_t clock;         // in which it was accepted
    uint32_t beat = 0;
    bool bad = false, silent = false;

    bool last() const { return beat == at.len; }
    // The byte address of this beat (A3.4.1)
    uint64_t address() const {
        uint64_t bytes = 1u << at.size, start = at.addr, aligned = start & ~(bytes - 1);
        if (at.burst == kFixed || beat == 0) return start;
        uint64_t address = aligned + beat * bytes;
        if (at.burst != kWrap) return address;
        uint64_t span = bytes * (at.len + 1), base = start & ~(span - 1);
        return base + (address - base) % span;
    }
};

class Axi4Port {
  public:
    Axi4Answer given = {};  // in this clock

    // Beats of writes that were transferred with what is answered in this clock, each given to
    // perform(burst, data, strobes), which returns whether it is good (0), bad (1) or to be silent (2)
    template <class Perform>
    void take_writes(const Axi4Request &ask, bool awready, bool wready, uint64_t clock,
                     uint64_t latency, Perform perform) {
        if (ask.aw.valid && awready) writes_.push_back({ask.aw, clock});
        if (ask.wvalid && wready) data_.push_back({ask.wdata, ask.wstrb});
        while (!writes_.empty() && !data_.empty()) {
            Axi4Burst &burst = writes_.front();
            int how = perform(burst, data_.front().first, data_.front().second);
            data_.pop_front();
            burst.bad |= how == 1;
            burst.silent |= how == 2;
            if (burst.last()) {
                if (!burst.silent) answers_.push_back({clock + latency, burst});
                writes_.pop_front();
            } else {
                burst.beat++;
            }
        }
    }

    // What is answered in the next clock; read(burst, data) is like perform
    template <class Perform, class Read>
    Axi4Answer serve(const Axi4Request &ask, uint64_t clock, uint64_t latency, bool stall_a,
                     bool stall_w, Perform perform, Read read) {
        if (given.bvalid && ask.bready) { given.bvalid = false; answers_.pop_front(); }
        take_writes(ask, given.awready, given.wready, clock, latency, perform);
        if (given.rvalid && ask.rready) given.rvalid = false;
        if (ask.ar.valid && given.arready) reads_.push_back({ask.ar, clock});
        if (!given.bvalid && !answers_.empty() && answers_.front().clock <= clock + 1) {
            const Axi4Burst &burst = answers_.front().burst;
            given.bvalid = true;
            given.bid = burst.at.id;
            given.bresp = burst.bad ? kSlaveError : kOkay;
        }
        if (!given.rvalid) offer_read(clock, latency, read);
        given.awready = given.arready = !stall_a;
        given.wready = !stall_w;
        return given;
    }

    // The beats alone, where the memory is another's
    template <class Perform>
    void watch_writes(const Axi4Request &ask, bool awready, bool wready, uint64_t clock,
                      Perform perform) {
        take_writes(ask, awready, wready, clock, 0, perform);
        answers_.clear();
    }

  private:
    struct Answer { uint64_t clock; Axi4Burst burst; };
    std::deque<Axi4Burst> writes_, reads_;
    std::deque<std::pair<uint64_t, uint32_t>> data_;    // that came before its address, too
    std::deque<Answer> answers_;

    template <class Read> void offer_read(uint64_t clock, uint64_t latency, Read read) {
        if (reads_.empty() || reads_.front().clock + latency > clock + 1) return;
        Axi4Burst &burst = reads_.front();
        int how = burst.silent ? 2 : read(burst, given.rdata);
        given.rvalid = how != 2;
        given.rid = burst.at.id;
        given.rresp = how == 1 ? kSlaveError : kOkay;
        given.rlast = burst.last();
        burst.silent = how == 2;    // and so is the rest of it
        if (burst.last()) reads_.pop_front();
        else burst.beat++;
    }
};
