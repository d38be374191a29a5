// A small system: PicoRV32, the snapshot unit in front of the memory, IO devices, everything else outside.
//
// An access of the CPU to an address with one of the bits 31:28 set goes to a device (4), or leaves by the
// `io` port, as PicoRV32's native interface has it; all others go through the unit. The memory answers at
// `m_wb`, and at `d_wb` to the first device where that is not gated; a separate shadow answers at `x_wb`.
// On AXI4 these are `m_axi` and `x_axi`, and `c_axi` of the unit's copier if it has its own; CPU and devices
// stay on classic Wishbone, with a bridge at each of the unit's ports.
//
// With LiteDRAM the memory is inside, and answers where else the outside does: what is an input of
// `m_wb` or `m_axi` without it is an output then.

`define SOC_WB(name, n) \
    .name``_wb_cyc(p_cyc[n]), .name``_wb_stb(p_stb[n]), .name``_wb_we(p_we[n]), \
    .name``_wb_adr(p_adr[n]), .name``_wb_dat_w(p_dat_w[n]), .name``_wb_sel(p_sel[n]), \
    .name``_wb_dat_r(p_dat_r[n]), .name``_wb_ack(p_ack[n]), .name``_wb_err(p_err[n]),
`ifdef SOC_AXI4_BUS
`define SOC_PORT(name, n) `SOC_AXI4_PORT(name, n)
`elsif SOC_PIPELINED
`define SOC_PORT(name, n) `SOC_WB(name, n) .name``_wb_stall(p_stall[n]),
`else
`define SOC_PORT(name, n) `SOC_WB(name, n)
`endif

`ifdef SOC_LITEDRAM
`define SOC_ANSWER output
`else
`define SOC_ANSWER input
`endif
`define SOC_AXI4_ADDRESS(name, ids) \
    output wire [ids-1:0] name``id, output wire [ADDR_WIDTH-1:0] name``addr, output wire [7:0] name``len, \
    output wire [2:0] name``size, output wire [1:0] name``burst, output wire name``valid,
`define SOC_AXI4(name, ids, answer) \
    `SOC_AXI4_ADDRESS(name``_aw, ids) answer wire name``_awready, \
    output wire [DATA_WIDTH-1:0] name``_wdata, output wire [SEL_WIDTH-1:0] name``_wstrb, \
    output wire name``_wlast, output wire name``_wvalid, answer wire name``_wready, \
    answer wire [ids-1:0] name``_bid, answer wire [1:0] name``_bresp, answer wire name``_bvalid, \
    output wire name``_bready, \
    `SOC_AXI4_ADDRESS(name``_ar, ids) answer wire name``_arready, \
    answer wire [ids-1:0] name``_rid, answer wire [DATA_WIDTH-1:0] name``_rdata, \
    answer wire [1:0] name``_rresp, answer wire name``_rlast, answer wire name``_rvalid, \
    output wire name``_rready,

// The unit's ports on AXI4: to a memory, and from the bridge of port n
`define SOC_AXI4_MEMORY_ADDRESS(name) \
    .name``id(name``id), .name``addr(name``addr), .name``len(name``len), .name``size(name``size), \
    .name``burst(name``burst), .name``lock(), .name``cache(), .name``prot(), .name``qos(), \
    .name``region(), .name``valid(name``valid), .name``ready(name``ready),
`define SOC_AXI4_MEMORY(name) \
    `SOC_AXI4_MEMORY_ADDRESS(name``_aw) `SOC_AXI4_MEMORY_ADDRESS(name``_ar) \
    .name``_wdata(name``_wdata), .name``_wstrb(name``_wstrb), .name``_wlast(name``_wlast), \
    .name``_wvalid(name``_wvalid), .name``_wready(name``_wready), .name``_bid(name``_bid), \
    .name``_bresp(name``_bresp), .name``_bvalid(name``_bvalid), .name``_bready(name``_bready), \
    .name``_rid(name``_rid), .name``_rdata(name``_rdata), .name``_rresp(name``_rresp), \
    .name``_rlast(name``_rlast), .name``_rvalid(name``_rvalid), .name``_rready(name``_rready),
