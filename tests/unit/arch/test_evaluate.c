/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "arch/amd64/evaluate.h"

/* Accessors in the shapes that compilers gave them, as bytes. */
#define CODE_BASE UINT64_C(0xfffff80000001000)
enum { CODE_SIZE = 512 };

struct code {
	uint8_t bytes[CODE_SIZE];
	struct file file;
	struct virtmem *mem;
	struct space *space;
	struct disasm *disasm;
	struct evaluation out;
};

static void code_open(struct code *c, size_t len)
{
	struct error *err = disasm_create(&c->disasm);

	if (error_catch(&err, ERROR_UNSUPPORTED))
		cr_skip_test("built without capstone");
	cr_assert_null(err);
	c->file = (struct file){ .fd = -1, .bytes = c->bytes, .size = CODE_SIZE };
	cr_assert_null(virtmem_create(&c->mem));
	if (len)
		cr_assert_null(virtmem_add(c->mem, CODE_BASE, len, &c->file, 0));
	cr_assert_null(virtmem_seal(c->mem));
	cr_assert_null(space_create_virtual(c->mem, &c->space));
}

static void code_close(struct code *c)
{
	space_destroy(c->space);
	virtmem_destroy(c->mem);
	disasm_destroy(c->disasm);
}

/* Evaluates these bytes, int3 behind them. */
static void run(struct code *c, const uint8_t *bytes, size_t len)
{
	memset(c, 0, sizeof(*c));
	memset(c->bytes, 0xcc, sizeof(c->bytes));
	memcpy(c->bytes, bytes, len);
	code_open(c, CODE_SIZE);
	evaluate(c->disasm, c->space, CODE_BASE, &c->out);
	code_close(c);
}
#define RUN(c, ...)                                              \
	do {                                                     \
		static const uint8_t bytes_[] = { __VA_ARGS__ }; \
		run(c, bytes_, sizeof(bytes_));                  \
	} while (0)

static void expect_origin(const struct code *c, size_t result, enum value_base base,
			  uint64_t offset, unsigned depth, unsigned size)
{
	struct value_origin o;

	cr_assert_lt(result, c->out.num_results);
	cr_assert(evaluate_origin(&c->out, &c->out.results[result], &o));
	cr_assert_eq(o.base, base);
	cr_assert_eq(o.argument, 0);
	cr_assert_eq(o.offset, offset, "offset 0x%jx", (uintmax_t)o.offset);
	cr_assert_eq(o.depth, depth);
	cr_assert_eq(o.size, size);
}

Test(evaluate, one_load)
{
	struct code c;

	RUN(&c, 0x48, 0x8b, 0x81, 0x40, 0x04, 0, 0, /* mov rax, [rcx+440h] */
	    0xc3);				    /* ret */
	cr_assert_eq(c.out.end, EVALUATE_DONE);
	cr_assert_eq(c.out.num_results, 1);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x440, 1, 8);
}

Test(evaluate, an_address)
{
	struct code c;

	RUN(&c, 0x48, 0x8d, 0x81, 0xa8, 0x05, 0, 0, /* lea rax, [rcx+5a8h] */
	    0xc3);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x5a8, 0, 0);
	RUN(&c, 0x48, 0x8b, 0xc1,	  /* mov rax, rcx */
	    0x48, 0x05, 0x38, 0x03, 0, 0, /* add rax, 338h */
	    0xc3);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x338, 0, 0);
}

Test(evaluate, bytes_and_dwords)
{
	struct code c;

	RUN(&c, 0x8a, 0x81, 0x7a, 0x08, 0, 0, /* mov al, [rcx+87ah] */
	    0xc3);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x87a, 1, 1);
	RUN(&c, 0x0f, 0xb6, 0x81, 0x7a, 0x08, 0, 0, /* movzx eax, byte [rcx+87ah] */
	    0xc3);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x87a, 1, 1);
	RUN(&c, 0x8b, 0x81, 0xd4, 0x07, 0, 0, /* mov eax, [rcx+7d4h] */
	    0xc3);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x7d4, 1, 4);
}

