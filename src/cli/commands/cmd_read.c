/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/commands/stretches.h"
#include "cli/row_options.h"
#include "cli/spaces.h"

enum { READ_ADDRESS, READ_LENGTH, READ_BYTES, READ_TEXT, READ_STATE, READ_NUM_COLUMNS };

enum { ROW_BYTES = 16, DEFAULT_LENGTH = 256 };

static const struct column read_columns[READ_NUM_COLUMNS] = {
	[READ_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, 0, "of the row's first byte" },
	[READ_LENGTH] = { "length", "LENGTH", CELL_U64, 6, COL_RIGHT | COL_MINOR,
			  "bytes of the row" },
	[READ_BYTES] = { "bytes", "BYTES", CELL_BYTES, 3 * ROW_BYTES - 1, 0,
			 "their values; absent: none of them is in the snapshot" },
	[READ_TEXT] = { "text", "TEXT", CELL_STR, ROW_BYTES, 0, "the printable ones" },
	[READ_STATE] = { "state", "STATE", CELL_STR, 0, COL_MINOR,
			 "where the bytes are, or why they are absent: see vtop" },
};

static const struct option_row read_options[] = {
	{ "length", 'l', OPTION_SIZE, "BYTES", "how many bytes (default 256)" },
	{ "physical", 0, OPTION_FLAG, NULL, "ADDRESS is a physical address" },
	{ "raw", 'r', OPTION_FLAG, NULL, "write the bytes themselves to standard output" },
	{ "output", 'o', OPTION_STRING, "FILE", "write the bytes to a new FILE; implies --raw" },
	{ "zero-absent", 0, OPTION_FLAG, NULL,
	  "with --raw: zeros where bytes are absent, and exit status 3" },
	SPACE_OPTION_ROWS,
};

/* Rows: up to 16 bytes each, on a grid that begins at the address asked for. */
struct row_writer {
	struct sink *sink;
	uint64_t start;	  /* of the grid */
	uint64_t va, len; /* of the row that is being made; len 0: none */
	bool absent;
	enum va_state state;
	uint8_t bytes[ROW_BYTES];
	uint64_t passed;  /* bytes: all of them, unless the rows were enough before */
	uint64_t lacking; /* of them */
	bool paged_out;	  /* some of those are in a page file */
};

/* What to add to a message about absent bytes. */
static const char *page_file_hint(const struct command_run *run, bool paged_out)
{
	const char *const *words;

	if (!paged_out || option_list(run->options, "pagefile", &words))
		return "";
	return "; --pagefile gives what is in a page file";
}

static struct error *flush_row(struct row_writer *w)
{
	struct cell cells[READ_NUM_COLUMNS] = {
		[READ_ADDRESS] = cell_addr(w->va),
		[READ_LENGTH] = cell_u64(w->len),
		[READ_STATE] = cell_str(va_state_name(w->state)),
	};
	char text[ROW_BYTES + 1] = "";

	if (!w->len)
		return NULL;
	if (!w->absent) {
		for (size_t i = 0; i < w->len; i++)
			text[i] =
				w->bytes[i] >= 0x20 && w->bytes[i] < 0x7f ? (char)w->bytes[i] : '.';
		cells[READ_BYTES] = cell_bytes(w->bytes, (size_t)w->len);
		cells[READ_TEXT] = cell_str(text);
	}
	w->len = 0;
	return sink_row(w->sink, cells, 0);
}

/* Makes room for a row of this kind at va: ends the one at hand unless it goes on. */
static struct error *begin_row(struct row_writer *w, uint64_t va, bool absent, enum va_state state)
{
	struct error *err;

	if (w->len && w->absent == absent && w->state == state)
		return NULL;
	if ((err = flush_row(w)) != NULL)
		return err;
	w->va = va;
	w->absent = absent;
	w->state = state;
	return NULL;
}

static struct error *row_bytes(void *arg, uint64_t va, const uint8_t *bytes, size_t len,
			       enum va_state state)
{
	struct row_writer *w = arg;
	struct error *err = NULL;

	w->passed += len;
	for (size_t i = 0; i < len && !err && !sink_full(w->sink); i++) {
		if ((err = begin_row(w, va + i, false, state)) != NULL)
			return err;
		w->bytes[w->len++] = bytes[i];
		if ((va + i + 1 - w->start) % ROW_BYTES == 0)
			err = flush_row(w);
	}
	return err;
}

static struct error *row_gap(void *arg, uint64_t va, uint64_t len, enum va_state state)
{
	struct row_writer *w = arg;
	struct error *err;

	if ((err = begin_row(w, va, true, state)) != NULL)
		return err;
	w->len += len;
	w->passed += len;
	w->lacking += len;
	w->paged_out |= state == VA_PAGEFILE;
	return NULL;
}

static bool rows_are_enough(void *arg)
{
	const struct row_writer *w = arg;

	return sink_full(w->sink);
}

static struct error *read_rows(struct command_run *run, struct space *s, uint64_t va, uint64_t len)
{
	struct row_writer w = { .sink = run->sink, .start = va };
	const struct stretch_sink rows = { row_bytes, row_gap, rows_are_enough, &w };
	struct error *err = stretches_pass(s, va, len, &rows);

	if (!err)
		err = flush_row(&w);
	if (!err && w.lacking)
		diag_partial(run->diag,
			     "%" PRIu64 " of %" PRIu64 " bytes are not in the snapshot%s",
			     w.lacking, w.passed, page_file_hint(run, w.paged_out));
	return err;
}

