// The world around the system in soc.v: memories and their faults, console, registers, triggers, and what
// was seen.
//
// Plain C functions, for ctypes. One call of step() is one clock: the outputs of the clock are
// sampled, the edge comes, and the inputs of the next clock are applied.

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "Vsoc.h"
#include "Vsoc___024root.h"
#include "verilated.h"
#include "axi4.h"
#include "dram.h"
#ifdef SOC_FST
#include "verilated_fst_c.h"
typedef VerilatedFstC Dump;
#elif defined(SOC_VCD)
#include "verilated_vcd_c.h"
typedef VerilatedVcdC Dump;
#endif

namespace {

constexpr uint32_t kConsole = 0x10000000, kExit = 0x10000004, kMark = 0x10000008,
                   kErrors = 0x1000000c;   // accesses of the CPU that were answered with an error
constexpr uint32_t kRegisters = 0x20000000, kFirmware = 0x30000000, kFirmwareSize = 0x10000;
constexpr uint32_t kControl = 0x010;   // the unit's CONTROL register; bit 0 starts
constexpr int kFetch = 0x40;           // picorv32's cpu_state_fetch
constexpr int kSoftwareIrq = 5;

enum When { NEVER = 0, AT_CLOCK = 1, AT_ADDRESS = 2 };
enum How { BY_PIN = 0, BY_SOFTWARE = 1, BY_PROGRAM = 2 };

enum What { FAULT = 0, BUS_ERROR = 1, HOLD = 2, HELD = 3, LET_GO = 4, PACKET = 5 };
enum Side { MEMORY = 0, SHADOW = 1 };

struct Write { uint64_t clock, adr, data; uint32_t sel; uint32_t pad; };
struct Stall { uint64_t clock, address, length; uint32_t port, pad; };
struct Event { uint64_t clock, address; uint32_t what, port; };
struct Copy { uint64_t clock; uint32_t block, kind; };
struct Call { uint64_t entered, left, function; };
struct Access { uint64_t requested, answered; uint32_t address, lanes; };
struct Timed { uint32_t address, back; bool entering, inside; uint64_t entered; };

// What a bus asks a memory, and how it is answered
struct Request { bool cyc, stb, we; uint64_t adr, data; uint32_t sel; };
struct Answer { bool ack, err, stall; uint64_t data; };

// The memory's end of a bus: what it owes
struct Port {
    struct Due { uint64_t clock, data; bool bad, silent; };
    std::deque<Due> due;
    uint64_t waited = 0;
};

// Accesses of the unit that are answered with an error, or not at all: of those to the bytes `first` to
// `last`, `times` (0: all) after `skip`
struct Fault { uint64_t first, last, skip, times, seen; Side side; bool silent; };

struct Soc {
    VerilatedContext context;
    std::unique_ptr<Vsoc> top;
#ifdef SOC_DUMP
    std::unique_ptr<Dump> dump;
    uint64_t dump_from = 0, dump_to = 0;
#endif
    std::vector<uint8_t> memory;
    std::vector<uint8_t> shadow;       // a separate one
    std::vector<uint8_t> firmware;
    uint64_t guarded_base = 0, guarded_size = 0, shadow_base = 0;
    uint32_t latency = 1, shadow_latency = 1;
    double stall = 0;
    std::mt19937 random;

    uint64_t clock = 0;
    Port m, x, d;
#ifdef SOC_AXI4_BUS
    Axi4Port m_axi, x_axi, c_axi;
#endif
    std::vector<Fault> faults;
#ifdef SOC_LITEDRAM
    uint64_t commands[COMMANDS] = {};          // that the SDRAM was told since the reset
    uint64_t commands_at[2][COMMANDS] = {};    // and at the instant, and at the end of the snapshot
#endif

    int when = NEVER, how = BY_PIN;
    uint64_t at = 0, nth = 1, seen = 0, triggered = 0;
    bool fired = false;

    bool csr_host = false, csr_cpu = false, csr_done = false;
    uint32_t csr_data = 0;
    bool csr_error = false;

