/* SPDX-License-Identifier: MIT */
/*
 * What the kernel of a snapshot tells of its own layouts, for test_discovery.py:
 *
 *	discover_tool SNAPSHOT
 *
 * One line a row, its cells separated by tabs: kind, type, path, value, size, first bit, number of
 * bits, confidence, evidence. Notes go to stderr.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/format.h"
#include "windows/discover.h"
#include "windows/locate.h"
#include "windows/paging/pte.h"

static const char *const kind_names[NUM_DISCOVER_KINDS] = {
	[DISCOVER_FIELD] = "field", [DISCOVER_TYPE] = "type",	    [DISCOVER_GLOBAL] = "global",
	[DISCOVER_VALUE] = "value", [DISCOVER_MISSING] = "missing",
};

static void check(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "discover_tool: %s\n", error_message(err));
	exit(1);
}

static void note(void *arg, enum diag_kind kind, const char *message)
{
	(void)arg;
	(void)kind;
	fprintf(stderr, "%s\n", message);
}

/* What a row says is what the source answers, and what it misses is not answered. */
static void check_answer(const struct profile_source *source, const struct discover_row *row)
{
	struct field field = { 0 };
	bool answered = source->ops->field(source, row->type, row->path, &field);
	bool expected = row->kind == DISCOVER_FIELD;

	if (answered != expected || (expected && field.offset != row->value)) {
		fprintf(stderr, "discover_tool: row and answer differ: %s.%s\n", row->type,
			row->path);
		exit(1);
	}
}

static void print_rows(const struct profile_source *source)
{
	struct discover_row row;

	for (size_t i = 0; discover_evidence(source, i, &row); i++) {
		check_answer(source, &row);
		printf("%s\t%s\t%s\t%" PRIx64 "\t%" PRIu32 "\t%u\t%u\t%s\t%s\n",
		       kind_names[row.kind], row.type, row.path, row.value, row.size, row.bit_pos,
		       row.bit_size, discover_confidence_name(row.confidence), row.evidence);
	}
}

int main(int argc, char **argv)
{
	struct locate_options locate = { .quiet = true };
	struct snapshot_options options = { 0 };
	struct profile_source *source;
	struct kernel_location loc;
	struct snapshot *snap;
	struct space *space;
	struct diag diag;

	if (argc != 2)
		return 2;
	diag_init(&diag, note, NULL);
	check(snapshot_open(argv[1], &options, &diag, &snap));
	check(kernel_locate(snap, &locate, &diag, &loc));
	check(space_create_amd64(snap->mem, loc.root, loc.levels, &windows_soft_pte, NULL, &space));
	check(discover_open(space, &loc.pe, snap->mem, loc.levels,
			    snap->info.num_registers ? &snap->info.registers[0] : NULL, 0, &diag,
			    &source));
	print_rows(source);
	source->ops->destroy(source);
	space_destroy(space);
	kernel_location_deinit(&loc);
	snapshot_close(snap);
	return 0;
}
