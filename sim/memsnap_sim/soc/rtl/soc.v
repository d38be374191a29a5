// A small system: PicoRV32, the snapshot unit in front of the memory, everything else outside.
//
// An access of the CPU to an address with one of the bits 31:28 set leaves by the `io` port, as PicoRV32's
// native interface has it; all others go through the unit. The memory answers at `m_wb`.

module soc #(
    parameter DATA_WIDTH = `SOC_DATA_WIDTH,
    parameter ADR_WIDTH = `SOC_ADR_WIDTH,
    parameter CSR_ADR_WIDTH = `SOC_CSR_ADR_WIDTH,
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

    output wire [ADR_WIDTH-1:0] s_wb_adr_seen,
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

    assign io_valid = mem_valid & to_io;
    assign io_addr = mem_addr;
    assign io_wdata = mem_wdata;
    assign io_wstrb = mem_wstrb;

    // The native interface on Wishbone: one access at a time
    wire s_wb_cyc = mem_valid & ~to_io;
    wire s_wb_stb;
    wire s_wb_we = |mem_wstrb;
    wire [ADR_WIDTH-1:0] s_wb_adr = mem_addr[ADR_WIDTH+LANE_BITS-1:LANE_BITS];
    wire [DATA_WIDTH-1:0] s_wb_dat_w = {(DATA_WIDTH / 32){mem_wdata}};
    wire [SEL_WIDTH-1:0] s_wb_sel;
    wire [DATA_WIDTH-1:0] s_wb_dat_r;
    wire s_wb_ack, s_wb_err;
    wire answered = s_wb_cyc & (s_wb_ack | s_wb_err);
    wire [3:0] lanes = s_wb_we ? mem_wstrb : 4'hf;

    assign mem_ready = to_io ? io_ready : answered;
    assign s_wb_adr_seen = s_wb_adr;
    generate
        if (DATA_WIDTH == 32) begin : narrow
            assign s_wb_sel = lanes;
            assign mem_rdata = to_io ? io_rdata : s_wb_dat_r;
        end else begin : wide
            assign s_wb_sel = mem_addr[2] ? {lanes, 4'h0} : {4'h0, lanes};
            assign mem_rdata = to_io ? io_rdata
                             : mem_addr[2] ? s_wb_dat_r[63:32] : s_wb_dat_r[31:0];
        end
    endgenerate

`ifdef SOC_PIPELINED
    wire s_wb_stall;
    reg waiting;
    assign s_wb_stb = s_wb_cyc & ~waiting;
    always @(posedge clk)
        if (rst | ~s_wb_cyc | answered)
            waiting <= 1'b0;
        else if (s_wb_stb & ~s_wb_stall)
            waiting <= 1'b1;
`else
    assign s_wb_stb = s_wb_cyc;
`endif

    memsnap unit (
        .clk(clk), .rst(rst),
        .s_wb_cyc(s_wb_cyc), .s_wb_stb(s_wb_stb), .s_wb_we(s_wb_we), .s_wb_adr(s_wb_adr),
        .s_wb_dat_w(s_wb_dat_w), .s_wb_sel(s_wb_sel), .s_wb_dat_r(s_wb_dat_r),
        .s_wb_ack(s_wb_ack), .s_wb_err(s_wb_err),
        .m_wb_cyc(m_wb_cyc), .m_wb_stb(m_wb_stb), .m_wb_we(m_wb_we), .m_wb_adr(m_wb_adr),
        .m_wb_dat_w(m_wb_dat_w), .m_wb_sel(m_wb_sel), .m_wb_dat_r(m_wb_dat_r),
        .m_wb_ack(m_wb_ack), .m_wb_err(m_wb_err),
`ifdef SOC_PIPELINED
        .s_wb_stall(s_wb_stall), .m_wb_stall(m_wb_stall),
`endif
        .csr_wb_cyc(csr_wb_cyc), .csr_wb_stb(csr_wb_stb), .csr_wb_we(csr_wb_we),
        .csr_wb_adr(csr_wb_adr), .csr_wb_dat_w(csr_wb_dat_w), .csr_wb_sel(csr_wb_sel),
        .csr_wb_dat_r(csr_wb_dat_r), .csr_wb_ack(csr_wb_ack), .csr_wb_err(csr_wb_err),
        .trigger(trigger), .irq(irq),
        .trace_state(trace_state), .trace_active(trace_active), .trace_held(trace_held),
        .trace_copied(trace_copied), .trace_block(trace_block), .trace_kind(trace_kind)
    );
endmodule
