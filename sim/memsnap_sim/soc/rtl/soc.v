// A small system: PicoRV32, the snapshot unit in front of the memory, IO devices, everything else outside.
//
// An access of the CPU to an address with one of the bits 31:28 set goes to a device (4), or leaves by the
// `io` port, as PicoRV32's native interface has it; all others go through the unit. The memory answers at
// `m_wb`, and at `d_wb` to the first device where that is not gated; a separate shadow answers at `x_wb`.

`define SOC_WB(name, n) \
    .name``_wb_cyc(p_cyc[n]), .name``_wb_stb(p_stb[n]), .name``_wb_we(p_we[n]), \
    .name``_wb_adr(p_adr[n]), .name``_wb_dat_w(p_dat_w[n]), .name``_wb_sel(p_sel[n]), \
    .name``_wb_dat_r(p_dat_r[n]), .name``_wb_ack(p_ack[n]), .name``_wb_err(p_err[n]),
`ifdef SOC_PIPELINED
`define SOC_PORT(name, n) `SOC_WB(name, n) .name``_wb_stall(p_stall[n]),
`else
`define SOC_PORT(name, n) `SOC_WB(name, n)
`endif

module soc #(
    parameter DATA_WIDTH = `SOC_DATA_WIDTH,
    parameter ADR_WIDTH = `SOC_ADR_WIDTH,
    parameter CSR_ADR_WIDTH = `SOC_CSR_ADR_WIDTH,
    parameter PORTS = `SOC_PORTS,       // of the unit: the CPU's, then those of devices
    parameter DEVICES = `SOC_DEVICES,   // at least PORTS - 1; an ungated one needs no port
    parameter SEL_WIDTH = DATA_WIDTH / 8,
    parameter LANE_BITS = $clog2(SEL_WIDTH)
) (
    input  wire clk,
    input  wire rst,
    input  wire cpu_resetn,

    input  wire [31:0] irqs,
    output wire trap,

    output wire io_valid,
    output wire [31:0] io_addr,
    output wire [31:0] io_wdata,
    output wire [3:0] io_wstrb,
    input  wire io_ready,
    input  wire [31:0] io_rdata,

    output wire m_wb_cyc,
    output wire m_wb_stb,
    output wire m_wb_we,
    output wire [ADR_WIDTH-1:0] m_wb_adr,
    output wire [DATA_WIDTH-1:0] m_wb_dat_w,
    output wire [SEL_WIDTH-1:0] m_wb_sel,
    input  wire [DATA_WIDTH-1:0] m_wb_dat_r,
    input  wire m_wb_ack,
    input  wire m_wb_err,
    input  wire m_wb_stall,
    output wire m_wb_copier,            // the request is the unit's own

    output wire x_wb_cyc,
    output wire x_wb_stb,
    output wire x_wb_we,
    output wire [ADR_WIDTH-1:0] x_wb_adr,
    output wire [DATA_WIDTH-1:0] x_wb_dat_w,
    output wire [SEL_WIDTH-1:0] x_wb_sel,
    input  wire [DATA_WIDTH-1:0] x_wb_dat_r,
    input  wire x_wb_ack,
    input  wire x_wb_err,
    input  wire x_wb_stall,

    output wire d_wb_cyc,
    output wire d_wb_stb,
    output wire d_wb_we,
    output wire [ADR_WIDTH-1:0] d_wb_adr,
    output wire [DATA_WIDTH-1:0] d_wb_dat_w,
    output wire [SEL_WIDTH-1:0] d_wb_sel,
    input  wire [DATA_WIDTH-1:0] d_wb_dat_r,
    input  wire d_wb_ack,
    input  wire d_wb_err,
    input  wire d_wb_stall,

    input  wire ungated,                // the first device reaches the memory at d_wb
    input  wire deaf,                   // and does not hear io_hold
    output wire io_hold,
    output wire io_held,
    output wire sent,                   // of the first device
    output wire sent_error,
    output wire [31:0] sent_number,

    input  wire csr_wb_cyc,
    input  wire csr_wb_stb,
    input  wire csr_wb_we,
    input  wire [CSR_ADR_WIDTH-1:0] csr_wb_adr,
    input  wire [31:0] csr_wb_dat_w,
    input  wire [3:0] csr_wb_sel,
    output wire [31:0] csr_wb_dat_r,
    output wire csr_wb_ack,
    output wire csr_wb_err,

    input  wire trigger,
    output wire irq,

    output wire [31:0] adr_seen0,       // byte addresses at the unit's ports, and errors answered
    output wire [31:0] adr_seen1,
    output wire [31:0] adr_seen2,
    output wire [31:0] adr_seen3,
    output wire [3:0] err_seen,
    output wire [2:0] trace_state,
    output wire trace_active,
    output wire [3:0] trace_held,
    output wire trace_copied,
    output wire [31:0] trace_block,
    output wire [1:0] trace_kind
);
    wire mem_valid, mem_ready;
    wire [31:0] mem_addr, mem_wdata, mem_rdata;
    wire [3:0] mem_wstrb;
    wire to_io = |mem_addr[31:28];

    picorv32 #(
        .ENABLE_MUL(1),
        .ENABLE_DIV(1),
        .ENABLE_IRQ(1),
        .REGS_INIT_ZERO(1),
        .PROGADDR_RESET(32'h3000_0000),
        .PROGADDR_IRQ(32'h3000_0100)
    ) cpu (
        .clk(clk), .resetn(~rst & cpu_resetn), .trap(trap),
        .mem_valid(mem_valid), .mem_instr(), .mem_ready(mem_ready),
        .mem_addr(mem_addr), .mem_wdata(mem_wdata), .mem_wstrb(mem_wstrb), .mem_rdata(mem_rdata),
        .mem_la_read(), .mem_la_write(), .mem_la_addr(), .mem_la_wdata(), .mem_la_wstrb(),
        .pcpi_valid(), .pcpi_insn(), .pcpi_rs1(), .pcpi_rs2(),
        .pcpi_wr(1'b0), .pcpi_rd(32'b0), .pcpi_wait(1'b0), .pcpi_ready(1'b0),
        .irq(irqs), .eoi(), .trace_valid(), .trace_data()
    );

    wire to_device = mem_addr[31:28] == 4'h4;
    assign io_valid = mem_valid & to_io & ~to_device;
    assign io_addr = mem_addr;
    assign io_wdata = mem_wdata;
    assign io_wstrb = mem_wstrb;

    // The unit's ports, from the CPU's on
    wire [PORTS-1:0] p_cyc, p_stb, p_we, p_ack, p_err, p_stall;
    wire [PORTS-1:0][ADR_WIDTH-1:0] p_adr;
    wire [PORTS-1:0][DATA_WIDTH-1:0] p_dat_w, p_dat_r;
    wire [PORTS-1:0][SEL_WIDTH-1:0] p_sel;
    wire [PORTS-1:0] p_asks;            // the request at m_wb is this port's
    assign m_wb_copier = m_wb_stb & ~|p_asks;
    wire [127:0] seen;
    genvar n;
    generate
        for (n = 0; n < PORTS; n = n + 1) begin : ask
`ifdef SOC_PIPELINED
            assign p_asks[n] = p_cyc[n] & p_stb[n] & ~p_stall[n];
