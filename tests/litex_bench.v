// Takes a snapshot in the SoC of litex_soc.py while all of the memory is written over, and checks it.
module litex_bench;
  localparam RAM = 32'h40000000, REGISTERS = 32'hf0000000, BYTES = 32'h400;

  reg clk = 0, rst = 1;
  wire irq;
  integer errors = 0, failed = 0, i, beat;
  reg [31:0] value;

  initial forever #5 clk = ~clk;

`ifdef AXI4
  reg awvalid = 0, wvalid = 0, wlast = 0, arvalid = 0;
  reg [31:0] addr = 0, wdata = 0;
  reg [7:0] len = 0;
  wire awready, wready, bvalid, arready, rvalid;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata;

  soc soc (
    .clk(clk), .rst(rst), .irq(irq),
    .bus_awvalid(awvalid), .bus_awready(awready), .bus_awaddr(addr), .bus_awlen(len), .bus_awsize(3'd2),
    .bus_awburst(2'd1), .bus_awlock(1'd0), .bus_awcache(4'd0), .bus_awprot(3'd0), .bus_awqos(4'd0),
    .bus_awregion(4'd0), .bus_awid(1'd1), .bus_awuser(1'd0),
    .bus_wvalid(wvalid), .bus_wready(wready), .bus_wdata(wdata), .bus_wstrb(4'hf), .bus_wlast(wlast),
    .bus_wuser(1'd0),
    .bus_bvalid(bvalid), .bus_bready(1'b1), .bus_bresp(bresp),
    .bus_arvalid(arvalid), .bus_arready(arready), .bus_araddr(addr), .bus_arlen(len), .bus_arsize(3'd2),
    .bus_arburst(2'd1), .bus_arlock(1'd0), .bus_arcache(4'd0), .bus_arprot(3'd0), .bus_arqos(4'd0),
    .bus_arregion(4'd0), .bus_arid(1'd1), .bus_aruser(1'd0),
    .bus_rvalid(rvalid), .bus_rready(1'b1), .bus_rdata(rdata), .bus_rresp(rresp));

  // A burst of words data, data + 4, and so on
  task write(input [31:0] address, input [31:0] data, input integer beats);
    begin
      addr = address;
      len = beats - 1;
      fork
        begin
          awvalid = 1;
          @(posedge clk);
          while (!awready) @(posedge clk);
          @(negedge clk) awvalid = 0;
        end
        for (beat = 0; beat < beats; beat = beat + 1) begin
          wvalid = 1;
          wdata = data + 4 * beat;
          wlast = beat == beats - 1;
          @(posedge clk);
          while (!wready) @(posedge clk);
          @(negedge clk) wvalid = 0;
        end
        begin
          @(posedge clk);
          while (!bvalid) @(posedge clk);
          failed = bresp[1];
        end
      join
      @(negedge clk);
    end
  endtask

  task read(input [31:0] address);
    begin
      addr = address;
      len = 0;
      fork
        begin
          arvalid = 1;
          @(posedge clk);
          while (!arready) @(posedge clk);
          @(negedge clk) arvalid = 0;
        end
        begin
          @(posedge clk);
          while (!rvalid) @(posedge clk);
          value = rdata;
          failed = rresp[1];
        end
      join
      @(negedge clk);
    end
  endtask
`else
  reg cyc = 0, we = 0;
  reg [29:0] adr = 0;
  reg [31:0] dat_w = 0;
  wire [31:0] dat_r;
  wire ack, err;

  soc soc (
    .clk(clk), .rst(rst), .irq(irq), .bus_cyc(cyc), .bus_stb(cyc), .bus_we(we), .bus_adr(adr),
    .bus_sel(4'hf), .bus_dat_w(dat_w), .bus_dat_r(dat_r), .bus_ack(ack), .bus_err(err), .bus_cti(3'd0),
    .bus_bte(2'd0));

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

  // Words data, data + 4, and so on
  task write(input [31:0] address, input [31:0] data, input integer beats);
    for (beat = 0; beat < beats; beat = beat + 1) access(1, address + 4 * beat, data + 4 * beat);
  endtask

  task read(input [31:0] address);
    access(0, address, 0);
  endtask
`endif

  task expect_value(input [31:0] address, input [31:0] wanted);
    begin
      read(address);
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
    for (i = 0; i < BYTES; i = i + 64) write(RAM + i, 32'h1000 + i, 16);
    expect_value(REGISTERS, 32'h50414e53);
    write(REGISTERS + `IRQ_ENABLE, 1, 1);
    write(REGISTERS + `CONTROL, `CONTROL_START, 1);
    for (i = 0; i < BYTES; i = i + 64) write(RAM + i, 32'h2000 + i, 16);
    for (i = 0; i < 5000 && !irq; i = i + 1) @(negedge clk);
    read(REGISTERS + `STATUS);
    if (!irq || !(value & `STATUS_DONE)) errors = errors + 1;
    read(REGISTERS + `HELD);
    $display("%0d writes held", value);
    for (i = 0; i < BYTES; i = i + 4) begin
      expect_value(RAM + BYTES + i, 32'h1000 + i);
      expect_value(RAM + i, 32'h2000 + i);
    end
    write(RAM + BYTES, 0, 1);
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
