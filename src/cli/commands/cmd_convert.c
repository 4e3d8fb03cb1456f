/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/commands/convert.h"
#include "cli/commands/input_hash.h"
#include "cli/evidence.h"

static const char lz4_suffix[] = ".lz4";

enum {
	CONVERT_INPUT,
	CONVERT_INPUT_FORMAT,
	CONVERT_INPUT_SHA256,
	CONVERT_MEMORY_SHA256,
	CONVERT_OUTPUT,
	CONVERT_FORMAT,
	CONVERT_OUTPUT_SIZE,
	CONVERT_OUTPUT_SHA256,
	CONVERT_PAGES,
	CONVERT_BYTES,
	CONVERT_RUNS,
	CONVERT_LOST_PAGES,
	CONVERT_PATCHES,
	CONVERT_NUM_COLUMNS
};

static const struct column convert_columns[CONVERT_NUM_COLUMNS] = {
	[CONVERT_INPUT] = { "input", "INPUT", CELL_STR, 0, 0, "the snapshot" },
	[CONVERT_INPUT_FORMAT] = { "input_format", "INPUT FORMAT", CELL_STR, 0, 0,
				   "how it is laid out" },
	[CONVERT_INPUT_SHA256] = { "input_sha256", "INPUT SHA-256", CELL_STR, 0, 0,
				   "of the file as it is on disk" },
	[CONVERT_MEMORY_SHA256] = { "memory_sha256", "MEMORY SHA-256", CELL_STR, 0, 0,
				    "of the memory that was written, without patches; the same for "
				    "the same memory in any format" },
	[CONVERT_OUTPUT] = { "output", "OUTPUT", CELL_STR, 0, 0, "the file that was written" },
	[CONVERT_FORMAT] = { "format", "FORMAT", CELL_STR, 0, 0, "how that is laid out" },
	[CONVERT_OUTPUT_SIZE] = { "output_size", "SIZE", CELL_U64, 0, 0, "its bytes" },
	[CONVERT_OUTPUT_SHA256] = { "output_sha256", "OUTPUT SHA-256", CELL_STR, 0, 0,
				    "of the file that was written" },
	[CONVERT_PAGES] = { "pages", "PAGES", CELL_U64, 0, 0,
			    "pages of 4 KiB of which something was written" },
	[CONVERT_BYTES] = { "bytes", "BYTES", CELL_U64, 0, 0, "bytes of memory that were written" },
	[CONVERT_RUNS] = { "runs", "RUNS", CELL_U64, 0, 0,
			   "stretches of memory, between what is absent" },
	[CONVERT_LOST_PAGES] = { "lost_pages", "LOST", CELL_U64, 0, COL_HIDDEN,
				 "pages that could not be decoded and are absent now" },
	[CONVERT_PATCHES] = { "patches", "PATCHES", CELL_U64, 0, COL_HIDDEN,
			      "places that were written otherwise than the snapshot has them" },
};

static const struct option_row convert_options[] = {
	{ "to", 't', OPTION_STRING, "FORMAT", "what to write; 'formats' lists all" },
	{ "output", 'o', OPTION_STRING, "FILE", "the file to write" },
	{ "force", 0, OPTION_FLAG, NULL, "replace a file that exists" },
	{ "only-mapped", 0, OPTION_FLAG, NULL,
	  "only pages that page tables lead to, the page tables, and the first MiB" },
	{ "no-hash", 0, OPTION_FLAG, NULL, "do not take the hashes" },
};

static struct error *unknown_format(const char *name)
{
	char names[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < num_writers && used < sizeof(names); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 writer_registry[i]->name);
	if (!name)
		return error_new(ERROR_USAGE, "convert: to which format? (--to %s)", names);
	return error_new(ERROR_USAGE, "option '--to': '%s' is none of %s, nor one with %s behind",
			 name, names, lz4_suffix);
}

/* "elf", "elf.lz4". */
static struct error *parse_format(const struct option_values *options,
				  const struct format_writer **ret, bool *lz4_ret)
{
	const char *name = option_string(options, "to");
	size_t len = name ? strlen(name) : 0, suffix = strlen(lz4_suffix);
	char plain[64];

	*ret = NULL;
	*lz4_ret = len > suffix && strcmp(name + len - suffix, lz4_suffix) == 0;
	if (*lz4_ret)
		len -= suffix;
	if (name && len < sizeof(plain)) {
		memcpy(plain, name, len);
		plain[len] = '\0';
		*ret = writer_find(plain);
	}
	if (!*ret)
		return unknown_format(name);
	if (*lz4_ret && ((*ret)->flags & WRITER_COMPRESSES))
		return error_new(ERROR_USAGE, "option '--to': %s is compressed already", plain);
	return NULL;
}

static struct error *check_options(const struct command_run *run, struct conversion *c)
{
	struct error *err = parse_format(run->options, &c->writer, &c->lz4);
	uint64_t pid;