Test(evaluate, pads_and_jumps)
{
	struct code c;

	RUN(&c, 0xf3, 0x0f, 0x1e, 0xfa,		/* endbr64 */
	    0x0f, 0x1f, 0x44, 0, 0,		/* nop dword [rax+rax] */
	    0x8b, 0xff,				/* mov edi, edi */
	    0xeb, 0x02, 0xcc, 0xcc,		/* jmp over two int3 */
	    0xe9, 0x01, 0, 0, 0, 0xcc,		/* jmp over one int3 */
	    0x48, 0x8b, 0x81, 0xd0, 0x01, 0, 0, /* mov rax, [rcx+1d0h] */
	    0xc3);
	cr_assert_eq(c.out.end, EVALUATE_DONE);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x1d0, 1, 8);
}

Test(evaluate, registers_between)
{
	struct code c;

	RUN(&c, 0x4c, 0x8b, 0xc9,	  /* mov r9, rcx */
	    0x4d, 0x8d, 0x91, 0, 1, 0, 0, /* lea r10, [r9+100h] */
	    0x49, 0x83, 0xea, 0x10,	  /* sub r10, 10h */
	    0x49, 0x8b, 0x42, 0x20,	  /* mov rax, [r10+20h] */
	    0xc3);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x110, 1, 8);
}

Test(evaluate, a_frame_and_a_saved_argument)
{
	struct code c;

	RUN(&c, 0x48, 0x89, 0x5c, 0x24, 0x08,	/* mov [rsp+8], rbx */
	    0x57,				/* push rdi */
	    0x48, 0x83, 0xec, 0x20,		/* sub rsp, 20h */
	    0x48, 0x89, 0x4c, 0x24, 0x10,	/* mov [rsp+10h], rcx */
	    0x33, 0xc9,				/* xor ecx, ecx */
	    0x48, 0x8b, 0x7c, 0x24, 0x10,	/* mov rdi, [rsp+10h] */
	    0x48, 0x8b, 0x87, 0x50, 0x05, 0, 0, /* mov rax, [rdi+550h] */
	    0x48, 0x8b, 0x5c, 0x24, 0x30,	/* mov rbx, [rsp+30h] */
	    0x48, 0x83, 0xc4, 0x20,		/* add rsp, 20h */
	    0x5f, 0xc3);			/* pop rdi; ret */
	cr_assert_eq(c.out.end, EVALUATE_DONE);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x550, 1, 8);
}

Test(evaluate, through_a_check)
{
	struct code c;

	RUN(&c, 0x48, 0x8b, 0x81, 0x80, 0x05, 0, 0, /* mov rax, [rcx+580h] */
	    0x48, 0x85, 0xc0,			    /* test rax, rax */
	    0x74, 0x03,				    /* je ret */
	    0x48, 0x8b, 0x00,			    /* mov rax, [rax] */
	    0xc3);
	cr_assert_eq(c.out.end, EVALUATE_DONE);
	cr_assert_eq(c.out.num_results, 2);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x580, 2, 8);
	expect_origin(&c, 1, VALUE_ARGUMENT, 0x580, 1, 8);
}

Test(evaluate, a_default_beside_the_value)
{
	struct code c;
	struct value_origin o;

	RUN(&c, 0x48, 0x8b, 0x81, 0x58, 0x05, 0, 0, /* mov rax, [rcx+558h] */
	    0x48, 0x85, 0xc0,			    /* test rax, rax */
	    0x75, 0x04,				    /* jne */
	    0x83, 0xc8, 0xff, 0xc3,		    /* or eax, -1; ret */
	    0x8b, 0x40, 0x08, 0xc3);		    /* mov eax, [rax+8]; ret */
	cr_assert_eq(c.out.num_results, 2);
	cr_assert_not(evaluate_origin(&c.out, &c.out.results[0], &o));
	cr_assert(evaluate_origin(&c.out, &c.out.results[1], &o));
	cr_assert_eq(o.offset, 0x558);
	cr_assert_eq(o.depth, 2);
	cr_assert_eq(c.out.loads[o.outer].address.offset, 8);
	cr_assert_eq(c.out.loads[o.outer].size, 4);
}

