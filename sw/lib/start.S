# What runs before main and after it: a stack, cleared variables, the exit code.

    .section .text.start, "ax", @progbits
    .globl _start
    .type _start, @function
_start:
    .cfi_startproc
    .cfi_undefined ra
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    la sp, __stack_top
    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 1b
2:  call main
#ifdef MAIN_RETURNS_NOTHING
    li a0, 0
#endif
    call soc_exit
    .cfi_endproc
    .size _start, . - _start

    .globl soc_exit
    .type soc_exit, @function
soc_exit:
    .cfi_startproc
    li t0, 0x10000004
    sw a0, 0(t0)
3:  j 3b
    .cfi_endproc
    .size soc_exit, . - soc_exit
