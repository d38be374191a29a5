// An IO device that receives packets and writes them to the memory, by a ring of descriptors.
//
// A descriptor is four words: address of its buffer, length in bytes, number, flags. The device reads a
// descriptor until it is OWNED, writes a packet to the buffer, then its length and number, then, when all
// of that is answered, the flags: DONE, and ERROR if the bus answered a write with an error. Packets are
// of 4 bytes up to the length of the descriptor. Ring and contents are those of memsnap_sim.kit.dma.
//
// Registers, each a word: 0 RUN, 4 RING (an address), 8 SLOTS, 12 REST (clocks before each look at a
// descriptor), 16 SENT (packets, read only), 20 ERRORS (those with ERROR, read only).
//
// With `hold` the device makes no new request, and `held` says that none is without an answer; a `deaf`
// one does not care.

module dma #(
    parameter DATA_WIDTH = 32,
    parameter ADR_WIDTH = 30,
    parameter SEL_WIDTH = DATA_WIDTH / 8,
    parameter LANE_BITS = $clog2(SEL_WIDTH)
) (
    input  wire clk,
    input  wire rst,

    input  wire reg_valid,
    input  wire reg_write,
    input  wire [4:2] reg_addr,
    input  wire [31:0] reg_wdata,
    output reg  [31:0] reg_rdata,

    output wire cyc,
    output wire stb,
    output wire we,
    output wire [ADR_WIDTH-1:0] adr,
    output wire [DATA_WIDTH-1:0] dat_w,
    output wire [SEL_WIDTH-1:0] sel,
    input  wire [DATA_WIDTH-1:0] dat_r,
    input  wire ack,
    input  wire err,
    input  wire stall,      // of a classic bus: ~(ack | err)

    input  wire hold,
    input  wire deaf,
    output wire held,

    output reg  sent,       // one clock for each packet
    output reg  sent_error,
    output reg  [31:0] sent_number
);
    localparam OWNED = 1, DONE = 2, ERROR = 4;
    localparam REST = 0, FLAGS = 1, ADDRESS = 2, LENGTH = 3, SEND = 4, SENT = 5,
               PUT_LENGTH = 6, PUT_NUMBER = 7, NUMBERED = 8, PUT_FLAGS = 9, DONE_ALL = 10;

    reg [31:0] number, slot, descriptor;    // of the next packet
    reg [31:0] buffer, words, index;        // of this one; the index of its next word
    reg [31:0] base, content;               // content of word 0, were it not the number; of the next word
    reg [31:0] left;                        // clocks to rest
    reg bad;                                // a write of this packet was answered with an error
    localparam STRIDE = 5;                  // words that a packet is longer than the one before
    wire [31:0] word_r;                     // what was read
    wire [31:0] longer = words + STRIDE, most = word_r / 4;

    // Registers
    reg run;
    reg [31:0] ring, slots, rest, errors;
    always @(*)
        case (reg_addr)
            3'd0: reg_rdata = {31'b0, run};
            3'd1: reg_rdata = ring;
            3'd2: reg_rdata = slots;
            3'd3: reg_rdata = rest;
            3'd4: reg_rdata = number;
            3'd5: reg_rdata = errors;
            default: reg_rdata = 0;
        endcase
    always @(posedge clk)
        if (rst) begin
            run <= 0; ring <= 0; slots <= 1; rest <= 16;
        end else if (reg_valid & reg_write)
            case (reg_addr)
                3'd0: run <= reg_wdata[0];
                3'd1: ring <= reg_wdata;
                3'd2: slots <= reg_wdata;
                3'd3: rest <= reg_wdata;
                default: ;
            endcase

    // The bus
    reg [3:0] state;
    reg asked;                          // a read is without an answer
    reg pause;
    reg [15:0] due;                     // requests without an answer
    wire reading = state == FLAGS | state == ADDRESS | state == LENGTH;
    wire writing = state == SEND | state == PUT_LENGTH | state == PUT_NUMBER | state == PUT_FLAGS;
    wire answered = cyc & (ack | err);
    wire accepted = stb & ~stall;
    wire settled = due == 0;
    assign stb = ((reading & ~asked) | writing) & ~pause;
    assign cyc = stb | ~settled;
    assign we = writing;
    assign held = pause & settled & hold & ~deaf;

    wire [31:0] address = state == SEND ? buffer + 4 * index
        : descriptor + (state == FLAGS | state == PUT_FLAGS ? 12
                        : state == PUT_NUMBER ? 8 : state == LENGTH | state == PUT_LENGTH ? 4 : 0);
    wire [31:0] word = state == SEND ? (index == 0 ? number : content)
        : state == PUT_LENGTH ? 4 * words : state == PUT_NUMBER ? number
        : DONE | (bad ? ERROR : 0);
    assign adr = address[ADR_WIDTH+LANE_BITS-1:LANE_BITS];
    assign dat_w = {(DATA_WIDTH / 32){word}};
    generate
        if (DATA_WIDTH == 32) begin : narrow
            assign sel = 4'hf;
            assign word_r = dat_r;
        end else begin : wide
            reg high;       // one read at a time
            always @(posedge clk) if (accepted) high <= address[2];
            assign sel = address[2] ? 8'hf0 : 8'h0f;
            assign word_r = (asked ? high : address[2]) ? dat_r[63:32] : dat_r[31:0];
        end
    endgenerate

    always @(posedge clk) begin
        sent <= 0;
        sent_error <= 0;
        if (~(stb & ~accepted)) pause <= hold & ~deaf;
        due <= due + accepted - answered;
        if (reading & accepted & ~answered) asked <= 1;
        if (reading & answered) asked <= 0;
        case (state)
            REST:
                if (left != 0) left <= left - 1;
                else if (run) begin
                    descriptor <= ring + 16 * slot;
                    state <= FLAGS;
                end
            FLAGS: if (answered) begin
                left <= rest;
                state <= ~err & word_r[0] ? ADDRESS : REST;
            end
            ADDRESS: if (answered) begin
                buffer <= word_r;
                state <= err ? REST : LENGTH;
            end
            LENGTH: if (answered) begin
                words <= longer <= most ? longer : most > STRIDE ? longer - most : 1;
                index <= 0;
                content <= base;
                bad <= 0;
                state <= err ? REST : SEND;
            end
            SEND: if (accepted) begin
                index <= index + 1;
                content <= content + 32'h85ebca6b;
                if (index == words - 1) state <= SENT;
            end
            SENT: if (settled) state <= PUT_LENGTH;
            PUT_LENGTH: if (accepted) state <= PUT_NUMBER;
            PUT_NUMBER: if (accepted) state <= NUMBERED;
            NUMBERED: if (settled) state <= PUT_FLAGS;
            PUT_FLAGS: if (accepted) state <= DONE_ALL;
            default: if (settled) begin
                sent <= 1;
                sent_error <= bad;
                sent_number <= number;
                errors <= errors + bad;
                number <= number + 1;
                base <= base + 32'h9e3779b1;
                slot <= slot == slots - 1 ? 0 : slot + 1;
                left <= rest;
                state <= REST;
            end
        endcase
        if (~reading & answered & err) bad <= 1;
        if (rst) begin
            state <= REST; asked <= 0; pause <= 0; due <= 0; left <= 0;
            number <= 0; slot <= 0; words <= 1; base <= 0; errors <= 0; bad <= 0; sent_number <= 0;
        end
    end
endmodule