Test(evaluate, a_call_to_a_leaf)
{
	struct code c;

	RUN(&c, 0x48, 0x83, 0xec, 0x28,		       /* sub rsp, 28h */
	    0xe8, 0x05, 0, 0, 0,		       /* call leaf */
	    0x48, 0x83, 0xc4, 0x28, 0xc3,	       /* add rsp, 28h; ret */
	    0x48, 0x8b, 0x81, 0x40, 0x05, 0, 0, 0xc3); /* leaf: mov rax, [rcx+540h]; ret */
	cr_assert_eq(c.out.end, EVALUATE_DONE);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x540, 1, 8);
}

Test(evaluate, the_current_thread)
{
	struct code c;

	RUN(&c, 0x65, 0x48, 0x8b, 0x04, 0x25, 0x88, 0x01, 0, 0, /* mov rax, gs:[188h] */
	    0x48, 0x8b, 0x80, 0xb8, 0, 0, 0,			/* mov rax, [rax+b8h] */
	    0xc3);
	expect_origin(&c, 0, VALUE_GS, 0x188, 2, 8);
}

Test(evaluate, a_table_and_a_cookie)
{
	struct code c;

	RUN(&c, 0x48, 0x8d, 0x41, 0xd0,	     /* lea rax, [rcx-30h] */
	    0x0f, 0xb6, 0x49, 0xe8,	     /* movzx ecx, byte [rcx-18h] */
	    0x48, 0xc1, 0xe8, 0x08,	     /* shr rax, 8 */
	    0x0f, 0xb6, 0xc0,		     /* movzx eax, al */
	    0x48, 0x33, 0xc1,		     /* xor rax, rcx */
	    0x0f, 0xb6, 0x0d, 0x00, 1, 0, 0, /* movzx ecx, byte [rip+100h] */
	    0x48, 0x33, 0xc1,		     /* xor rax, rcx */
	    0x48, 0x8d, 0x0d, 0x00, 2, 0, 0, /* lea rcx, [rip+200h] */
	    0x48, 0x8b, 0x04, 0xc1, 0xc3);   /* mov rax, [rcx+rax*8]; ret */
	cr_assert_eq(c.out.num_loads, 3);
	cr_assert_eq(c.out.loads[0].address.base, VALUE_ARGUMENT);
	cr_assert_eq(c.out.loads[0].address.offset, -UINT64_C(0x18));
	cr_assert_eq(c.out.loads[1].address.base, VALUE_NUMBER);
	cr_assert_eq(c.out.loads[1].address.offset, CODE_BASE + 25 + 0x100);
	cr_assert_eq(c.out.loads[1].size, 1);
	cr_assert(c.out.loads[2].indexed);
	cr_assert_eq(c.out.loads[2].address.offset, CODE_BASE + 35 + 0x200);
}

Test(evaluate, numbers_in_code)
{
	struct code c;

	RUN(&c, 0x48, 0xba, 0, 0, 0, 0, 0x80, 0xdf, 0xff, 0xff, /* mov rdx, ffffdf8000000000h */
	    0xb8, 5, 0, 0, 0,					/* mov eax, 5 */
	    0xc3);
	cr_assert_eq(c.out.num_numbers, 1);
	cr_assert_eq(c.out.numbers[0], UINT64_C(0xffffdf8000000000));
	cr_assert_eq(c.out.results[0].base, VALUE_NUMBER);
	cr_assert_eq(c.out.results[0].offset, 5);
}