`else
            assign p_stall[n] = ~(p_ack[n] | p_err[n]);
            assign p_asks[n] = p_cyc[n] & p_stb[n] & p_adr[n] == m_wb_adr & p_we[n] == m_wb_we;
`endif
        end
        for (n = 0; n < 4; n = n + 1) begin : see
            if (n < PORTS) begin : port
                assign seen[32*n +: 32] = 32'(p_adr[n]) << LANE_BITS;
                assign err_seen[n] = p_cyc[n] & p_err[n];
            end else begin : none
                assign seen[32*n +: 32] = 0;
                assign err_seen[n] = 0;
            end
        end
    endgenerate
    assign {adr_seen3, adr_seen2, adr_seen1, adr_seen0} = seen;

    // The CPU's native interface on Wishbone: one access at a time
    wire [3:0] lanes = |mem_wstrb ? mem_wstrb : 4'hf;
    wire answered = p_cyc[0] & (p_ack[0] | p_err[0]);
    wire [31:0] device_rdata;
    wire [31:0] memory_rdata;

    assign mem_ready = to_device ? mem_valid : to_io ? io_ready : answered;
    assign mem_rdata = to_device ? device_rdata : to_io ? io_rdata : memory_rdata;
    assign p_cyc[0] = mem_valid & ~to_io;
    assign p_we[0] = |mem_wstrb;
    assign p_adr[0] = mem_addr[ADR_WIDTH+LANE_BITS-1:LANE_BITS];
    assign p_dat_w[0] = {(DATA_WIDTH / 32){mem_wdata}};
    generate
        if (DATA_WIDTH == 32) begin : narrow
            assign p_sel[0] = lanes;
            assign memory_rdata = p_dat_r[0];
        end else begin : wide
            assign p_sel[0] = mem_addr[2] ? {lanes, 4'h0} : {4'h0, lanes};
            assign memory_rdata = mem_addr[2] ? p_dat_r[0][63:32] : p_dat_r[0][31:0];
        end
    endgenerate

