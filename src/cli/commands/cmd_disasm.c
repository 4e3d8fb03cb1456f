/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "arch/amd64/disasm.h"
#include "cli/addresses.h"
#include "cli/commands.h"
#include "cli/spaces.h"

enum {
	DISASM_ADDRESS,
	DISASM_PLACE,
	DISASM_BYTES,
	DISASM_TEXT,
	DISASM_TARGET,
	DISASM_TARGET_PLACE,
	DISASM_STATE,
	DISASM_NUM_COLUMNS
};

enum { DEFAULT_COUNT = 16 };

static const struct column disasm_columns[DISASM_NUM_COLUMNS] = {
	[DISASM_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, 0, "of the instruction" },
	[DISASM_PLACE] = { "place", "PLACE", CELL_STR, 24, COL_HIDDEN,
			   "the module it is in, and how far" },
	[DISASM_BYTES] = { "bytes", "BYTES", CELL_BYTES, 29, 0, "its bytes" },
	[DISASM_TEXT] = { "text", "INSTRUCTION", CELL_STR, 40, 0,
			  "in Intel's syntax; absent where the bytes are no instruction" },
	[DISASM_TARGET] = { "target", "TARGET", CELL_ADDR, 18, 0,
			    "where it jumps, calls or points to, as far as it says so itself" },
	[DISASM_TARGET_PLACE] = { "target_place", "TARGET PLACE", CELL_STR, 24, 0,
				  "the module that is in, and how far" },
	[DISASM_STATE] = { "state", "STATE", CELL_STR, 0, COL_HIDDEN,
			   "mapped, or why the bytes are absent: see vtop" },
};

static const struct option_row disasm_options[] = {
	{ "count", 0, OPTION_U64, "N", "how many instructions (default 16)" },
	{ "physical", 0, OPTION_FLAG, NULL, "ADDRESS is a physical address" },
	SPACE_OPTION_ROWS,
};

struct listing {
	struct command_run *run;
	struct space *space;
	struct disasm *decoder;
	const struct place_book *book; /* NULL: no kernel */
};

static void decoder_cleanup(struct disasm **d)
{
	disasm_destroy(*d);
}

/* What is there of an instruction at va: how many of its possible bytes, and what ends them. */
static size_t read_bytes(struct space *s, uint64_t va, uint8_t bytes[INSTRUCTION_MAX_LENGTH],
			 struct fault *fault)
{
	size_t len = INSTRUCTION_MAX_LENGTH;

	*fault = (struct fault){ .state = VA_MAPPED };
	while (len && (len - 1 > UINT64_MAX - va || !space_try_read(s, va, bytes, len, fault)))
		len--;
	return len;
}

/* The one address that an instruction names: an operand of a jump or call, or RIP-relative. */
static bool find_target(const struct instruction *i, uint64_t *ret)
{
	bool jumps = i->kind == INSTRUCTION_JUMP || i->kind == INSTRUCTION_BRANCH ||
		     i->kind == INSTRUCTION_CALL;

	for (unsigned n = 0; n < i->num_operands; n++) {
		const struct operand *o = &i->operands[n];

		if (jumps && o->kind == OPERAND_NUMBER) {
			*ret = o->number;
			return true;
		}
		if (o->kind == OPERAND_MEMORY && o->base == REGISTER_NONE &&
		    o->index == REGISTER_NONE && !o->gs && !o->fs) {
			*ret = o->displacement;
			return true;
		}
	}
	return false;
}

static struct error *set_place(const struct listing *l, uint64_t va, struct cell *cell)
{
	struct place place;
	char *text;

	if (!l->book || !place_find(l->book, va, &place))
		return NULL;
	text = place_text(l->run->arena, &place);
	*cell = cell_str(text);
	return text ? NULL : &error_no_memory;
}

