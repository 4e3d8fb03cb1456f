/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "cli/verify/expected.h"
#include "cli/verify/value.h"

static const char *const type_names[] = {
	[CELL_U64] = "u64",	    [CELL_I64] = "i64",
	[CELL_ADDR] = "address",    [CELL_STR] = "string",
	[CELL_TIME] = "time",	    [CELL_BOOL] = "bool",
	[CELL_ADDRS] = "addresses", [CELL_BYTES] = "bytes",
	[CELL_STRS] = "strings",    [CELL_EXPLAINED] = "explained",
};

static const char *const status_names[NUM_EXPECTED_STATUSES] = {
	[EXPECTED_OK] = "ok",
	[EXPECTED_PARTIAL] = "partial",
	[EXPECTED_FAILED] = "failed",
};

const char *const expected_profile_keys[NUM_EXPECTED_PROFILE] = {
	[PROFILE_BUILD] = "build",	 [PROFILE_PDB_NAME] = "pdb_name",
	[PROFILE_PDB_GUID] = "pdb_guid", [PROFILE_PDB_AGE] = "pdb_age",
	[PROFILE_SYMBOLS] = "symbols",
};

const char expected_schema[] = "ntscope-expected";

const char *expected_type_name(enum cell_type type)
{
	return type_names[type];
}

bool expected_type_from_name(const char *name, enum cell_type *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++) {
		if (strcmp(type_names[i], name) == 0) {
			*ret = (enum cell_type)i;
			return true;
		}
	}
	return false;
}

const char *expected_status_name(enum expected_status status)
{
	return status_names[status];
}

bool expected_status_from_name(const char *name, enum expected_status *ret)
{
	for (unsigned i = 0; i < NUM_EXPECTED_STATUSES; i++) {
		if (strcmp(status_names[i], name) == 0) {
			*ret = (enum expected_status)i;
			return true;
		}
	}
	return false;
}

unsigned expected_exit_status(const struct expected *e)
{
	unsigned partial = 3;

	if (e->messages.count)
		return partial;
	for (size_t i = 0; i < e->num_results; i++) {
		if (e->results[i].status != EXPECTED_OK)
			return partial;
	}
	return 0;
}

struct writer {
	FILE *out;
	struct arena scratch;
	bool no_memory;
};

static void put_text(struct writer *w, const char *text)
{
	const char *value = value_of_text(&w->scratch, text);

	if (value)
		fputs(value, w->out);
	else
		w->no_memory = true;
	arena_reset(&w->scratch);
}

/* ["a", "b"], each on a line of its own where lines is set. */
static void put_words(struct writer *w, const struct word_list *words, bool lines)
{
	putc('[', w->out);
	for (size_t i = 0; i < words->count; i++) {
		if (i)
			putc(',', w->out);
		if (i || lines)
			putc(lines ? '\n' : ' ', w->out);
		put_text(w, words->items[i]);
	}
	fputs(lines && words->count ? "\n]" : "]", w->out);
}

static void put_columns(struct writer *w, const struct expected_result *r)
{
	putc('[', w->out);
	for (size_t i = 0; i < r->num_columns; i++) {
		fputs(i ? ", [" : "[", w->out);
		put_text(w, r->columns[i].key);
		fprintf(w->out, ", \"%s\"]", expected_type_name(r->columns[i].type));
	}
	putc(']', w->out);
}

static void put_rows(struct writer *w, const struct expected_result *r)
{
	putc('[', w->out);
	for (size_t i = 0; i < r->num_rows; i++) {
		fputs(i ? ",\n[" : "\n[", w->out);
		for (size_t j = 0; j < r->num_columns; j++)
			fprintf(w->out, "%s%s", j ? "," : "", r->values[i * r->num_columns + j]);
		putc(']', w->out);
	}
	fputs(r->num_rows ? "\n]" : "]", w->out);
}

static void put_result(struct writer *w, const struct expected_result *r)
{
	fputs("{\"command\": ", w->out);
	put_words(w, &r->command, false);
	fprintf(w->out, ", \"status\": \"%s\",\n\"messages\": ", expected_status_name(r->status));
	put_words(w, &r->messages, true);
	fputs(",\n\"columns\": ", w->out);
	put_columns(w, r);
	fputs(",\n\"rows\": ", w->out);
	put_rows(w, r);
	putc('}', w->out);
}

static void put_head(struct writer *w, const struct expected *e)
{
	fprintf(w->out, "{\n\"schema\": \"%s\",\n\"version\": %d,\n\"program\": ", expected_schema,
		EXPECTED_VERSION);
	put_text(w, e->program);
	fputs(",\n\"snapshot\": {\"name\": ", w->out);
	put_text(w, e->snapshot.name);
	fprintf(w->out, ", \"size\": %" PRIu64 ", \"sha256\": ", e->snapshot.size);
	put_text(w, e->snapshot.sha256);
	fputs("},\n\"profile\": {", w->out);
	for (unsigned i = 0; i < NUM_EXPECTED_PROFILE; i++)
		fprintf(w->out, "%s\"%s\": %s", i ? ", " : "", expected_profile_keys[i],
			e->profile[i]);
	fputs("},\n\"options\": ", w->out);
	put_words(w, &e->options, false);
	fprintf(w->out, ",\n\"exit_status\": %u,\n\"messages\": ", expected_exit_status(e));
	put_words(w, &e->messages, true);
}

struct error *expected_write(FILE *out, const struct expected *e)
{
	struct writer w = { .out = out };

	arena_init(&w.scratch, 0);
	put_head(&w, e);
	fputs(",\n\"results\": [", out);
	for (size_t i = 0; i < e->num_results; i++) {
		fputs(i ? ",\n" : "\n", out);
		put_result(&w, &e->results[i]);
	}
	fputs(e->num_results ? "\n]\n}\n" : "]\n}\n", out);
	arena_deinit(&w.scratch);
	return w.no_memory ? &error_no_memory : NULL;
}
