// Takes a snapshot in the SoC of litex_soc.py while all of the memory is written over, and checks it.
module litex_bench;
  localparam RAM = 32'h40000000, REGISTERS = 32'hf0000000, BYTES = 32'h400;

  reg clk = 0, rst = 1;
  reg cyc = 0, we = 0;
  reg [29:0] adr = 0;
  reg [31:0] dat_w = 0;
  wire [31:0] dat_r;
  wire ack, err, irq;
  integer errors = 0, failed = 0, i;
  reg [31:0] value;

  soc soc (
    .clk(clk), .rst(rst), .irq(irq), .wb_cyc(cyc), .wb_stb(cyc), .wb_we(we), .wb_adr(adr),
    .wb_sel(4'hf), .wb_dat_w(dat_w), .wb_dat_r(dat_r), .wb_ack(ack), .wb_err(err), .wb_cti(3'd0),
    .wb_bte(2'd0));

  initial forever #5 clk = ~clk;

  task access(input w, input [31:0] address, input [31:0] data);
    begin
      cyc = 1;
      we = w;
      adr = address[31:2];
      dat_w = data;
      @(negedge clk);
      while (!ack && !err) @(negedge clk);
      value = dat_r;
      failed = err;
      @(negedge clk);
      cyc = 0;
      @(negedge clk);
    end
  endtask

  task expect_value(input [31:0] address, input [31:0] wanted);
    begin
      access(0, address, 0);
      if (failed || value !== wanted) begin
        errors = errors + 1;
        $display("%h: %h instead of %h", address, value, wanted);
      end
    end
  endtask

  initial begin
    repeat (4) @(negedge clk);
    rst = 0;
    @(negedge clk);
    for (i = 0; i < BYTES; i = i + 4) access(1, RAM + i, 32'h1000 + i);
    expect_value(REGISTERS, 32'h50414e53);
    access(1, REGISTERS + `IRQ_ENABLE, 1);
    access(1, REGISTERS + `CONTROL, `CONTROL_START);
    for (i = 0; i < BYTES; i = i + 4) access(1, RAM + i, 32'h2000 + i);
    for (i = 0; i < 5000 && !irq; i = i + 1) @(negedge clk);
    access(0, REGISTERS + `STATUS, 0);
    if (!irq || !(value & `STATUS_DONE)) errors = errors + 1;
    access(0, REGISTERS + `HELD, 0);
    $display("%0d writes held", value);
    for (i = 0; i < BYTES; i = i + 4) begin
      expect_value(RAM + BYTES + i, 32'h1000 + i);
      expect_value(RAM + i, 32'h2000 + i);
    end
    access(1, RAM + BYTES, 0);
    if (!failed) errors = errors + 1;     // the image is protected
    if (errors) $display("FAIL: %0d errors", errors);
    else $display("PASS");
    $finish;
  end

  initial begin
    #1000000 $display("FAIL: no end");
    $finish;
  end
endmodule
