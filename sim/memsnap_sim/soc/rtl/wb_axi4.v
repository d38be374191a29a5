// From a classic Wishbone initiator to AXI4: one access at a time, each a burst of one beat.
//
// Address and data go along outside; so do the bytes read.

module wb_axi4 (
    input  wire clk,
    input  wire rst,

    input  wire cyc,
    input  wire stb,
    input  wire we,
    output wire ack,
    output wire err,

    output wire awvalid,
    input  wire awready,
    output wire wvalid,
    input  wire wready,
    input  wire bvalid,
    input  wire [1:0] bresp,
    output wire arvalid,
    input  wire arready,
    input  wire rvalid,
    input  wire [1:0] rresp
);
    reg address_taken, data_taken;      // of the access that is not answered yet
    wire asked = cyc & stb;
    wire answered = we ? bvalid : rvalid;
    wire bad = we ? bresp[1] : rresp[1];

    assign awvalid = asked & we & ~address_taken;
    assign arvalid = asked & ~we & ~address_taken;
    assign wvalid = asked & we & ~data_taken;
    assign ack = asked & answered & ~bad;
    assign err = asked & answered & bad;

    always @(posedge clk)
        if (rst | ~asked | answered) begin
            address_taken <= 1'b0;
            data_taken <= 1'b0;
        end else begin
            if ((awvalid & awready) | (arvalid & arready)) address_taken <= 1'b1;
            if (wvalid & wready) data_taken <= 1'b1;
        end
endmodule
