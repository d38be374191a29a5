// From pipelined Wishbone to LiteDRAM's native port, of the same width. LiteDRAM's own Wishbone port is
// classic, and so does one access at a time.
//
// A request is accepted when LiteDRAM takes its command. Its answers come in the order of the commands: a
// read's with its data, a write's when LiteDRAM has fetched the bytes, which it does when it writes them.

module wb_native #(
    parameter DATA_WIDTH = 32,
    parameter ADR_WIDTH = 24,
    parameter SEL_WIDTH = DATA_WIDTH / 8,
    parameter DEPTH_BITS = 4            // log2 of the requests without an answer
) (
    input  wire clk,
    input  wire rst,

    input  wire cyc,
    input  wire stb,
    input  wire we,
    input  wire [ADR_WIDTH-1:0] adr,
    input  wire [DATA_WIDTH-1:0] dat_w,
    input  wire [SEL_WIDTH-1:0] sel,
    output wire [DATA_WIDTH-1:0] dat_r,
    output wire ack,
    output wire stall,

    output wire cmd_valid,
    input  wire cmd_ready,
    output wire cmd_we,
    output wire [ADR_WIDTH-1:0] cmd_addr,
    output wire wdata_valid,
    input  wire wdata_ready,
    output wire [DATA_WIDTH-1:0] wdata_data,
    output wire [SEL_WIDTH-1:0] wdata_we,
    input  wire rdata_valid,
    output wire rdata_ready,
    input  wire [DATA_WIDTH-1:0] rdata_data
);
    localparam DEPTH = 1 << DEPTH_BITS;
    reg [DEPTH_BITS:0] asked, answered; // requests so far; those between have no answer
    reg [DEPTH_BITS:0] skip;            // the next answers that nobody waits for any more
    reg [DEPTH_BITS:0] put, taken;      // writes: bytes that came, and that LiteDRAM fetched
    reg [DEPTH_BITS:0] written;         // writes that were answered
    reg [DEPTH_BITS:0] got, given;      // reads: data that came, and that was passed on

    reg writes[0:DEPTH-1];
    reg [SEL_WIDTH+DATA_WIDTH-1:0] bytes[0:DEPTH-1];
    reg [DATA_WIDTH-1:0] words[0:DEPTH-1];

    wire [DEPTH_BITS:0] owed = asked - answered;
    wire full = owed[DEPTH_BITS];
    wire accept = cmd_valid & cmd_ready;
    assign cmd_valid = cyc & stb & ~full;
    assign cmd_we = we;
    assign cmd_addr = adr;
    assign stall = full | ~cmd_ready;

    wire fetch = wdata_valid & wdata_ready;
    assign wdata_valid = put != taken;
    assign {wdata_we, wdata_data} = bytes[taken[DEPTH_BITS-1:0]];
    assign rdata_ready = 1'b1;

    wire write_first = writes[answered[DEPTH_BITS-1:0]];
    wire answer = owed != 0 & (write_first ? taken != written | fetch : got != given | rdata_valid);
    assign dat_r = got != given ? words[given[DEPTH_BITS-1:0]] : rdata_data;
    assign ack = cyc & answer & skip == 0;

    always @(posedge clk) begin
        if (accept) begin
            writes[asked[DEPTH_BITS-1:0]] <= we;
            asked <= asked + 1;
            if (we) begin
                bytes[put[DEPTH_BITS-1:0]] <= {sel, dat_w};
                put <= put + 1;
            end
        end
        if (fetch) taken <= taken + 1;
        if (rdata_valid) begin
            words[got[DEPTH_BITS-1:0]] <= rdata_data;
            got <= got + 1;
        end
        if (answer) begin
            answered <= answered + 1;
            if (write_first) written <= written + 1;
            else given <= given + 1;
        end
        if (~cyc) skip <= owed - answer;
        else if (skip != 0 & answer) skip <= skip - 1;
        if (rst) begin
            asked <= 0; answered <= 0; skip <= 0; put <= 0; taken <= 0; written <= 0; got <= 0; given <= 0;
        end
    end
endmodule