`ifdef SOC_PIPELINED
    reg waiting;
    assign p_stb[0] = p_cyc[0] & ~waiting;
    always @(posedge clk)
        if (rst | ~p_cyc[0] | answered)
            waiting <= 1'b0;
        else if (p_stb[0] & ~p_stall[0])
            waiting <= 1'b1;
`else
    assign p_stb[0] = p_cyc[0];
`endif

    // Devices; each has registers of its own
`ifdef SOC_PIPELINED
    wire d_stall = d_wb_stall;
`else
    wire d_stall = ~(d_wb_ack | d_wb_err);
`endif
`ifndef SOC_IO_HOLD
    assign io_hold = 1'b0;
`endif
    generate
        if (DEVICES == 0) begin : no_device
            assign {d_wb_cyc, d_wb_stb, d_wb_we, d_wb_adr, d_wb_dat_w, d_wb_sel} = 0;
            assign {device_rdata, io_held, sent, sent_error, sent_number} = 0;
        end else begin : devices
            wire [DEVICES-1:0][31:0] rdata, number;
            wire [DEVICES-1:0] held, done, bad;
            assign device_rdata = rdata[mem_addr[9:8]];
            assign {io_held, sent, sent_error, sent_number} = {held[0], done[0], bad[0], number[0]};
            for (n = 0; n < DEVICES; n = n + 1) begin : device
                wire cyc, stb, we, ack, err, stall;
                wire [ADR_WIDTH-1:0] adr;
                wire [DATA_WIDTH-1:0] dat_w, dat_r;
                wire [SEL_WIDTH-1:0] sel;
                dma #(.DATA_WIDTH(DATA_WIDTH), .ADR_WIDTH(ADR_WIDTH)) dma (
                    .clk(clk), .rst(rst), .reg_valid(mem_valid & to_device & mem_addr[9:8] == n),
                    .reg_write(|mem_wstrb), .reg_addr(mem_addr[4:2]), .reg_wdata(mem_wdata),
                    .reg_rdata(rdata[n]), .cyc(cyc), .stb(stb), .we(we), .adr(adr), .dat_w(dat_w),
                    .sel(sel), .dat_r(dat_r), .ack(ack), .err(err), .stall(stall),
                    .hold(n == 0 & ungated & io_hold), .deaf(deaf), .held(held[n]),
                    .sent(done[n]), .sent_error(bad[n]), .sent_number(number[n])
                );
                if (n == 0) begin : first
                    assign d_wb_cyc = cyc & (ungated | PORTS == 1);
                    assign d_wb_stb = stb & (ungated | PORTS == 1);
                    assign {d_wb_we, d_wb_adr, d_wb_dat_w, d_wb_sel} = {we, adr, dat_w, sel};
                end
                if (n + 1 < PORTS) begin : gated
                    wire by = n != 0 | ~ungated;
                    assign p_cyc[n+1] = cyc & by;
                    assign p_stb[n+1] = stb & by;
                    assign p_we[n+1] = we;
                    assign p_adr[n+1] = adr;
                    assign p_dat_w[n+1] = dat_w;
                    assign p_sel[n+1] = sel;
                    assign dat_r = by ? p_dat_r[n+1] : d_wb_dat_r;
                    assign ack = by ? p_ack[n+1] : d_wb_ack;
                    assign err = by ? p_err[n+1] : d_wb_err;
                    assign stall = by ? p_stall[n+1] : d_stall;
                end else begin : free
                    assign {dat_r, ack, err, stall} = {d_wb_dat_r, d_wb_ack, d_wb_err, d_stall};
                end
            end
        end
    endgenerate