Test(evaluate, a_reference_count_taken_off)
{
	struct code c;

	RUN(&c, 0x48, 0x8b, 0x81, 0xb8, 0x04, 0, 0, /* mov rax, [rcx+4b8h] */
	    0x48, 0x83, 0xe0, 0xf0,		    /* and rax, -16 */
	    0xc3);
	expect_origin(&c, 0, VALUE_ARGUMENT, 0x4b8, 1, 8);
	RUN(&c, 0x48, 0x8b, 0x81, 0xb8, 0x04, 0, 0, /* mov rax, [rcx+4b8h] */
	    0x48, 0x83, 0xe0, 0x0f,		    /* and rax, 15 */
	    0xc3);
	cr_assert_eq(c.out.results[0].base, VALUE_UNKNOWN);
}

Test(evaluate, what_is_no_accessor)
{
	struct code c;

	RUN(&c, 0, 0, 0, 0); /* add [rax], al: zeroed memory */
	cr_assert_eq(c.out.end, EVALUATE_BROKEN);
	RUN(&c, 0xeb, 0xfe); /* jmp to itself */
	cr_assert_eq(c.out.end, EVALUATE_LIMIT);
	RUN(&c, 0x74, 0xfe, 0xc3); /* je to itself */
	cr_assert_eq(c.out.end, EVALUATE_LIMIT);
	RUN(&c, 0xe8, 0xfb, 0xff, 0xff, 0xff); /* call itself: entered twice, then passed over */
	cr_assert_eq(c.out.end, EVALUATE_BROKEN);
	RUN(&c, 0xff, 0xe0); /* jmp rax */
	cr_assert_eq(c.out.end, EVALUATE_INDIRECT);
	RUN(&c, 0xff, 0xd0, 0xc3); /* call rax; ret */
	cr_assert_eq(c.out.end, EVALUATE_DONE);
	cr_assert_eq(c.out.results[0].base, VALUE_UNKNOWN);
	RUN(&c, 0x5c, 0xc3); /* pop rsp; ret */
	cr_assert_eq(c.out.num_results, 1);
}

/* A register that changed in part, or by an instruction that is not followed, is not known. */
Test(evaluate, half_known_values)
{
	struct code c;

	RUN(&c, 0x48, 0x8b, 0xc1, /* mov rax, rcx */
	    0x8b, 0xc0, 0xc3);	  /* mov eax, eax; ret */
	cr_assert_eq(c.out.results[0].base, VALUE_UNKNOWN);
	RUN(&c, 0x48, 0x8b, 0xc1, /* mov rax, rcx */
	    0xb4, 1, 0xc3);	  /* mov ah, 1; ret */
	cr_assert_eq(c.out.results[0].base, VALUE_UNKNOWN);
	RUN(&c, 0x48, 0x8b, 0xc1,    /* mov rax, rcx */
	    0x48, 0xff, 0xc0, 0xc3); /* inc rax; ret */
	cr_assert_eq(c.out.results[0].base, VALUE_UNKNOWN);
	RUN(&c, 0x48, 0x8b, 0xc1, /* mov rax, rcx */
	    0x0f, 0xa2, 0xc3);	  /* cpuid; ret */
	cr_assert_eq(c.out.results[0].base, VALUE_UNKNOWN);
}

Test(evaluate, cut_at_every_length)
{
	static const uint8_t bytes[] = { 0x48, 0x8b, 0x81, 0x80, 0x05, 0,    0, /* as above */
					 0x48, 0x85, 0xc0, 0x74, 0x03, 0x48, 0x8b, 0x00, 0xc3 };
	for (size_t len = 0; len < sizeof(bytes); len++) {
		struct code c = { .bytes = { 0 } };

		/* the last page of the image, its end absent */
		memcpy(c.bytes, bytes, sizeof(bytes));
		code_open(&c, len);
		evaluate(c.disasm, c.space, CODE_BASE, &c.out);
		cr_assert_eq(c.out.end, EVALUATE_ABSENT, "at %zu", len);
		cr_assert_eq(c.out.fault.va, CODE_BASE + len);
		code_close(&c);
	}
}
