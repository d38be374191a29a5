// Lets the CPU of litex_cpu.py run until it has a verdict.
module litex_cpu_bench;
  reg clk = 0, rst = 1;
  wire done;
  wire [31:0] word;
  integer clocks = 0;

  soc soc (.clk(clk), .rst(rst), .verdict_done(done), .verdict_word(word));

  initial forever #5 clk = ~clk;

  always @(posedge clk) begin
    rst <= clocks < 4;
    clocks <= clocks + 1;
    if (done & !rst | clocks == 200000) begin
      if (done) $display("verdict after %0d clocks: %h", clocks, word);
      else $display("no verdict");
      $finish;
    end
  end
endmodule
