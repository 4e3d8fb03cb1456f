/* SPDX-License-Identifier: MIT */

/*
 * What a compiler of C does not write: saves by MOV, chained parts, machine frames, every form of
 * epilogue. `hlt` ends a run where there is no way back that unwind data could tell.
 */
	.text

	.macro function name
	.globl	\name
	.def	\name; .scl 2; .type 32; .endef
	.p2align 4
	.seh_proc \name
\name:
	.endm

	/* saves relative to RSP, in the caller's homes and in the frame */
	function saves_by_mov
	subq	$0x58, %rsp
	.seh_stackalloc 0x58
	movq	%rbx, 0x40(%rsp)
	.seh_savereg %rbx, 0x40
	movq	%r14, 0x68(%rsp)
	.seh_savereg %r14, 0x68
	movaps	%xmm7, 0x20(%rsp)
	.seh_savexmm %xmm7, 0x20
	.seh_endprologue
	movq	%rcx, %rbx
	xorl	%r14d, %r14d
	xorps	%xmm7, %xmm7
	call	leaf
	addq	%rbx, %rax
	movaps	0x20(%rsp), %xmm7
	movq	0x68(%rsp), %r14
	movq	0x40(%rsp), %rbx
	addq	$0x58, %rsp
	ret
	.seh_endproc

	/* operands of 32 bits */
	function saves_far
	subq	$0x100008, %rsp
	.seh_stackalloc 0x100008
	movq	%rsi, 0xfff00(%rsp)
	.seh_savereg %rsi, 0xfff00
	movaps	%xmm9, 0xffff0(%rsp)
	.seh_savexmm %xmm9, 0xffff0
	.seh_endprologue
	xorl	%esi, %esi
	xorps	%xmm9, %xmm9
	call	leaf
	movaps	0xffff0(%rsp), %xmm9
	movq	0xfff00(%rsp), %rsi
	addq	$0x100008, %rsp
	ret
	.seh_endproc

	/* a frame register with an offset; the epilogue goes by it */
	function frame_register
	pushq	%rbp
	.seh_pushreg %rbp
	pushq	%r12
	.seh_pushreg %r12
	subq	$0x48, %rsp
	.seh_stackalloc 0x48
	leaq	0x20(%rsp), %rbp
	.seh_setframe %rbp, 0x20
	.seh_endprologue
	subq	$0x80, %rsp
	movq	%rcx, %r12
	call	leaf
	leaq	0x28(%rbp), %rsp
	popq	%r12
	popq	%rbp
	ret
	.seh_endproc

	/* the registers that need a REX prefix, an epilogue of 32-bit operands */
	function frame_register_high
	pushq	%r13
	.seh_pushreg %r13
	subq	$0x208, %rsp
	.seh_stackalloc 0x208
	leaq	0xf0(%rsp), %r13
	.seh_setframe %r13, 0xf0
	.seh_endprologue
	call	leaf
	leaq	0x118(%r13), %rsp
	popq	%r13
	rep
	ret
	.seh_endproc

	/* Entries written by hand: a part that saves more, and a rest, chained to the first part.
	 * Assemblers let the whole overlap its parts; Microsoft's compiler does not. */
	.globl	chained
	.def	chained; .scl 2; .type 32; .endef
	.p2align 4
chained:
	pushq	%rdi
1:	subq	$0x40, %rsp
2:	movq	%rcx, %rdi
	testq	%rcx, %rcx
	jz	chained_rest
chained_part:
	movq	%rbx, 0x30(%rsp)
3:	movq	%r15, 0x38(%rsp)
4:	xorl	%ebx, %ebx
	xorl	%r15d, %r15d
	call	leaf
	movq	0x38(%rsp), %r15
	movq	0x30(%rsp), %rbx
	jmp	chained_rest
	.p2align 4
chained_rest:
	call	leaf
	addq	$0x40, %rsp
	popq	%rdi
	ret
chained_end:

	.section .xdata, "dr"
	.p2align 2
chained_info:
	.byte	1, 2b - chained, 2, 0
	.byte	2b - chained, 0x72, 1b - chained, 0x70
chained_part_info:
	.byte	0x21, 4b - chained_part, 4, 0
	.byte	4b - chained_part, 0xf4
	.short	7
	.byte	3b - chained_part, 0x34
	.short	6
	.long	chained@IMGREL, chained_part@IMGREL, chained_info@IMGREL
