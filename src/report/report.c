/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/embedded.h"
#include "report/escape.h"
#include "report/report_private.h"

enum { MESSAGES_UNFOLDED = 8 };

/* The page on its way out. */
struct page {
	const struct report *report;
	FILE *out;
	char *data; /* owned */
	size_t data_len;
	uint64_t max_rows;
	struct report_result result;
};

/* 'sha256-...' of CSP: only this very text runs. */
static void put_source_hash(FILE *out, const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t sum[SHA256_SIZE + 1] = { 0 }; /* 33 bytes: 11 groups of 3 */
	struct sha256 sha;

	sha256_init(&sha);
	sha256_add(&sha, text, strlen(text));
	sha256_end(&sha, sum);
	fputs("'sha256-", out);
	for (size_t i = 0; i < SHA256_SIZE; i += 3) {
		uint32_t v = (uint32_t)sum[i] << 16 | (uint32_t)sum[i + 1] << 8 | sum[i + 2];
		bool last = i + 3 > SHA256_SIZE;

		fprintf(out, "%c%c%c%c", digits[v >> 18], digits[v >> 12 & 63], digits[v >> 6 & 63],
			last ? '=' : digits[v & 63]);
	}
	putc('\'', out);
}

static struct error *put_policy(struct page *p)
{
	fputs("default-src 'none'; base-uri 'none'; form-action 'none'; script-src ", p->out);
	put_source_hash(p->out, report_js);
	fputs("; style-src ", p->out);
	put_source_hash(p->out, report_css);
	return NULL;
}

static struct error *put_style(struct page *p)
{
	fputs(report_css, p->out);
	return NULL;
}

static struct error *put_script(struct page *p)
{
	fputs(report_js, p->out);
	return NULL;
}

static struct error *put_json(struct page *p)
{
	fwrite(p->data, 1, p->data_len, p->out);
	return NULL;
}

static struct error *put_name(struct page *p)
{
	return report_put_shown(p->out, p->report->name);
}

static struct error *put_tool(struct page *p)
{
	return report_put_shown(p->out, p->report->tool);
}

static struct error *put_lead(struct page *p)
{
	return report_put_lead(p->report, p->out);
}

static struct error *put_facts(struct page *p)
{
	return report_put_facts(p->report, p->out);
}

static struct error *put_crash(struct page *p)
{
	return report_put_crash(p->report, p->out);
}

static struct error *put_state(struct page *p)
{
	uint64_t partial = p->report->partial;

	if (!partial)
		fputs("<p class=\"state good\">Everything that was asked for could be read.</p>",
		      p->out);
	else
		fprintf(p->out,
			"<p class=\"state bad\"><strong>Partial:</strong> <a href=\"#messages\">"
			"%" PRIu64 " thing%s could not be read</a>.</p>",
			partial, partial == 1 ? "" : "s");
	return NULL;
}

/* The first few at once, the others folded. */
static struct error *put_message_list(struct page *p, enum diag_kind kind, const char *title)
{
	const struct report *r = p->report;
	struct error *err = NULL;
	size_t count = 0;

	for (size_t i = 0; i < r->num_messages && !err; i++) {
		if (r->messages[i].kind != kind)
			continue;
		if (count == 0)
			fprintf(p->out, "<h3>%s</h3><ul class=\"messages\">\n", title);
		if (count++ == MESSAGES_UNFOLDED)
			fputs("</ul><details><summary>More</summary><ul class=\"messages\">\n",
			      p->out);
		fputs("<li>", p->out);
		err = report_put_shown(p->out, r->messages[i].text);
		fputs("</li>\n", p->out);
	}
	if (count)
		fputs(count > MESSAGES_UNFOLDED ? "</ul></details>\n" : "</ul>\n", p->out);
	return err;
}

static struct error *put_messages(struct page *p)
{
	struct error *err = put_message_list(p, DIAG_PARTIAL, "Could not be read");

	if (!p->report->partial)
		fputs("<p>Nothing: all that was asked for could be read.</p>", p->out);
	return err ? err : put_message_list(p, DIAG_NOTE, "Worth knowing");
}

static void put_count(FILE *out, const struct report_table *t)
{
	if (t->error && !t->rows.count)
		fputs("<span class=\"count\">none</span>", out);
	else
		fprintf(out, "<span class=\"count\">%zu</span>", t->rows.count);
}

