/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windows/discover/probe.h"

struct discovery {
	struct profile_source source;
	struct arena arena; /* owns the texts */
	struct discover_row *rows;
	size_t count, capacity;
};

static const struct discovery *as_discovery(const struct profile_source *src)
{
	return (const struct discovery *)src;
}

const char *discover_confidence_name(enum discover_confidence confidence)
{
	return confidence == DISCOVER_CERTAIN ? "certain" : "likely";
}

bool discover_evidence(const struct profile_source *src, size_t index, struct discover_row *ret)
{
	const struct discovery *d = as_discovery(src);

	if (index >= d->count)
		return false;
	*ret = d->rows[index];
	return true;
}

/* The source's answers. */

static const struct discover_row *find_row(const struct discovery *d, enum discover_kind kind,
					   const char *type, const char *path)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->rows[i].kind == kind && !strcmp(d->rows[i].type, type) &&
		    !strcmp(d->rows[i].path, path))
			return &d->rows[i];
	return NULL;
}

static bool discovery_type_size(const struct profile_source *src, const char *type, uint32_t *ret)
{
	const struct discover_row *row = find_row(as_discovery(src), DISCOVER_TYPE, type, "");

	if (row)
		*ret = (uint32_t)row->value;
	return row;
}

static bool discovery_field(const struct profile_source *src, const char *type, const char *path,
			    struct field *ret)
{
	const struct discover_row *row = find_row(as_discovery(src), DISCOVER_FIELD, type, path);

	if (!row)
		return false;
	*ret = (struct field){
		.offset = (uint32_t)row->value,
		.size = row->size,
		.bit_pos = row->bit_pos,
		.bit_size = row->bit_size,
		.present = true,
	};
	return true;
}

static bool discovery_symbol(const struct profile_source *src, const char *name, uint64_t *rva_ret)
{
	const struct discover_row *row = find_row(as_discovery(src), DISCOVER_GLOBAL, "", name);

	if (row)
		*rva_ret = row->value;
	return row;
}

static void discovery_destroy(struct profile_source *src)
{
	struct discovery *d = (struct discovery *)src;

	arena_deinit(&d->arena);
	free(d->rows);
	free(d);
}

static const struct profile_source_ops discovery_ops = {
	.kind = "discovery",
	.type_size = discovery_type_size,
	.field = discovery_field,
	.symbol = discovery_symbol,
	.info = &discovery_info,
	.destroy = discovery_destroy,
};

/* Building it. */

static const char *format_text(struct probe *p, const char *fmt, va_list args)
{
	char *text = NULL, *ret;

	if (p->err)
		return "";
	if (vasprintf(&text, fmt, args) < 0) {
		p->err = &error_no_memory;
		return "";
	}
	ret = arena_strdup(&p->out->arena, text);
	free(text);
	if (!ret)
		p->err = &error_no_memory;
	return ret ? ret : "";
}

const char *probe_text(struct probe *p, const char *fmt, ...)
{
	const char *ret;
	va_list args;

	va_start(args, fmt);
	ret = format_text(p, fmt, args);
	va_end(args);
	return ret;
}

/* Does an earlier row say enough? The first answer stands, and a miss is forgotten once there is
 * an answer. */
static bool is_settled(struct discovery *d, const struct discover_row *row)
{
	static const enum discover_kind answers[] = { DISCOVER_FIELD, DISCOVER_GLOBAL };

	for (size_t i = 0; i < d->count; i++) {
		struct discover_row *old = &d->rows[i];

		if (strcmp(old->type, row->type) || strcmp(old->path, row->path))
			continue;
		if (old->kind == row->kind)
			return true;
		for (size_t j = 0; j < ARRAY_SIZE(answers); j++) {
			if (old->kind == answers[j] && row->kind == DISCOVER_MISSING)
				return true;
			if (old->kind == DISCOVER_MISSING && row->kind == answers[j]) {
				*old = *row;
				return true;
			}
		}
	}
	return false;
}

void probe_add(struct probe *p, const struct discover_row *row)
{
	struct discovery *d = p->out;

	if (p->err || is_settled(d, row))
		return;
	p->err = array_reserve(&d->rows, &d->capacity, d->count + 1, sizeof(*d->rows), MAX_ROWS,
			       "discovered rows");
	if (!p->err)
		d->rows[d->count++] = *row;
}