    std::string console;
    bool ended = false;
    int32_t exit_code = 0;
    uint64_t marks[2] = {0, 0};

    std::vector<uint8_t> checkpoint;   // the guarded memory at the last start
    uint64_t checkpoint_clock = 0;
    std::vector<Write> writes;         // to the guarded memory since then
    bool logging = false;
    std::vector<Stall> stalls;
    std::vector<Copy> copies;
    std::vector<Event> events;
    uint32_t errors = 0;               // accesses of the CPU that were answered with an error
    std::vector<Timed> timed;          // functions whose calls are timed
    std::vector<Call> calls;
    std::vector<Access> accesses;      // of the CPU to the memory, if that is wanted
    bool recording = false, asking = false;
    uint64_t requested = 0;
    int open[4] = {-1, -1, -1, -1};    // each port's stall that lasts, by its index
    bool was_hold = false, was_io_held = false;
    bool was_active = false, registers_due = false;
    uint64_t active_clock = 0;
    uint32_t registers[33] = {};       // x0..x31 and pc at the instant

    Soc(uint64_t size) : memory(size), firmware(kFirmwareSize) {
        context.randReset(0);
#ifdef SOC_DUMP
        context.traceEverOn(true);
#endif
        top = std::make_unique<Vsoc>(&context);
        top->rst = 1;
        top->cpu_resetn = 1;
        settle(0);
        for (int i = 0; i < 4; i++) { settle(1); settle(0); }
#ifdef SOC_LITEDRAM
        dram_initialise(top.get(), [this] { settle(1); settle(0); });
#endif
        top->rst = 0;
        settle(0);
    }

    ~Soc() {
#ifdef SOC_DUMP
        if (dump) dump->close();
#endif
        top->final();
    }

    void settle(int level) { top->clk = level; top->eval(); }

    void step() {
        auto *cpu = top->rootp;
        observe(cpu);
        Inputs next = respond();
        top->clk = 1;
        top->eval();
        apply(next);
#ifdef SOC_DUMP
        if (dump && clock >= dump_from && clock <= dump_to) dump->dump(clock * 10);
#endif
        settle(0);
#ifdef SOC_DUMP
        if (dump && clock >= dump_from && clock <= dump_to) dump->dump(clock * 10 + 5);
#endif
        clock++;
    }

    struct Inputs {
        bool io_ready = false, trigger = false;
        Answer m = {}, x = {}, d = {};
#ifdef SOC_AXI4_BUS
        Axi4Answer m_axi = {}, x_axi = {}, c_axi = {};
#endif
        uint32_t io_rdata = 0, irqs = 0;
    };

    void apply(const Inputs &next) {
#ifdef SOC_AXI4_BUS
#ifndef SOC_LITEDRAM
        AXI4_ANSWER(top, m_axi, next.m_axi);
#endif
#ifdef SOC_COPIER_PORT
        AXI4_ANSWER(top, c_axi, next.c_axi);
#endif
#ifdef SOC_SEPARATE
        AXI4_ANSWER(top, x_axi, next.x_axi);
#endif
#else
#ifndef SOC_LITEDRAM
        top->m_wb_ack = next.m.ack;
        top->m_wb_err = next.m.err;
        top->m_wb_dat_r = next.m.data;
        top->m_wb_stall = next.m.stall;
#endif
        top->x_wb_ack = next.x.ack;
        top->x_wb_err = next.x.err;
        top->x_wb_stall = next.x.stall;
#endif
        top->d_wb_ack = next.d.ack;
        top->d_wb_dat_r = next.d.data;
        top->io_ready = next.io_ready;
        top->io_rdata = next.io_rdata;
        top->trigger = next.trigger;
        top->irqs = next.irqs;
    }