chained_rest_info:
	.byte	0x21, 0, 0, 0
	.long	chained@IMGREL, chained_part@IMGREL, chained_info@IMGREL

	.section .pdata, "dr"
	.p2align 2
	.long	chained@IMGREL, chained_part@IMGREL, chained_info@IMGREL
	.long	chained_part@IMGREL, chained_rest@IMGREL, chained_part_info@IMGREL
	.long	chained_rest@IMGREL, chained_end@IMGREL, chained_rest_info@IMGREL
	.text

#ifndef VERSION_1_ONLY /* llvm-readobj 14 aborts on the codes of version 2 */
	/* Version 2: two epilogues, named by codes: the last at the end, the first by its
	 * distance from it. */
	.globl	listed_epilogues
	.def	listed_epilogues; .scl 2; .type 32; .endef
	.p2align 4
listed_epilogues:
	pushq	%rbx
1:	pushq	%r12
2:	subq	$0x28, %rsp
3:	movq	%rcx, %rbx
	xorl	%r12d, %r12d
	testq	%rcx, %rcx
	jz	5f
	call	leaf
	addq	$0x28, %rsp
4:	popq	%r12
	popq	%rbx
	ret
5:	call	leaf
	addq	$0x28, %rsp
6:	popq	%r12
	popq	%rbx
	ret
listed_end:

	.section .xdata, "dr"
	.p2align 2
listed_info:
	.byte	2, 3b - listed_epilogues, 5, 0
	.byte	listed_end - 6b, 0x16 /* size; the last is at the end */
	.byte	listed_end - 4b, 0x06
	.byte	3b - listed_epilogues, 0x42, 2b - listed_epilogues, 0xc0
	.byte	1b - listed_epilogues, 0x30
	.byte	0, 0

	.section .pdata, "dr"
	.long	listed_epilogues@IMGREL, listed_end@IMGREL, listed_info@IMGREL
	.text
#endif

	/* {RIP, CS, RFLAGS, RSP, SS}, as the processor pushes them, then the handler */
	.macro interrupted_by handler, code
	pushq	%rbp
	.seh_pushreg %rbp
	subq	$0x20, %rsp
	.seh_stackalloc 0x20
	movq	%rsp, %rbp
	.seh_setframe %rbp, 0
	.seh_endprologue
	movq	%rsp, %rax
	pushq	$0x18
	pushq	%rax
	pushfq
	pushq	$0x10
	leaq	9f(%rip), %r10
	pushq	%r10
	.ifnb	\code
	pushq	\code
	.endif
	jmp	\handler
9:
	nop
	leaq	0x20(%rbp), %rsp
	popq	%rbp
	ret
	.endm

	function interrupted
	interrupted_by handler
	.seh_endproc

	function handler
	.seh_pushframe
	pushq	%rbx
	.seh_pushreg %rbx
	subq	$0x20, %rsp
	.seh_stackalloc 0x20
	.seh_endprologue
	xorl	%ebx, %ebx
	call	leaf
	hlt
	.seh_endproc

	/* the same with an error code */
	function interrupted_code
	interrupted_by handler_code, $4
	.seh_endproc

	function handler_code
	.seh_pushframe @code
	subq	$0x28, %rsp
	.seh_stackalloc 0x28
	.seh_endprologue
	call	leaf
	hlt
	.seh_endproc

	/* ret with an operand, a jump through memory, one through a register */
	function tail_memory
	subq	$0x28, %rsp
	.seh_stackalloc 0x28
	.seh_endprologue
	call	leaf
	movq	%rax, %rcx
	addq	$0x28, %rsp
	jmp	*leaf_pointer(%rip)
	.seh_endproc

	function tail_register
	pushq	%rbx
	.seh_pushreg %rbx
	subq	$0x20, %rsp
	.seh_stackalloc 0x20
	.seh_endprologue
	movq	%rcx, %rbx
	call	leaf
	leaq	leaf(%rip), %rax
	addq	$0x20, %rsp
	popq	%rbx
	rex64 jmp	*%rax
	.seh_endproc

	.data
	.p2align 3
leaf_pointer:
	.quad	leaf

	.section .drectve, "yn"
	.ascii	" -export:saves_by_mov -export:saves_far -export:frame_register"
	.ascii	" -export:frame_register_high -export:chained -export:interrupted"
#ifndef VERSION_1_ONLY
	.ascii	" -export:listed_epilogues"
#endif
	.ascii	" -export:interrupted_code -export:tail_memory -export:tail_register"