	if (err)
		return err;
	c->path = option_string(run->options, "output");
	c->force = option_flag(run->options, "force");
	c->hash = !option_flag(run->options, "no-hash");
	c->has_pid = option_u64(run->options, "pid", &pid);
	if (!c->path || !*c->path)
		return error_new(ERROR_USAGE, "convert: into which file? (--output)");
	if (strcmp(c->path, "-") == 0)
		return error_new(ERROR_USAGE, "option '--output': standard output cannot be "
					      "written to ('./-' is a file of that name)");
	if (c->has_pid && c->writer != &elf_writer)
		return error_new(ERROR_USAGE, "convert: one process (--pid) is written as elf");
	if (c->has_pid && option_flag(run->options, "only-mapped"))
		return error_new(ERROR_USAGE, "convert: --pid or --only-mapped?");
	if (!run->snapshot->mem)
		return error_new(ERROR_UNSUPPORTED, "%s: a triage dump holds no physical pages",
				 run->options->args[0]);
	return check_no_evidence(run, c->path);
}

static struct cell sum_cell(const struct conversion *c, bool present, const uint8_t *sum,
			    char text[SHA256_TEXT_SIZE])
{
	if (!c->hash || !present)
		return CELL_ABSENT;
	sha256_format(sum, text);
	return cell_str(text);
}

static struct error *put_row(struct command_run *run, const struct conversion *c)
{
	const struct conversion_result *r = &c->result;
	char input[SHA256_TEXT_SIZE], memory[SHA256_TEXT_SIZE], output[SHA256_TEXT_SIZE];
	char format[64];
	struct cell cells[CONVERT_NUM_COLUMNS] = {
		[CONVERT_INPUT] = cell_str(run->options->args[0]),
		[CONVERT_INPUT_FORMAT] = cell_str(run->snapshot->info.format),
		[CONVERT_INPUT_SHA256] = sum_cell(c, true, r->input_sha256, input),
		[CONVERT_MEMORY_SHA256] = sum_cell(c, !c->has_pid, r->memory_sha256, memory),
		[CONVERT_OUTPUT] = cell_str(c->path),
		[CONVERT_FORMAT] = cell_str(format),
		[CONVERT_OUTPUT_SIZE] = cell_u64(r->output.size),
		[CONVERT_OUTPUT_SHA256] = sum_cell(c, true, r->output.sha256, output),
		[CONVERT_PAGES] = cell_u64(r->pages),
		[CONVERT_BYTES] = cell_u64(r->bytes),
		[CONVERT_RUNS] = cell_u64(r->runs),
		[CONVERT_LOST_PAGES] = cell_u64(r->lost_pages),
		[CONVERT_PATCHES] = cell_u64(r->patches),
	};

	snprintf(format, sizeof(format), "%s%s", c->writer->name, c->lz4 ? lz4_suffix : "");
	return sink_row(run->sink, cells, 0);
}

static struct error *convert_run(struct command_run *run)
{
	struct conversion c = { 0 };
	struct input_hash input = { 0 };
	struct error *err;

	if ((err = check_options(run, &c)))
		return err;
	if (c.hash && (err = input_hash_start(&input, run->options->args[0])))
		return err;
	err = c.has_pid ? convert_process(run, &c) : convert_memory(run, &c);
	if (c.hash)
		input_hash_end(&input, err != NULL, c.result.input_sha256);
	return err ? err : put_row(run, &c);
}

/* Only what looks into the kernel needs it to be found. */
static bool convert_without_kernel(const struct option_values *options)
{
	const struct format_writer *writer;
	struct error *err;
	bool lz4;

	if (option_flag(options, "pid") || option_flag(options, "only-mapped"))
		return false;
	if ((err = parse_format(options, &writer, &lz4))) {
		error_destroy(err);
		return true;
	}
	return !(writer->flags & WRITER_WANTS_KERNEL);
}

const struct command cmd_convert = {
	.name = "convert",
	.summary = "write the memory in another format",
	.description =
		"Writes the physical memory and, where the format has room for them, the registers "
		"of the snapshot into another file, and prints one object with the hashes of what "
		"was read and written. '.lz4' behind a format (--to raw.lz4) puts it into an LZ4 "
		"frame. What the snapshot has and the format cannot hold is said on standard "
		"error. Pages that cannot be decoded are absent in the output, and the exit status "
		"is 3.\n\n"
		"Evidence is copied bit for bit: nothing is left out, blanked or mended, but for "
		"the patches that crash dumps need for debuggers (the decoded KDBG), which are "
		"counted and told. The file gets its name when it is complete; one that exists is "
		"kept unless --force is given; the snapshot, its page files and symbolic links are "
		"never replaced.\n\n"
		"memory_sha256 is the SHA-256 of, for each stretch of memory between absent bytes, "
		"in the order of addresses: the physical address of its first byte and that after "
		"its last, as 64-bit little-endian numbers, then its bytes. It is the same for the "
		"same memory in every format; raw and what holds only whole pages may hold more or "
		"less than the snapshot did.\n\n"
		"--only-mapped writes pages that the page tables of the kernel or of any process "
		"lead to, listed or found in the pools, also in transition or through prototype "
		"entries, the page tables themselves, and the first MiB.\n\n"
		"--pid writes the user's half of one process's space as an ELF core: p_vaddr is "
		"the virtual address, p_paddr the physical one (all ones where the page is in a "
		"page file or compressed). Pages whose bytes cannot be had, and those that were "
		"never written to, are left out.",
	.example = "ntscope convert --to elf -o memory.elf memory.dmp",
	.options = convert_options,
	.num_options = ARRAY_SIZE(convert_options),
	.columns = convert_columns,
	.num_columns = CONVERT_NUM_COLUMNS,
	.flags = COMMAND_ONE_OBJECT | COMMAND_TRIES_KERNEL,
	.without_kernel = convert_without_kernel,
	.run = convert_run,
};