    // What happens in this clock, seen from outside
    void observe(Vsoc___024root *cpu) {
        if (top->trace_active && !was_active) { active_clock = clock; registers_due = true; }
#ifdef SOC_LITEDRAM
        see_commands();
#endif
        was_active = top->trace_active;
        if (registers_due) take_registers(cpu);
        if (top->trace_copied) copies.push_back({clock, top->trace_block, top->trace_kind});
        see_ports();
        if (!timed.empty()) time_calls(cpu);
        if (recording) record_access(cpu);
        if (when == AT_ADDRESS && !fired && cpu->soc__DOT__cpu__DOT__launch_next_insn
            && cpu->soc__DOT__cpu__DOT__next_pc == at && ++seen == nth) fire();
        if (when == AT_CLOCK && !fired && clock + 1 >= at) fire();
        if (top->trap && !ended) ended = true;
    }

#ifdef SOC_LITEDRAM
    void see_commands() {
        if (bool(top->trace_active) != was_active)
            memcpy(commands_at[was_active], commands, sizeof commands);
        for (int i = 0; i < COMMANDS; i++) commands[i] += top->dfi >> i & 1;
    }
#endif

    // Held writes, errors, and what the devices do
    void see_ports() {
        const uint32_t addresses[4] = {top->adr_seen0, top->adr_seen1, top->adr_seen2, top->adr_seen3};
        for (uint32_t port = 0; port < 4; port++) {
            if (!(top->trace_held >> port & 1)) {
                open[port] = -1;
            } else {
                if (open[port] < 0) {
                    open[port] = int(stalls.size());
                    stalls.push_back({clock, addresses[port], 0, port, 0});
                }
                stalls[open[port]].length++;
            }
            if (top->err_seen >> port & 1) {
                events.push_back({clock, addresses[port], BUS_ERROR, port});
                if (port == 0) errors++;
            }
        }
        if (top->io_hold != was_hold)
            events.push_back({clock, 0, uint32_t(top->io_hold ? HOLD : LET_GO), 0});
        if (top->io_hold && top->io_held && !was_io_held) events.push_back({clock, 0, HELD, 0});
        was_hold = top->io_hold;
        was_io_held = top->io_hold && top->io_held;
        if (top->sent) events.push_back({clock, top->sent_number, PACKET, top->sent_error});
    }

    // The CPU makes one access at a time; those to the memory have an address below the devices'
    void record_access(Vsoc___024root *cpu) {
        uint32_t address = cpu->soc__DOT__mem_addr;
        if (!cpu->soc__DOT__mem_valid || address >> 28) return;
        if (!asking) requested = clock;
        asking = !cpu->soc__DOT__mem_ready;
        if (!asking) accesses.push_back({requested, clock, address, cpu->soc__DOT__mem_wstrb});
    }

    // A call lasts from the fetch of the function's first instruction to that of the one after it
    void time_calls(Vsoc___024root *cpu) {
        for (Timed &one : timed) {
            if (one.entering) {   // ra was written at the edge
                one.back = cpu->soc__DOT__cpu__DOT__cpuregs[1];
                one.entering = false;
                one.inside = true;
            }
            if (!cpu->soc__DOT__cpu__DOT__launch_next_insn) continue;
            uint32_t next = cpu->soc__DOT__cpu__DOT__next_pc;
            if (!one.inside && next == one.address) {
                one.entering = true;
                one.entered = clock;
            } else if (one.inside && next == one.back) {
                one.inside = false;
                calls.push_back({one.entered, clock, one.address});
            }
        }
    }

    // The CPU's registers as of its last instruction that was completed by the instant
    void take_registers(Vsoc___024root *cpu) {
        if (cpu->soc__DOT__cpu__DOT__cpu_state == kFetch
            && (cpu->soc__DOT__cpu__DOT__latched_store || cpu->soc__DOT__cpu__DOT__latched_branch))
            return;   // the result is being put away
        for (int i = 1; i < 32; i++) registers[i] = cpu->soc__DOT__cpu__DOT__cpuregs[i];
        registers[32] = cpu->soc__DOT__cpu__DOT__cpu_state == kFetch
            ? cpu->soc__DOT__cpu__DOT__next_pc : cpu->soc__DOT__cpu__DOT__reg_pc;
        registers_due = false;
    }

