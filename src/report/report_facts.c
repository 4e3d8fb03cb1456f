/* SPDX-License-Identifier: MIT */
/* What the page says without tables, from the rows of info and analyze. */
#include <inttypes.h>
#include <string.h>

#include "output/cell_text.h"
#include "report/escape.h"
#include "report/report_private.h"

enum { MAX_KEYS = 20 };
#define TICKS_PER_MINUTE (UINT64_C(60) * 10000000)

/* What info says, in the order in which a person asks; what is in no group is in the last. */
static const struct group {
	const char *title;
	const char *keys[MAX_KEYS];
} groups[] = {
	{ "What was captured",
	  { "format", "subtype", "container", "comment", "file_size", "unpacked_size",
	    "physical_pages", "machine_pages", "physical_end", "gaps", "overlap_bytes",
	    "virtual_bytes", "cpus", "cpu_registers", "system_time", "boot_time" } },
	{ "Which Windows",
	  { "version", "build", "build_lab", "machine", "product_type", "suite_mask",
	    "paging_levels" } },
	{ "How sure we are",
	  { "located_by", "symbols", "pdb_name", "pdb_guid", "pdb_age", "kernel_base",
	    "kernel_size", "dtb" } },
	{ "What else the file says", { NULL } },
};

static bool is_grouped(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		for (size_t j = 0; j < MAX_KEYS && groups[i].keys[j]; j++) {
			if (strcmp(groups[i].keys[j], key) == 0)
				return true;
		}
	}
	return false;
}

/* The column of this key, if the only row has a value there. */
static const struct column *find_column(const struct rows *info, const char *key)
{
	for (size_t i = 0; info->count && i < info->num_columns; i++) {
		const struct column *c = &info->columns[i];

		if (strcmp(c->key, key) == 0)
			return cell_has_value(c->type, &info->items[0].cells[i]) ? c : NULL;
	}
	return NULL;
}

static const struct cell *find_cell(const struct rows *info, const char *key)
{
	const struct column *c = find_column(info, key);

	return c ? &info->items[0].cells[c - info->columns] : NULL;
}

struct error *report_put_shown(FILE *out, const char *s)
{
	struct arena a CLEANUP(arena_deinit);
	const char *shown;

	arena_init(&a, 0);
	shown = text_show(&a, s);
	if (!shown)
		return &error_no_memory;
	escape_html(out, shown);
	return NULL;
}

/* "kernel_base": "kernel base". */
static void put_label(FILE *out, const struct column *c)
{
	fputs("<dt title=\"", out);
	escape_html(out, c->help);
	fputs("\">", out);
	for (const char *p = c->key; *p; p++)
		putc(*p == '_' ? ' ' : *p, out);
	fputs("</dt>", out);
}

static struct error *put_text(FILE *out, enum cell_type type, const struct cell *cell)
{
	bool code = type != CELL_STR && type != CELL_U64 && type != CELL_BOOL;
	struct arena a CLEANUP(arena_deinit);
	const char *text;

	arena_init(&a, 0);
	text = cell_to_text(&a, type, cell, CELL_STYLE_TEXT);
	if (!text)
		return &error_no_memory;
	fputs(code ? "<code>" : "<bdi>", out);
	escape_html(out, text);
	fputs(code ? "</code>" : "</bdi>", out);
	return NULL;
}

/* The items of a list one by one, in this type's cells of one item. */
static size_t list_item(enum cell_type type, const struct cell *list, size_t i, struct cell *ret)
{
	*ret = *list;
	switch (type) {
	case CELL_ADDRS:
		*ret = cell_addrs(list->addrs.items + i, 1);
		return list->addrs.count;
	case CELL_STRS:
		*ret = cell_strs(list->strs.items + i, 1);
		return list->strs.count;
	case CELL_EXPLAINED:
		*ret = cell_explained(list->explained.items + i, 1);
		return list->explained.count;
	default:
		return 1;
	}
}

/* Bytes, for people: "14950400 (14.3 MiB)". */
static void put_size(FILE *out, const struct column *c, const struct cell *cell)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	size_t len = strlen(c->key), unit = 0;
	double size = (double)cell->u64 / 1024;

	if (c->type != CELL_U64 || cell->u64 < 1024 || len < strlen("size") ||
	    (strcmp(c->key + len - strlen("size"), "size") != 0 && !strstr(c->key, "bytes")))
		return;
	for (; size >= 1024; unit++)
		size /= 1024;
	fprintf(out, " (%.1f %s)", size, units[unit]);
}

static struct error *put_value(FILE *out, enum cell_type type, const struct cell *cell)
{
	bool list = type == CELL_ADDRS || type == CELL_STRS || type == CELL_EXPLAINED;
	struct error *err = NULL;
	struct cell item;

	if (!list)
		return put_text(out, type, cell);
	fputs("<ol>", out);
	for (size_t i = 0; !err && i < list_item(type, cell, 0, &item); i++) {
		list_item(type, cell, i, &item);
		fputs("<li>", out);
		err = put_text(out, type, &item);
		fputs("</li>", out);
	}
	fputs("</ol>", out);
	return err;
}