`ifndef SOC_SEPARATE
    assign {x_wb_cyc, x_wb_stb, x_wb_we, x_wb_adr, x_wb_dat_w, x_wb_sel} = 0;
`endif

    memsnap unit (
        .clk(clk), .rst(rst),
`ifdef SOC_ONE_PORT
        `SOC_PORT(s, 0)
`else
        `SOC_PORT(s0, 0)
        `SOC_PORT(s1, 1)
`ifdef SOC_THREE_PORTS
        `SOC_PORT(s2, 2)
`endif
`ifdef SOC_FOUR_PORTS
        `SOC_PORT(s3, 3)
`endif
`endif
        .m_wb_cyc(m_wb_cyc), .m_wb_stb(m_wb_stb), .m_wb_we(m_wb_we), .m_wb_adr(m_wb_adr),
        .m_wb_dat_w(m_wb_dat_w), .m_wb_sel(m_wb_sel), .m_wb_dat_r(m_wb_dat_r),
        .m_wb_ack(m_wb_ack), .m_wb_err(m_wb_err),
`ifdef SOC_PIPELINED
        .m_wb_stall(m_wb_stall),
`endif
`ifdef SOC_SEPARATE
        .x_wb_cyc(x_wb_cyc), .x_wb_stb(x_wb_stb), .x_wb_we(x_wb_we), .x_wb_adr(x_wb_adr),
        .x_wb_dat_w(x_wb_dat_w), .x_wb_sel(x_wb_sel), .x_wb_dat_r(x_wb_dat_r),
        .x_wb_ack(x_wb_ack), .x_wb_err(x_wb_err),
`ifdef SOC_PIPELINED
        .x_wb_stall(x_wb_stall),
`endif
`endif
`ifdef SOC_IO_HOLD
        .io_hold(io_hold), .io_held(io_held & ungated),
`endif
        .csr_wb_cyc(csr_wb_cyc), .csr_wb_stb(csr_wb_stb), .csr_wb_we(csr_wb_we),
        .csr_wb_adr(csr_wb_adr), .csr_wb_dat_w(csr_wb_dat_w), .csr_wb_sel(csr_wb_sel),
        .csr_wb_dat_r(csr_wb_dat_r), .csr_wb_ack(csr_wb_ack), .csr_wb_err(csr_wb_err),
        .trigger(trigger), .irq(irq),
        .trace_state(trace_state), .trace_active(trace_active), .trace_held(trace_held),
        .trace_copied(trace_copied), .trace_block(trace_block), .trace_kind(trace_kind)
    );
endmodule