    void fire() {
        fired = true;
        triggered = clock + 1;
        if (how != BY_SOFTWARE) take_checkpoint();
    }

    void take_checkpoint() {
        if (was_active) return;   // this start will be refused
        checkpoint.assign(memory.begin() + guarded_base,
                          memory.begin() + guarded_base + guarded_size);
        checkpoint_clock = clock;
        writes.clear();
        logging = true;
    }

    Inputs respond() {
        Inputs next;
        respond_memory(next);
        next.d = serve(d, {bool(top->d_wb_cyc), bool(top->d_wb_stb), bool(top->d_wb_we),
                           top->d_wb_adr, top->d_wb_dat_w, top->d_wb_sel},
                       MEMORY, latency, false, false, top->d_wb_ack);
        next.d.stall = false;
        io_port(next);
        // A pulse long enough to be seen, and an interrupt until the handler's first mark
        next.trigger = fired && how == BY_PIN && clock < triggered + 3;
        next.irqs = fired && how == BY_SOFTWARE && !marks[0] ? 1u << kSoftwareIrq : 0;
        return next;
    }

#ifdef SOC_AXI4_BUS
    // At the port that all share, the upper bits of an id tell the source
    static bool is_copier(const Axi4Burst &burst) { return burst.at.id >> SOC_ID_WIDTH == SOC_PORTS; }
    static int outcome(const Port::Due &due) { return due.silent ? 2 : due.bad; }

    auto write_beat(Side side, bool copier) {
        return [this, side, copier](const Axi4Burst &burst, uint64_t data, uint32_t strobes) {
            return outcome(perform({true, true, true, burst.address() / SOC_BYTES, data, strobes}, side, 0,
                                   copier || is_copier(burst), burst.clock));
        };
    }

    void respond_memory(Inputs &next) {
#ifdef SOC_LITEDRAM
        m_axi.watch_writes(AXI4_REQUEST(top, m_axi), top->m_axi_awready, top->m_axi_wready, clock,
                           write_beat(MEMORY, false));
#else
        next.m_axi = serve(m_axi, AXI4_REQUEST(top, m_axi), MEMORY, latency, false);
#endif
#ifdef SOC_COPIER_PORT
        next.c_axi = serve(c_axi, AXI4_REQUEST(top, c_axi), MEMORY, latency, true);
#endif
#ifdef SOC_SEPARATE
        next.x_axi = serve(x_axi, AXI4_REQUEST(top, x_axi), SHADOW, shadow_latency, true);
#endif
    }

    Axi4Answer serve(Axi4Port &port, const Axi4Request &request, Side side, uint32_t latency,
                     bool copier) {
        auto read = [this, side, copier](const Axi4Burst &burst, uint64_t &data) {
            Port::Due due = perform({true, true, false, burst.address() / SOC_BYTES, 0, 0}, side, 0,
                                    copier || is_copier(burst), burst.clock);
            data = due.data;
            return outcome(due);
        };
        bool stall_a = stalls_now(), stall_w = stalls_now();
        return port.serve(request, clock, latency, stall_a, stall_w, write_beat(side, copier), read);
    }

#else
    void respond_memory(Inputs &next) {
        Request request = {bool(top->m_wb_cyc), bool(top->m_wb_stb), bool(top->m_wb_we), top->m_wb_adr,
                           top->m_wb_dat_w, top->m_wb_sel};
        bool answered = top->m_wb_ack || top->m_wb_err;
#ifdef SOC_LITEDRAM
#ifdef SOC_PIPELINED
        bool accepted = !top->m_wb_stall;
#else
        bool accepted = answered;
#endif
        if (request.cyc && request.stb && request.we && accepted)
            perform(request, MEMORY, 0, false, clock);
        (void)answered;
#else
        next.m = serve(m, request, MEMORY, latency, top->m_wb_copier, top->m_wb_stall, answered);
#endif
#ifdef SOC_SEPARATE
        next.x = serve(x, {bool(top->x_wb_cyc), bool(top->x_wb_stb), bool(top->x_wb_we),
                           top->x_wb_adr, top->x_wb_dat_w, top->x_wb_sel},
                       SHADOW, shadow_latency, true, top->x_wb_stall,
                       top->x_wb_ack || top->x_wb_err);
#endif
    }
#endif