/* One link a table, by topic. */
static struct error *put_contents(struct page *p)
{
	const struct report *r = p->report;
	const char *topic = NULL;

	for (size_t i = 0; i < r->num_tables; i++) {
		const struct report_table *t = &r->tables[i];

		if (!topic || strcmp(topic, t->topic) != 0) {
			fputs(topic ? "</ul>\n<h2>" : "<h2>", p->out);
			escape_html(p->out, topic = t->topic);
			fputs("</h2><ul>\n", p->out);
		}
		fputs("<li><a href=\"#", p->out);
		escape_html(p->out, t->id);
		fputs("\"><span>", p->out);
		escape_html(p->out, t->title);
		fputs("</span> ", p->out);
		put_count(p->out, t);
		fputs("</a></li>\n", p->out);
	}
	if (topic)
		fputs("</ul>", p->out);
	return NULL;
}

static struct error *put_table_notes(struct page *p, const struct report_table *t)
{
	uint64_t shown = report_shown(t, p->max_rows);
	struct error *err = NULL;

	p->result.rows += shown;
	p->result.left_out += t->rows.count - shown;
	if (t->about) {
		fputs("<p>", p->out);
		escape_html(p->out, t->about);
		fputs("</p>", p->out);
	}
	if (t->error) {
		fputs("<p class=\"state bad\"><strong>Not read to the end:</strong> ", p->out);
		err = report_put_shown(p->out, t->error);
		fputs("</p>", p->out);
	}
	if (shown < t->rows.count)
		fprintf(p->out,
			"<p class=\"state bad\"><strong>Left out:</strong> %" PRIu64
			" of %zu rows are not in this file.</p>",
			t->rows.count - shown, t->rows.count);
	fputs("<p class=\"how\">All rows and columns: <code>ntscope ", p->out);
	escape_html(p->out, t->command);
	fputs(" --format csv</code></p>", p->out);
	return err;
}

/* What the script fills, each under its heading. */
static struct error *put_tables(struct page *p)
{
	const struct report *r = p->report;
	struct error *err = NULL;

	for (size_t i = 0; i < r->num_tables && !err; i++) {
		const struct report_table *t = &r->tables[i];

		fputs("<details class=\"table\" id=\"", p->out);
		escape_html(p->out, t->id);
		fputs(t->tree ? "\" open><summary><h2>" : "\"><summary><h2>", p->out);
		escape_html(p->out, t->title);
		fputs("</h2> ", p->out);
		put_count(p->out, t);
		fputs("</summary>\n", p->out);
		err = put_table_notes(p, t);
		fputs("</details>\n", p->out);
	}
	return err;
}

static const struct place {
	const char *name;
	struct error *(*put)(struct page *p);
} places[] = {
	{ "policy", put_policy }, { "style", put_style },	{ "script", put_script },
	{ "data", put_json },	  { "name", put_name },		{ "tool", put_tool },
	{ "lead", put_lead },	  { "state", put_state },	{ "facts", put_facts },
	{ "crash", put_crash },	  { "messages", put_messages }, { "contents", put_contents },
	{ "tables", put_tables },
};

static struct error *put_place(struct page *p, const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (strlen(places[i].name) == len && memcmp(places[i].name, name, len) == 0)
			return places[i].put(p);
	}
	return error_new(ERROR_NOT_FOUND, "report.html: unknown place '%.*s'", (int)len, name);
}

static struct error *put_page(struct page *p)
{
	const char *at = report_html, *open, *close;
	struct error *err = NULL;

	while (!err && (open = strstr(at, "{{")) && (close = strstr(open, "}}"))) {
		fwrite(at, 1, (size_t)(open - at), p->out);
		err = put_place(p, open + 2, (size_t)(close - open - 2));
		at = close + 2;
	}
	if (!err)
		fputs(at, p->out);
	return err;
}

struct error *report_write(const struct report *r, FILE *out, struct report_result *ret)
{
	struct page p = { .report = r, .out = out };
	struct error *err = report_data(r, &p.data, &p.data_len, &p.max_rows);

	if (!err)
		err = put_page(&p);
	free(p.data);
	if (!err)
		*ret = p.result;
	return err;
}
