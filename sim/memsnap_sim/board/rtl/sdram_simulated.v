// LiteDRAM's controller as it is on a board, with the SDRAM at its pins, for simulation.
//
// The SDRAM's clock comes half a clock later than the controller's; on a board it is less.

module sdram_simulated #(
    parameter ADR_WIDTH = 23,
    parameter ROW_BITS = 13,
    parameter COLUMN_BITS = 9,
    parameter T_RCD = 1,
    parameter T_RP = 1,
    parameter T_RAS = 2,
    parameter T_WR = 1,
    parameter T_RFC = 4,
    parameter T_POWER = 1000,
    parameter T_REFRESH = 1000
) (
    input  wire clk,
    input  wire rst,
    input  wire user_port_memory_cmd_valid,
    output wire user_port_memory_cmd_ready,
    input  wire user_port_memory_cmd_we,
    input  wire [ADR_WIDTH-1:0] user_port_memory_cmd_addr,
    input  wire user_port_memory_wdata_valid,
    output wire user_port_memory_wdata_ready,
    input  wire [31:0] user_port_memory_wdata_data,
    input  wire [3:0] user_port_memory_wdata_we,
    output wire user_port_memory_rdata_valid,
    input  wire user_port_memory_rdata_ready,
    output wire [31:0] user_port_memory_rdata_data,
    input  wire wb_ctrl_cyc,
    input  wire wb_ctrl_stb,
    input  wire wb_ctrl_we,
    input  wire [29:0] wb_ctrl_adr,
    input  wire [31:0] wb_ctrl_dat_w,
    input  wire [3:0] wb_ctrl_sel,
    input  wire [2:0] wb_ctrl_cti,
    input  wire [1:0] wb_ctrl_bte,
    output wire wb_ctrl_ack,
    output wire [6:0] broken
);
    wire cke, cs_n, ras_n, cas_n, we_n;
    wire [1:0] ba, dm;
    wire [ROW_BITS-1:0] a;
    wire [15:0] dq;

    litedram_core controller (
        .clk(clk), .rst(rst),
        .user_port_memory_cmd_valid(user_port_memory_cmd_valid),
        .user_port_memory_cmd_ready(user_port_memory_cmd_ready),
        .user_port_memory_cmd_we(user_port_memory_cmd_we),
        .user_port_memory_cmd_addr(user_port_memory_cmd_addr),
        .user_port_memory_wdata_valid(user_port_memory_wdata_valid),
        .user_port_memory_wdata_ready(user_port_memory_wdata_ready),
        .user_port_memory_wdata_data(user_port_memory_wdata_data),
        .user_port_memory_wdata_we(user_port_memory_wdata_we),
        .user_port_memory_rdata_valid(user_port_memory_rdata_valid),
        .user_port_memory_rdata_ready(user_port_memory_rdata_ready),
        .user_port_memory_rdata_data(user_port_memory_rdata_data),
        .wb_ctrl_cyc(wb_ctrl_cyc), .wb_ctrl_stb(wb_ctrl_stb), .wb_ctrl_we(wb_ctrl_we),
        .wb_ctrl_adr(wb_ctrl_adr), .wb_ctrl_dat_w(wb_ctrl_dat_w), .wb_ctrl_sel(wb_ctrl_sel),
        .wb_ctrl_cti(wb_ctrl_cti), .wb_ctrl_bte(wb_ctrl_bte), .wb_ctrl_ack(wb_ctrl_ack),
        .wb_ctrl_dat_r(), .wb_ctrl_err(), .init_done(), .init_error(), .user_clk(), .user_rst(),
        .sdram_cke(cke), .sdram_cs_n(cs_n), .sdram_ras_n(ras_n), .sdram_cas_n(cas_n),
        .sdram_we_n(we_n), .sdram_ba(ba), .sdram_a(a), .sdram_dm(dm), .sdram_dq(dq)
    );

    sdram_chip #(
        .ROW_BITS(ROW_BITS), .COLUMN_BITS(COLUMN_BITS), .T_RCD(T_RCD), .T_RP(T_RP), .T_RAS(T_RAS),
        .T_WR(T_WR), .T_RFC(T_RFC), .T_POWER(T_POWER), .T_REFRESH(T_REFRESH)
    ) chip (
        .clk(~clk), .cke(cke), .cs_n(cs_n), .ras_n(ras_n), .cas_n(cas_n), .we_n(we_n), .ba(ba), .a(a),
        .dm(dm), .dq(dq), .broken(broken)
    );
endmodule
