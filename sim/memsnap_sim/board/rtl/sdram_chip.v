// An SDR SDRAM, 16 bits wide, for simulation: its content, and what of its data sheet's rules was broken.
//
// It knows bursts of one word, with a CAS latency of two clocks, as LiteDRAM uses such a chip. Times are in
// clocks of `clk`; an access with A10 precharges its bank by itself, as soon as it may.

module sdram_chip #(
    parameter ROW_BITS = 13,
    parameter COLUMN_BITS = 9,
    parameter T_RCD = 1,                // from ACTIVATE to READ or WRITE
    parameter T_RP = 1,                 // from PRECHARGE to ACTIVATE, REFRESH or MODE
    parameter T_RAS = 2,                // from ACTIVATE to PRECHARGE
    parameter T_WR = 1,                 // from WRITE to PRECHARGE
    parameter T_RFC = 4,                // from REFRESH to the next command
    parameter T_MRD = 2,                // from MODE to the next command
    parameter T_POWER = 1000,           // from power-up to the first command
    parameter T_REFRESH = 1000          // between two REFRESH, at most
) (
    input  wire clk,
    input  wire cke,
    input  wire cs_n,
    input  wire ras_n,
    input  wire cas_n,
    input  wire we_n,
    input  wire [1:0] ba,
    input  wire [ROW_BITS-1:0] a,
    input  wire [1:0] dm,
    inout  wire [15:0] dq,
    output reg  [6:0] broken            // the rules of `Broken`, each until the end
);
    localparam TIMING = 0, CLOSED = 1, OPEN = 2, UNREADY = 3, MODE = 4, STARVED = 5, CONTENTION = 6;

    reg [15:0] cells[0:(4 << (ROW_BITS + COLUMN_BITS)) - 1];
    reg [31:0] now;
    reg [2:0] refreshes;                // since power-up, up to 7
    reg precharged, set_up;
    reg [3:0] opened;
    reg [ROW_BITS-1:0] row[0:3];
    reg [31:0] activated[0:3], precharge[0:3], written[0:3];    // clocks of the last one
    reg [31:0] refreshed, mode;
    reg read, read_next;
    reg [15:0] data, data_next;
    integer n;

    initial begin
        now = 0; refreshes = 0; precharged = 0; set_up = 0; opened = 0; broken = 0; refreshed = 0;
        mode = 0; read = 0; read_next = 0;
        for (n = 0; n < 4; n = n + 1) begin
            activated[n] = 0; precharge[n] = 0; written[n] = 0;
        end
    end

    assign dq = read ? data : 16'hzzzz;

    reg [31:0] closed;                  // when such an access precharges its bank

    wire [2:0] command = {ras_n, cas_n, we_n};
    wire asked = cke & ~cs_n & command != 3'b111;
    wire all = a[10];                   // of PRECHARGE: all banks; of READ and WRITE: with a precharge
    wire [ROW_BITS+COLUMN_BITS+1:0] cell_at = {row[ba], ba, a[COLUMN_BITS-1:0]};

    always @* begin
        closed = now + (we_n ? 1 : T_WR);
        if (closed < activated[ba] + T_RAS) closed = activated[ba] + T_RAS;
    end

    always @(posedge clk) begin
        now <= now + 1;
        read <= read_next;
        data <= data_next;
        read_next <= 1'b0;
        if (set_up & now - refreshed > T_REFRESH) broken[STARVED] <= 1'b1;
        if (asked) begin
            if (now < T_POWER | (refreshes != 0 & now - refreshed < T_RFC) | (set_up & now - mode < T_MRD))
                broken[TIMING] <= 1'b1;
            case (command)
                3'b011: begin           // ACTIVATE
                    if (~set_up) broken[UNREADY] <= 1'b1;
                    if (opened[ba]) broken[OPEN] <= 1'b1;
                    if (now < precharge[ba] + T_RP) broken[TIMING] <= 1'b1;
                    opened[ba] <= 1'b1;
                    row[ba] <= a;
                    activated[ba] <= now;
                end
                3'b010:                 // PRECHARGE, of one bank or of all
                    for (n = 0; n < 4; n = n + 1)
                        if (all | n[1:0] == ba) begin
                            if (opened[n] & (now - activated[n] < T_RAS | now - written[n] < T_WR))
                                broken[TIMING] <= 1'b1;
                            opened[n] <= 1'b0;
                            precharge[n] <= now;
                            if (all) precharged <= 1'b1;
                        end
                3'b101, 3'b100: begin   // READ, WRITE
                    if (~opened[ba]) broken[CLOSED] <= 1'b1;
                    if (now - activated[ba] < T_RCD) broken[TIMING] <= 1'b1;
                    if (all) begin
                        opened[ba] <= 1'b0;
                        precharge[ba] <= closed;
                    end
                    if (command[0]) begin
                        read_next <= 1'b1;
                        data_next <= cells[cell_at];
                    end else begin
                        if (read | read_next) broken[CONTENTION] <= 1'b1;
                        if (~dm[0]) cells[cell_at][7:0] <= dq[7:0];
                        if (~dm[1]) cells[cell_at][15:8] <= dq[15:8];
                        written[ba] <= now;
                    end
                end
                3'b001: begin           // REFRESH
                    if (~precharged) broken[UNREADY] <= 1'b1;
                    if (opened != 0) broken[OPEN] <= 1'b1;
                    for (n = 0; n < 4; n = n + 1)
                        if (now < precharge[n] + T_RP) broken[TIMING] <= 1'b1;
                    if (refreshes != 7) refreshes <= refreshes + 1;
                    refreshed <= now;
                end
                3'b000: begin           // MODE
                    if (~precharged | opened != 0) broken[UNREADY] <= 1'b1;
                    // The first one may come before the refreshes, with the DLL's bit of other memories
                    if (refreshes >= 2) begin
                        set_up <= 1'b1;
                        if (a[6:0] != 7'b0100000) broken[MODE] <= 1'b1;
                    end
                    mode <= now;
                end
                default: broken[MODE] <= 1'b1;      // the end of a burst
            endcase
        end
    end
endmodule