    bool stalls_now() {
        return stall > 0 && std::uniform_real_distribution<>(0, 1)(random) < stall;
    }

    Answer serve(Port &port, const Request &request, Side side, uint32_t latency, bool copier,
                 bool stalled, bool answered) {
        Answer next = {};
        bool asked = request.cyc && request.stb;
        if (!request.cyc) port.due.clear();   // given up
#ifdef SOC_PIPELINED
        (void)answered;
        if (asked && !stalled) port.due.push_back(perform(request, side, latency, copier, clock));
        if (!port.due.empty() && !port.due.front().silent && port.due.front().clock <= clock + 1) {
            next.ack = !port.due.front().bad;
            next.err = port.due.front().bad;
            next.data = port.due.front().data;
            port.due.pop_front();
        }
        next.stall = stalls_now();
#else
        (void)stalled;
        if (!asked || answered) {
            port.waited = 0;
        } else if (++port.waited == latency) {
            Port::Due due = perform(request, side, latency, copier, clock + 1);
            if (due.silent) return next;
            next.ack = !due.bad;
            next.err = due.bad;
            next.data = due.data;
        }
#endif
        return next;
    }

    // What one of the unit's own accesses meets: nothing, or a fault
    const Fault *fault_at(uint64_t address, bool write, Side side) {
        for (Fault &fault : faults) {
            bool meets = fault.side == MEMORY ? side == MEMORY && !write : write;
            if (!meets || address < fault.first || address > fault.last) continue;
            uint64_t index = fault.seen++;
            if (index < fault.skip || (fault.times && index >= fault.skip + fault.times)) continue;
            return &fault;
        }
        return nullptr;
    }

    Port::Due perform(const Request &request, Side side, uint32_t latency, bool copier,
                      uint64_t accepted) {
        uint64_t address = request.adr * SOC_BYTES;
        Port::Due due = {clock + latency, 0, false, false};
        const Fault *fault = copier && !faults.empty()
            ? fault_at(address, request.we, side) : nullptr;
        if (fault) {
            due.bad = true;
            due.silent = fault->silent;
            events.push_back({clock, address, FAULT, uint32_t(fault->side)});
            return due;
        }
        std::vector<uint8_t> &content = side == SHADOW ? shadow : memory;
        uint64_t offset = side == SHADOW ? address - shadow_base : address;
        if (offset + SOC_BYTES > content.size()) return due;
        uint8_t *at = content.data() + offset;
        if (request.we) {
            if (logging && side == MEMORY && address - guarded_base < guarded_size)
                writes.push_back({accepted, address, request.data, request.sel, 0});
            for (int i = 0; i < SOC_BYTES; i++)
                if (request.sel >> i & 1) at[i] = uint8_t(request.data >> 8 * i);
        } else {
            memcpy(&due.data, at, SOC_BYTES);
        }
        return due;
    }

    void io_port(Inputs &next) {
        csr_port(next);
        if (!top->io_valid || top->io_ready || next.io_ready) return;
        uint32_t address = top->io_addr, data = top->io_wdata;
        bool write = top->io_wstrb;
        if (address >= kRegisters && address < kFirmware) {
            if (!csr_host && !csr_cpu) {
                csr_cpu = true;
                csr_request(address - kRegisters, data, write ? top->io_wstrb : 0);
            }
            return;   // answered by csr_port
        }
        next.io_ready = true;
        if (address >= kFirmware && address - kFirmware <= kFirmwareSize - 4) {
            uint8_t *at = firmware.data() + (address - kFirmware);
            for (int i = 0; write && i < 4; i++)
                if (top->io_wstrb >> i & 1) at[i] = uint8_t(data >> 8 * i);
            memcpy(&next.io_rdata, at, 4);
        } else if (!write && address == kErrors) {
            next.io_rdata = errors;
        } else if (write && address == kConsole) {
            console.push_back(char(data));
        } else if (write && address == kExit && !ended) {
            ended = true;
            exit_code = int32_t(data);
        } else if (write && address == kMark) {
            if (data < 2) marks[data] = clock;
        }
    }