`define SOC_AXI4_PORT_ADDRESS(name, n) \
    .name``id(n), .name``addr(ADDR_WIDTH'(p_adr[n]) << LANE_BITS), .name``len(8'd0), \
    .name``size(3'(LANE_BITS)), .name``burst(2'b01), .name``lock(1'b0), .name``cache(4'd0), \
    .name``prot(3'd0), .name``qos(4'd0), .name``region(4'd0),
`define SOC_AXI4_PORT(name, n) \
    `SOC_AXI4_PORT_ADDRESS(name``_axi_aw, n) `SOC_AXI4_PORT_ADDRESS(name``_axi_ar, n) \
    .name``_axi_awvalid(a_awvalid[n]), .name``_axi_awready(a_awready[n]), \
    .name``_axi_wdata(p_dat_w[n]), .name``_axi_wstrb(p_sel[n]), .name``_axi_wlast(1'b1), \
    .name``_axi_wvalid(a_wvalid[n]), .name``_axi_wready(a_wready[n]), .name``_axi_bid(), \
    .name``_axi_bresp(a_bresp[n]), .name``_axi_bvalid(a_bvalid[n]), .name``_axi_bready(1'b1), \
    .name``_axi_arvalid(a_arvalid[n]), .name``_axi_arready(a_arready[n]), .name``_axi_rid(), \
    .name``_axi_rdata(p_dat_r[n]), .name``_axi_rresp(a_rresp[n]), .name``_axi_rlast(), \
    .name``_axi_rvalid(a_rvalid[n]), .name``_axi_rready(1'b1),

module soc #(
    parameter DATA_WIDTH = `SOC_DATA_WIDTH,
    parameter ADR_WIDTH = `SOC_ADR_WIDTH,
    parameter ADDR_WIDTH = `SOC_ADDR_WIDTH,
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

`ifdef SOC_AXI4_BUS
    `SOC_AXI4(m_axi, `SOC_MEMORY_ID_WIDTH, `SOC_ANSWER)
`ifdef SOC_COPIER_PORT
    `SOC_AXI4(c_axi, 1, input)
`endif
`ifdef SOC_SEPARATE
    `SOC_AXI4(x_axi, 1, input)
`endif
`else
    output wire m_wb_cyc,
    output wire m_wb_stb,
    output wire m_wb_we,
    output wire [ADR_WIDTH-1:0] m_wb_adr,
    output wire [DATA_WIDTH-1:0] m_wb_dat_w,
    output wire [SEL_WIDTH-1:0] m_wb_sel,
    `SOC_ANSWER wire [DATA_WIDTH-1:0] m_wb_dat_r,
    `SOC_ANSWER wire m_wb_ack,
    `SOC_ANSWER wire m_wb_err,
    `SOC_ANSWER wire m_wb_stall,
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
`endif
`ifdef SOC_LITEDRAM

    input  wire ctrl_cyc,               // LiteDRAM's registers
    input  wire [29:0] ctrl_adr,
    input  wire [31:0] ctrl_dat_w,
    output wire ctrl_ack,
    output wire [4:0] dfi,              // what the SDRAM is told: write, read, refresh, precharge, activate
`endif

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
`ifndef SOC_AXI4_BUS
    wire [PORTS-1:0] p_asks;            // the request at m_wb is this port's
    assign m_wb_copier = m_wb_stb & ~|p_asks;
`endif
    wire [127:0] seen;
    genvar n;
    generate
        for (n = 0; n < PORTS; n = n + 1) begin : ask
`ifdef SOC_PIPELINED
            assign p_asks[n] = p_cyc[n] & p_stb[n] & ~p_stall[n];
`else
            assign p_stall[n] = ~(p_ack[n] | p_err[n]);
`ifndef SOC_AXI4_BUS
            assign p_asks[n] = p_cyc[n] & p_stb[n] & p_adr[n] == m_wb_adr & p_we[n] == m_wb_we;
`endif
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
`ifdef SOC_AXI4_BUS
    // A bridge at each of the unit's ports, and one at its registers
    wire [PORTS-1:0] a_awvalid, a_awready, a_wvalid, a_wready, a_bvalid, a_arvalid, a_arready, a_rvalid;
    wire [PORTS-1:0][1:0] a_bresp, a_rresp;
    generate
        for (n = 0; n < PORTS; n = n + 1) begin : bridges
            wb_axi4 bridge (
                .clk(clk), .rst(rst), .cyc(p_cyc[n]), .stb(p_stb[n]), .we(p_we[n]), .ack(p_ack[n]),
                .err(p_err[n]), .awvalid(a_awvalid[n]), .awready(a_awready[n]), .wvalid(a_wvalid[n]),
                .wready(a_wready[n]), .bvalid(a_bvalid[n]), .bresp(a_bresp[n]),
                .arvalid(a_arvalid[n]), .arready(a_arready[n]), .rvalid(a_rvalid[n]),
                .rresp(a_rresp[n])
            );
        end
    endgenerate
`elsif SOC_SEPARATE
`else
    assign {x_wb_cyc, x_wb_stb, x_wb_we, x_wb_adr, x_wb_dat_w, x_wb_sel} = 0;
`endif
`ifdef SOC_CSR_AXIL
    wire csr_awvalid, csr_awready, csr_wvalid, csr_wready, csr_bvalid, csr_arvalid, csr_arready, csr_rvalid;
    wire [1:0] csr_bresp, csr_rresp;
    wb_axi4 csr_bridge (
        .clk(clk), .rst(rst), .cyc(csr_wb_cyc), .stb(csr_wb_stb), .we(csr_wb_we), .ack(csr_wb_ack),
        .err(csr_wb_err), .awvalid(csr_awvalid), .awready(csr_awready), .wvalid(csr_wvalid),
        .wready(csr_wready), .bvalid(csr_bvalid), .bresp(csr_bresp), .arvalid(csr_arvalid),
        .arready(csr_arready), .rvalid(csr_rvalid), .rresp(csr_rresp)
    );
`endif

`ifdef SOC_LITEDRAM
`ifdef SOC_AXI4_BUS
`elsif SOC_PIPELINED
    assign m_wb_err = 1'b0;
    wire cmd_valid, cmd_ready, cmd_we, wdata_valid, wdata_ready, rdata_valid, rdata_ready;
    wire [`SOC_DRAM_ADR_WIDTH-1:0] cmd_addr;
    wire [DATA_WIDTH-1:0] wdata_data, rdata_data;
    wire [SEL_WIDTH-1:0] wdata_we;
    wb_native #(.DATA_WIDTH(DATA_WIDTH), .ADR_WIDTH(`SOC_DRAM_ADR_WIDTH)) bridge (
        .clk(clk), .rst(rst), .cyc(m_wb_cyc), .stb(m_wb_stb), .we(m_wb_we),
        .adr(m_wb_adr[`SOC_DRAM_ADR_WIDTH-1:0]), .dat_w(m_wb_dat_w), .sel(m_wb_sel),
        .dat_r(m_wb_dat_r), .ack(m_wb_ack), .stall(m_wb_stall), .cmd_valid(cmd_valid),
        .cmd_ready(cmd_ready), .cmd_we(cmd_we), .cmd_addr(cmd_addr), .wdata_valid(wdata_valid),
        .wdata_ready(wdata_ready), .wdata_data(wdata_data), .wdata_we(wdata_we),
        .rdata_valid(rdata_valid), .rdata_ready(rdata_ready), .rdata_data(rdata_data)
    );
`else
    assign m_wb_stall = 1'b0;
`endif
    litedram_core dram (
        .clk(clk), .sim_trace(1'b0), .init_done(), .init_error(), .user_clk(), .user_rst(),
        .dfi_activate(dfi[0]), .dfi_precharge(dfi[1]), .dfi_refresh(dfi[2]), .dfi_read(dfi[3]),
        .dfi_write(dfi[4]),
        .wb_ctrl_cyc(ctrl_cyc), .wb_ctrl_stb(ctrl_cyc), .wb_ctrl_we(ctrl_cyc), .wb_ctrl_adr(ctrl_adr),
        .wb_ctrl_dat_w(ctrl_dat_w), .wb_ctrl_sel(4'hf), .wb_ctrl_cti(3'd0), .wb_ctrl_bte(2'd0),
        .wb_ctrl_ack(ctrl_ack), .wb_ctrl_dat_r(), .wb_ctrl_err(),
`ifdef SOC_AXI4_BUS
        .user_port_memory_awid(m_axi_awid), .user_port_memory_awaddr(m_axi_awaddr[`SOC_DRAM_ADR_WIDTH-1:0]),
        .user_port_memory_awlen(m_axi_awlen), .user_port_memory_awsize({1'b0, m_axi_awsize}),
        .user_port_memory_awburst(m_axi_awburst), .user_port_memory_awvalid(m_axi_awvalid),
        .user_port_memory_awready(m_axi_awready), .user_port_memory_wdata(m_axi_wdata),
        .user_port_memory_wstrb(m_axi_wstrb), .user_port_memory_wlast(m_axi_wlast),
        .user_port_memory_wvalid(m_axi_wvalid), .user_port_memory_wready(m_axi_wready),
        .user_port_memory_bid(m_axi_bid), .user_port_memory_bresp(m_axi_bresp),
        .user_port_memory_bvalid(m_axi_bvalid), .user_port_memory_bready(m_axi_bready),
        .user_port_memory_arid(m_axi_arid), .user_port_memory_araddr(m_axi_araddr[`SOC_DRAM_ADR_WIDTH-1:0]),
        .user_port_memory_arlen(m_axi_arlen), .user_port_memory_arsize({1'b0, m_axi_arsize}),
        .user_port_memory_arburst(m_axi_arburst), .user_port_memory_arvalid(m_axi_arvalid),
        .user_port_memory_arready(m_axi_arready), .user_port_memory_rid(m_axi_rid),
        .user_port_memory_rdata(m_axi_rdata), .user_port_memory_rresp(m_axi_rresp),
        .user_port_memory_rlast(m_axi_rlast), .user_port_memory_rvalid(m_axi_rvalid),
        .user_port_memory_rready(m_axi_rready)
`elsif SOC_PIPELINED
        .user_port_memory_cmd_valid(cmd_valid), .user_port_memory_cmd_ready(cmd_ready),
        .user_port_memory_cmd_we(cmd_we), .user_port_memory_cmd_addr(cmd_addr),
        .user_port_memory_wdata_valid(wdata_valid), .user_port_memory_wdata_ready(wdata_ready),
        .user_port_memory_wdata_data(wdata_data), .user_port_memory_wdata_we(wdata_we),
        .user_port_memory_rdata_valid(rdata_valid), .user_port_memory_rdata_ready(rdata_ready),
        .user_port_memory_rdata_data(rdata_data)
`else
        .user_port_memory_cyc(m_wb_cyc), .user_port_memory_stb(m_wb_stb), .user_port_memory_we(m_wb_we),
        .user_port_memory_adr(m_wb_adr[`SOC_DRAM_ADR_WIDTH-1:0]), .user_port_memory_dat_w(m_wb_dat_w),
        .user_port_memory_sel(m_wb_sel), .user_port_memory_dat_r(m_wb_dat_r),
        .user_port_memory_ack(m_wb_ack), .user_port_memory_err(m_wb_err)
`endif
    );
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
`ifdef SOC_AXI4_BUS
        `SOC_AXI4_MEMORY(m_axi)
`ifdef SOC_COPIER_PORT
        `SOC_AXI4_MEMORY(c_axi)
`endif
`ifdef SOC_SEPARATE
        `SOC_AXI4_MEMORY(x_axi)
`endif
`else
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
`endif
`ifdef SOC_IO_HOLD
        .io_hold(io_hold), .io_held(io_held & ungated),
`endif
`ifdef SOC_CSR_AXIL
        .csr_axil_awaddr({csr_wb_adr, 2'b00}), .csr_axil_awprot(3'd0), .csr_axil_awvalid(csr_awvalid),
        .csr_axil_awready(csr_awready), .csr_axil_wdata(csr_wb_dat_w), .csr_axil_wstrb(csr_wb_sel),
        .csr_axil_wvalid(csr_wvalid), .csr_axil_wready(csr_wready), .csr_axil_bresp(csr_bresp),
        .csr_axil_bvalid(csr_bvalid), .csr_axil_bready(1'b1), .csr_axil_araddr({csr_wb_adr, 2'b00}),
        .csr_axil_arprot(3'd0), .csr_axil_arvalid(csr_arvalid), .csr_axil_arready(csr_arready),
        .csr_axil_rdata(csr_wb_dat_r), .csr_axil_rresp(csr_rresp), .csr_axil_rvalid(csr_rvalid),
        .csr_axil_rready(1'b1),
`else
        .csr_wb_cyc(csr_wb_cyc), .csr_wb_stb(csr_wb_stb), .csr_wb_we(csr_wb_we),
        .csr_wb_adr(csr_wb_adr), .csr_wb_dat_w(csr_wb_dat_w), .csr_wb_sel(csr_wb_sel),
        .csr_wb_dat_r(csr_wb_dat_r), .csr_wb_ack(csr_wb_ack), .csr_wb_err(csr_wb_err),
`endif
        .trigger(trigger), .irq(irq),
        .trace_state(trace_state), .trace_active(trace_active), .trace_held(trace_held),
        .trace_copied(trace_copied), .trace_block(trace_block), .trace_kind(trace_kind)
    );
endmodule