static struct error *put_pair(FILE *out, const struct column *c, const struct cell *cell)
{
	struct error *err;

	put_label(out, c);
	fputs("<dd>", out);
	err = put_value(out, c->type, cell);
	put_size(out, c, cell);
	fputs("</dd>\n", out);
	return err;
}

static struct error *put_pair_of_group(const struct group *g, const struct rows *info,
				       const struct column *c, bool *begun, FILE *out)
{
	if (!*begun)
		fprintf(out, "<section class=\"card\"><h3>%s</h3><dl>\n", g->title);
	*begun = true;
	return put_pair(out, c, &info->items[0].cells[c - info->columns]);
}

static struct error *put_group(const struct group *g, const struct rows *info, FILE *out)
{
	struct error *err = NULL;
	bool begun = false;

	for (size_t i = 0; i < MAX_KEYS && g->keys[i] && !err; i++) {
		const struct column *c = find_column(info, g->keys[i]);

		if (c)
			err = put_pair_of_group(g, info, c, &begun, out);
	}
	for (size_t i = 0; !g->keys[0] && info->count && i < info->num_columns && !err; i++) {
		const struct column *c = &info->columns[i];

		if (!is_grouped(c->key) && find_column(info, c->key))
			err = put_pair_of_group(g, info, c, &begun, out);
	}
	if (begun)
		fputs("</dl></section>\n", out);
	return err;
}

static struct error *put_files(const struct report *r, FILE *out)
{
	struct error *err = NULL;

	fputs("<section class=\"card\"><h3>Files read</h3><dl>\n", out);
	for (size_t i = 0; i < r->num_files && !err; i++) {
		const struct report_file *f = &r->files[i];

		fputs("<dt>file</dt><dd><bdi>", out);
		err = report_put_shown(out, f->name);
		fprintf(out, "</bdi></dd><dt>size</dt><dd>%" PRIu64 " bytes</dd>\n", f->size);
		fputs("<dt>SHA-256</dt><dd><code>", out);
		escape_html(out, *f->sha256 ? f->sha256 : "not taken");
		fputs("</code></dd>\n", out);
	}
	fputs("<dt>read by</dt><dd>", out);
	escape_html(out, r->tool);
	fputs("</dd></dl></section>\n", out);
	return err;
}

struct error *report_put_facts(const struct report *r, FILE *out)
{
	struct error *err = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(groups) && !err; i++)
		err = put_group(&groups[i], r->info, out);
	return err ? err : put_files(r, out);
}

struct error *report_put_crash(const struct report *r, FILE *out)
{
	const struct rows *crash = r->crash;
	struct error *err = NULL;

	if (!find_cell(crash, "bugcheck_code"))
		return NULL;
	fputs("<section id=\"crash\"><h2>Bug check</h2><div class=\"card wide\"><dl>\n", out);
	for (size_t i = 0; i < crash->num_columns && !err; i++) {
		const struct cell *cell = &crash->items[0].cells[i];

		if (cell_has_value(crash->columns[i].type, cell))
			err = put_pair(out, &crash->columns[i], cell);
	}
	fputs("</dl></div></section>\n", out);
	return err;
}

/* "2024-05-01T10:20:30.1234567Z" to "2024-05-01 10:20:30". */
static struct error *put_time(FILE *out, const struct cell *cell)
{
	struct arena a CLEANUP(arena_deinit);
	const char *text;

	arena_init(&a, 0);
	text = cell_to_text(&a, CELL_TIME, cell, CELL_STYLE_DATA);
	if (!text)
		return &error_no_memory;
	fprintf(out, "<time datetime=\"%s\">%.10s %.8s UTC</time>", text, text,
		strlen(text) > 19 ? text + 11 : "");
	return NULL;
}

static void put_uptime(FILE *out, uint64_t ticks)
{
	uint64_t minutes = ticks / TICKS_PER_MINUTE;

	fputs(", up ", out);
	if (minutes >= 24 * 60)
		fprintf(out, "%" PRIu64 " d ", minutes / (24 * 60));
	fprintf(out, "%" PRIu64 " h %" PRIu64 " min", minutes / 60 % 24, minutes % 60);
}

struct error *report_put_lead(const struct report *r, FILE *out)
{
	const struct cell *version = find_cell(r->info, "version");
	const struct cell *build = find_cell(r->info, "build");
	const struct cell *captured = find_cell(r->info, "system_time");
	const struct cell *boot = find_cell(r->info, "boot_time");
	struct error *err = NULL;

	if (version) {
		fputs("Windows ", out);
		err = report_put_shown(out, version->str);
	} else if (build) {
		fprintf(out, "Windows build %" PRIu64, build->u64);
	} else {
		fputs("No Windows kernel was found", out);
	}
	if (captured && !err) {
		fputs(" · captured ", out);
		err = put_time(out, captured);
	}
	if (captured && boot && boot->u64 < captured->u64)
		put_uptime(out, captured->u64 - boot->u64);
	return err;
}