/* The first pass of --raw: is everything there? */
struct gap_count {
	uint64_t lacking, first;
	enum va_state state;
	bool paged_out;
};

static struct error *count_bytes(void *arg, uint64_t va, const uint8_t *bytes, size_t len,
				 enum va_state state)
{
	(void)arg, (void)va, (void)bytes, (void)len, (void)state;
	return NULL;
}

static struct error *count_gap(void *arg, uint64_t va, uint64_t len, enum va_state state)
{
	struct gap_count *count = arg;

	if (!count->lacking) {
		count->first = va;
		count->state = state;
	}
	count->lacking += len;
	count->paged_out |= state == VA_PAGEFILE;
	return NULL;
}

static struct error *write_bytes(void *arg, uint64_t va, const uint8_t *bytes, size_t len,
				 enum va_state state)
{
	FILE *out = arg;

	(void)va, (void)state;
	if (fwrite(bytes, 1, len, out) == len)
		return NULL;
	return error_os(errno, "cannot write the bytes");
}

static struct error *write_zeros(void *arg, uint64_t va, uint64_t len, enum va_state state)
{
	static const uint8_t zeros[PAGE_SIZE];
	struct error *err = NULL;

	while (len && !err) {
		size_t part = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		err = write_bytes(arg, va, zeros, part, state);
		len -= part;
	}
	return err;
}

/* The range's bytes and nothing else to out; all of them or an error, unless zeros are wanted. */
static struct error *write_range(struct command_run *run, struct space *s, uint64_t va,
				 uint64_t len, FILE *out)
{
	struct gap_count count = { 0 };
	const struct stretch_sink counter = { count_bytes, count_gap, NULL, &count };
	const struct stretch_sink writer = { write_bytes, write_zeros, NULL, out };
	struct error *err;

	if ((err = stretches_pass(s, va, len, &counter)) != NULL)
		return err;
	if (count.lacking && !option_flag(run->options, "zero-absent"))
		return error_fault(count.first,
				   "0x%" PRIx64 ": %s; %" PRIu64 " of %" PRIu64
				   " bytes are absent (--zero-absent writes zeros)%s",
				   count.first, va_state_text(count.state), count.lacking, len,
				   page_file_hint(run, count.paged_out));
	if ((err = stretches_pass(s, va, len, &writer)) != NULL)
		return err;
	if (fflush(out) != 0)
		return error_os(errno, "cannot write the bytes");
	if (count.lacking)
		diag_partial(run->diag,
			     "%" PRIu64 " of %" PRIu64
			     " bytes are not in the snapshot and were written as zeros",
			     count.lacking, len);
	return NULL;
}

static void file_cleanup(FILE **file)
{
	if (*file)
		fclose(*file);
}

static struct error *read_raw(struct command_run *run, struct space *s, uint64_t va, uint64_t len)
{
	const char *path = option_string(run->options, "output");
	FILE *file CLEANUP(file_cleanup) = NULL;
	struct error *err;

	run->wrote_raw = true;
	if (!path)
		return write_range(run, s, va, len, run->out);
	/* Never over a file that is there: it may be evidence. */
	file = fopen(path, "wbx");
	if (!file)
		return error_os(errno, "%s: cannot create the file", path);
	err = write_range(run, s, va, len, file);
	if (err)
		unlink(path); /* our own, and nothing of use */
	return error_wrap(err, "%s", path);
}

static struct error *read_run(struct command_run *run)
{
	struct chosen_space chosen CLEANUP(chosen_space_deinit) = { 0 };
	bool raw = option_flag(run->options, "raw") || option_flag(run->options, "output");
	uint64_t va, len = DEFAULT_LENGTH;
	struct error *err;

	if (!address_parse(run->args[0], &va))
		return error_new(ERROR_USAGE, "read: '%s' is not a hexadecimal address",
				 run->args[0]);
	option_u64(run->options, "length", &len);
	if (len == 0 || len - 1 > UINT64_MAX - va)
		return error_new(ERROR_USAGE, "read: %" PRIu64 " bytes do not fit at 0x%" PRIx64,
				 len, va);
	if (raw && (err = row_options_refuse(run->options, "with --raw there are none")))
		return err;
	if ((err = chosen_space_init(run, &chosen)) != NULL)
		return err;
	if (raw)
		return read_raw(run, chosen.space, va, len);
	return read_rows(run, chosen.space, va, len);
}

const struct command cmd_read = {
	.name = "read",
	.summary = "show bytes of memory",
	.arguments = "ADDRESS",
	.min_args = 1,
	.max_args = 1,
	.description =
		"Prints rows of 16 bytes from a virtual address on. A stretch that is not in the "
		"snapshot is one row without bytes that says how long it is and why it is absent; "
		"the "
		"exit status is then 3. The address is hexadecimal, with or without 0x.\n\n"
		"With --raw the bytes themselves are written, and nothing at all if any of them is "
		"absent, unless --zero-absent asks for zeros in their place.",
	.example = "ntscope read --length 4K memory.dmp fffff805`1a09f000",
	.options = read_options,
	.num_options = ARRAY_SIZE(read_options),
	.columns = read_columns,
	.num_columns = READ_NUM_COLUMNS,
	.key_columns = "address",
	.flags = COMMAND_TRIES_KERNEL | COMMAND_RAW_OUTPUT,
	.without_kernel = space_without_kernel,
	.run = read_run,
};