    void csr_request(uint32_t address, uint32_t data, uint32_t sel) {
        top->csr_wb_cyc = top->csr_wb_stb = 1;
        top->csr_wb_we = sel != 0;
        top->csr_wb_adr = address / 4;
        top->csr_wb_dat_w = data;
        top->csr_wb_sel = sel ? sel : 0xf;
        if (address == kControl && (sel & 1) && (data & 1)) take_checkpoint();
    }

    void csr_port(Inputs &next) {
        if (!(top->csr_wb_ack || top->csr_wb_err)) return;
        csr_data = top->csr_wb_dat_r;
        csr_error = top->csr_wb_err;
        top->csr_wb_cyc = top->csr_wb_stb = 0;
        if (csr_cpu) {
            csr_cpu = false;
            next.io_ready = true;
            next.io_rdata = csr_data;
        } else {
            csr_host = false;
            csr_done = true;
        }
    }

    int host_access(uint32_t address, uint32_t *data, bool write) {
        for (int i = 0; csr_cpu && i < 1000; i++) step();
        csr_host = true;
        csr_done = false;
        csr_request(address, *data, write ? 0xf : 0);
        settle(0);
        for (int i = 0; !csr_done && i < 1000; i++) step();
        *data = csr_data;
        return csr_done && !csr_error ? 0 : 1;
    }
};

template <class T> uint64_t give(const std::vector<T> &from, T *to, uint64_t most) {
    if (to) memcpy(to, from.data(), sizeof(T) * (most < from.size() ? most : from.size()));
    return from.size();
}

}  // namespace