void probe_field(struct probe *p, enum discover_confidence confidence, const char *type,
		 const char *path, uint32_t offset, uint32_t size, const char *fmt, ...)
{
	struct discover_row row = {
		.kind = DISCOVER_FIELD,
		.type = type,
		.path = path,
		.value = offset,
		.size = size,
		.confidence = confidence,
	};
	va_list args;

	va_start(args, fmt);
	row.evidence = format_text(p, fmt, args);
	va_end(args);
	probe_add(p, &row);
}

void probe_global(struct probe *p, const char *name, uint64_t va, const char *evidence)
{
	probe_add(p, &(struct discover_row){
			     .kind = DISCOVER_GLOBAL,
			     .type = "",
			     .path = name,
			     .value = va - p->kernel->base,
			     .confidence = DISCOVER_CERTAIN,
			     .evidence = evidence,
		     });
}

void probe_missing(struct probe *p, const char *type, const char *path, const char *fmt, ...)
{
	struct discover_row row = { .kind = DISCOVER_MISSING, .type = type, .path = path };
	va_list args;

	va_start(args, fmt);
	row.evidence = format_text(p, fmt, args);
	va_end(args);
	probe_add(p, &row);
}

static void probe_deinit(struct probe *p)
{
	for (size_t i = 0; i < p->num_samples; i++)
		space_destroy(p->samples[i].space);
	free(p->samples);
	free(p->threads);
	disasm_destroy(p->disasm);
}

static struct error *probe_init(struct probe *p)
{
	struct error *err = disasm_create(&p->disasm);

	if (err && error_code(err) == ERROR_UNSUPPORTED)
		p->no_code = probe_text(p, "%s", error_message(err));
	if (err && !error_catch(&err, ERROR_UNSUPPORTED))
		return err;
	p->samples = calloc(MAX_SAMPLES, sizeof(*p->samples));
	p->threads = calloc(MAX_THREADS, sizeof(*p->threads));
	if (!p->samples || !p->threads)
		return &error_no_memory;
	p->has_kernel_pa = space_translate(p->space, p->kernel->base, &p->kernel_pa) == VA_MAPPED;
	return NULL;
}

/* Without processes there are still modules and processors. */
static struct error *no_processes(struct probe *p, struct error *err)
{
	const char *why = probe_text(p, "%s", error_message(err));

	if (!error_catch(&err, ERROR_NOT_FOUND))
		return err;
	probe_missing(p, "_EPROCESS", "UniqueProcessId", "%s", why);
	probe_missing(p, "_EPROCESS", "ActiveProcessLinks", "%s", why);
	probe_missing(p, "", "PsActiveProcessHead", "%s", why);
	return NULL;
}

static bool knows_any_field(const struct discovery *d)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->rows[i].kind == DISCOVER_FIELD)
			return true;
	return false;
}

static struct error *discover(struct probe *p)
{
	const char *why = NULL;
	struct error *err;

	if ((err = probe_init(p)))
		return err;
	probe_accessors(p);
	if ((err = probe_processes(p))) {
		why = probe_text(p, "%s", error_message(err));
		if ((err = no_processes(p, err)))
			return err;
	}
	probe_objects(p);
	probe_process_fields(p);
	probe_threads(p);
	probe_sessions(p);
	probe_handle_tables(p);
	probe_constants(p);
	if (!p->err && !knows_any_field(p->out))
		return error_new(ERROR_NOT_FOUND, "%s", why ? why : "no field was found");
	return p->err;
}

struct error *discover_open(struct space *space, const struct pe_image *kernel, struct physmem *mem,
			    unsigned levels, const struct registers *regs, uint64_t system_process,
			    struct diag *diag, struct profile_source **ret)
{
	struct discovery *d = calloc(1, sizeof(*d));
	struct probe p = {
		.out = d,
		.space = space,
		.kernel = kernel,
		.mem = mem,
		.levels = levels,
		.regs = regs,
		.system = system_process,
		.diag = diag,
	};
	struct error *err;

	if (!d)
		return &error_no_memory;
	d->source.ops = &discovery_ops;
	arena_init(&d->arena, 0);
	err = discover(&p);
	probe_deinit(&p);
	if (err) {
		if (err != p.err)
			error_destroy(p.err);
		discovery_destroy(&d->source);
		return error_wrap(err, "discovery");
	}
	*ret = &d->source;
	return NULL;
}
