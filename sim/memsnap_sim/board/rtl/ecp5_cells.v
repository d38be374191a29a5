// Cells of an ECP5 that LiteDRAM's core consists of beside what Verilog has itself, for simulation: flip-flops
// and pins in both directions at the SDRAM, and flip-flops that keep a reset.

module FD1S3BX (input wire D, input wire CK, input wire PD, output reg Q);
    always @(posedge CK or posedge PD)
        if (PD) Q <= 1'b1;
        else Q <= D;
endmodule

module OFS1P3BX (input wire D, input wire SCLK, input wire SP, input wire PD, output reg Q);
    always @(posedge SCLK)
        if (PD) Q <= 1'b1;
        else if (SP) Q <= D;
endmodule

module IFS1P3BX (input wire D, input wire SCLK, input wire SP, input wire PD, output reg Q);
    always @(posedge SCLK)
        if (PD) Q <= 1'b1;
        else if (SP) Q <= D;
endmodule

module TRELLIS_IO #(
    parameter DIR = "BIDIR"
) (
    inout  wire B,
    input  wire I,
    input  wire T,
    output wire O
);
    assign B = T ? 1'bz : I;
    assign O = B;
endmodule