extern "C" {

// A separate shadow has a memory of its own, of the size of the guarded memory; else shadow_size is 0.
Soc *soc_new(uint64_t size, uint64_t guarded_base, uint64_t guarded_size, uint64_t shadow_base,
             uint64_t shadow_size, uint32_t latency, uint32_t shadow_latency, double stall,
             uint32_t seed) {
    Soc *soc = new Soc(size);
    soc->shadow_base = shadow_base;
    soc->shadow.resize(shadow_size);
    soc->shadow_latency = shadow_latency;
    soc->guarded_base = guarded_base;
    soc->guarded_size = guarded_size;
    soc->latency = latency;
    soc->stall = stall;
    soc->random.seed(seed);
    return soc;
}

void soc_delete(Soc *soc) { delete soc; }

void soc_load(Soc *soc, uint64_t address, const uint8_t *data, uint64_t size) {
    memcpy(soc->memory.data() + address, data, size);
#ifdef SOC_LITEDRAM
    for (uint64_t i = 0; i < size; i++) dram_write(soc->top->rootp, address + i, data[i]);
#endif
}

void soc_firmware(Soc *soc, const uint8_t *data, uint64_t size) {
    memcpy(soc->firmware.data(), data, size);
}

// Reads the memory, or a separate shadow.
void soc_read(Soc *soc, uint64_t address, uint8_t *data, uint64_t size, int separate) {
    if (separate) {
        memcpy(data, soc->shadow.data() + (address - soc->shadow_base), size);
        return;
    }
#ifdef SOC_LITEDRAM
    for (uint64_t i = 0; i < size; i++) data[i] = dram_read(soc->top->rootp, address + i);
#else
    memcpy(data, soc->memory.data() + address, size);
#endif
}

// The first byte of LiteDRAM's SDRAM that is not what the writes at its port make of it, or the size.
uint64_t soc_stray(Soc *soc) {
    uint64_t size = soc->memory.size();
#ifdef SOC_LITEDRAM
    for (uint64_t i = 0; i < size; i++)
        if (dram_read(soc->top->rootp, i) != soc->memory[i]) return i;
#endif
    return size;
}

// Commands of the SDRAM: in all, up to the instant, up to the end of the snapshot; returns how many kinds.
uint64_t soc_commands(Soc *soc, uint64_t *to) {
#ifdef SOC_LITEDRAM
    memcpy(to, soc->commands, sizeof soc->commands);
    memcpy(to + COMMANDS, soc->commands_at, sizeof soc->commands_at);
    return COMMANDS;
#else
    (void)soc; (void)to;
    return 0;
#endif
}

// How the first device reaches the memory.
void soc_device(Soc *soc, int ungated, int deaf) {
    soc->top->ungated = ungated;
    soc->top->deaf = deaf;
    soc->settle(0);
}

void soc_fault(Soc *soc, int side, uint64_t first, uint64_t last, uint64_t skip, uint64_t times,
               int silent) {
    soc->faults.push_back({first, last, skip, times, 0, Side(side), bool(silent)});
}

void soc_trigger(Soc *soc, int when, int how, uint64_t at, uint64_t nth) {
    soc->when = when;
    soc->how = how;
    soc->at = at;
    soc->nth = nth;
}

void soc_time(Soc *soc, uint32_t address) {
    soc->timed.push_back({address, 0, false, false, 0});
}

void soc_record(Soc *soc) { soc->recording = true; }

// Runs to a clock, or to the program's end if that is wanted; returns the clock.
uint64_t soc_run(Soc *soc, uint64_t until, int to_end) {
    while (soc->clock < until && !(to_end && soc->ended)) soc->step();
    return soc->clock;
}

int soc_access(Soc *soc, uint32_t address, uint32_t *data, int write) {
    return soc->host_access(address, data, write);
}

int soc_ended(Soc *soc, int32_t *exit_code, int *trapped) {
    *exit_code = soc->exit_code;
    *trapped = soc->top->trap;
    return soc->ended;
}

uint64_t soc_clock(Soc *soc) { return soc->clock; }
uint64_t soc_fired(Soc *soc, uint64_t *seen) {
    *seen = soc->seen;
    return soc->fired ? soc->triggered : 0;
}
uint64_t soc_active_clock(Soc *soc) { return soc->active_clock; }
void soc_registers(Soc *soc, uint32_t *registers) {
    memcpy(registers, soc->registers, sizeof soc->registers);
}
void soc_marks(Soc *soc, uint64_t *marks) { memcpy(marks, soc->marks, sizeof soc->marks); }
uint64_t soc_console(Soc *soc, char *text, uint64_t most) {
    if (text) memcpy(text, soc->console.data(), most);
    return soc->console.size();
}
uint64_t soc_checkpoint(Soc *soc, uint8_t *data, uint64_t most) {
    return give(soc->checkpoint, data, most);
}
uint64_t soc_writes(Soc *soc, Write *to, uint64_t most) { return give(soc->writes, to, most); }
uint64_t soc_stalls(Soc *soc, Stall *to, uint64_t most) { return give(soc->stalls, to, most); }
uint64_t soc_events(Soc *soc, Event *to, uint64_t most) { return give(soc->events, to, most); }
uint64_t soc_copies(Soc *soc, Copy *to, uint64_t most) { return give(soc->copies, to, most); }
uint64_t soc_calls(Soc *soc, Call *to, uint64_t most) { return give(soc->calls, to, most); }
uint64_t soc_accesses(Soc *soc, Access *to, uint64_t most) {
    return give(soc->accesses, to, most);
}

int soc_dump(Soc *soc, const char *path, uint64_t from, uint64_t to) {
#ifdef SOC_DUMP
    soc->dump = std::make_unique<Dump>();
    soc->top->trace(soc->dump.get(), 99);
    soc->dump->open(path);
    soc->dump_from = from;
    soc->dump_to = to;
    return 0;
#else
    (void)soc; (void)path; (void)from; (void)to;
    return 1;
#endif
}

}  // extern "C"