static struct error *put(const struct listing *l, const struct instruction *i, const uint8_t *bytes,
			 bool decoded, enum va_state state)
{
	struct cell cells[DISASM_NUM_COLUMNS] = {
		[DISASM_ADDRESS] = cell_addr(i->va),
		[DISASM_STATE] = cell_str(va_state_name(state)),
	};
	struct error *err;
	uint64_t target;

	if (i->length)
		cells[DISASM_BYTES] = cell_bytes(bytes, i->length);
	if ((err = set_place(l, i->va, &cells[DISASM_PLACE])))
		return err;
	if (decoded) {
		cells[DISASM_TEXT] = cell_str(i->text);
		if (find_target(i, &target)) {
			cells[DISASM_TARGET] = cell_addr(target);
			if ((err = set_place(l, target, &cells[DISASM_TARGET_PLACE])))
				return err;
		}
	}
	return sink_row(l->run->sink, cells, 0);
}

/* One instruction, or one byte that begins none. *length is 0 where no byte is there. */
static struct error *list_one(const struct listing *l, uint64_t va, unsigned *length)
{
	uint8_t bytes[INSTRUCTION_MAX_LENGTH];
	struct instruction i = { .va = va };
	struct fault fault;
	size_t len = read_bytes(l->space, va, bytes, &fault);
	bool decoded = len && disasm_decode(l->decoder, bytes, len, va, &i);

	if (!decoded) {
		/* cut by what is absent, or no instruction at all */
		bool cut = len < INSTRUCTION_MAX_LENGTH && fault.state != VA_MAPPED;

		i.length = cut ? (unsigned)len : 1;
		*length = cut ? 0 : 1;
		if (cut)
			diag_partial(l->run->diag, "0x%" PRIx64 ": %s", fault.va,
				     va_state_text(fault.state));
		return put(l, &i, bytes, false, cut && !len ? fault.state : VA_MAPPED);
	}
	*length = i.length;
	return put(l, &i, bytes, true, VA_MAPPED);
}

static struct error *list_instructions(const struct listing *l, uint64_t va, uint64_t count)
{
	struct error *err = NULL;
	unsigned length = 1;

	while (count-- && length && !err && !sink_full(l->run->sink)) {
		err = list_one(l, va, &length);
		if (va + length < va)
			break; /* the end of the space */
		va += length;
	}
	return err;
}

static struct error *disasm_run(struct command_run *run)
{
	struct chosen_space chosen CLEANUP(chosen_space_deinit) = { 0 };
	struct disasm *decoder CLEANUP(decoder_cleanup) = NULL;
	struct place_book book CLEANUP(place_book_deinit) = { 0 };
	bool has_book = run->kernel && !option_flag(run->options, "physical");
	uint64_t va, count = DEFAULT_COUNT;
	struct error *err;

	if (has_book && (err = place_book_read(run->kernel, &book)))
		return err;
	if ((err = address_find(run, has_book ? &book : NULL, run->args[0], &va)) ||
	    (err = chosen_space_init(run, &chosen)) || (err = disasm_create(&decoder)))
		return err;
	option_u64(run->options, "count", &count);
	struct listing l = { run, chosen.space, decoder, has_book ? &book : NULL };
	return list_instructions(&l, va, count);
}

const struct command cmd_disasm = {
	.name = "disasm",
	.summary = "show instructions",
	.arguments = "ADDRESS|SYMBOL|MODULE+OFFSET|rip",
	.min_args = 1,
	.max_args = 1,
	.description =
		"Prints instructions of 64-bit code from an address on; addresses that they name "
		"are "
		"shown with the module they lie in. The address is hexadecimal, or a symbol or "
		"export of the kernel (nt!KeBugCheckEx), a module (srv2.sys+0x1000), or rip: where "
		"the processor was that crashed, or the one that --cpu names. A byte that begins "
		"no "
		"instruction is a row of its own. Where bytes are absent the listing ends, and the "
		"exit status is 3.",
	.example = "ntscope disasm memory.dmp nt!KeBugCheckEx --count 8",
	.options = disasm_options,
	.num_options = ARRAY_SIZE(disasm_options),
	.columns = disasm_columns,
	.num_columns = DISASM_NUM_COLUMNS,
	.key_columns = "address",
	.flags = COMMAND_TRIES_KERNEL,
	.without_kernel = space_without_kernel,
	.run = disasm_run,
};
