/* SPDX-License-Identifier: MIT */
#include "windows/locate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/amd64/paging.h"
#include "windows/locate/private.h"
#include "windows/paging/pte.h"

/* In the order of cost; --dtb goes before all others, because it replaces them. */
static const struct strategy {
	const char *name;
	strategy_fn *run;
} strategies[NUM_STRATEGIES] = {
	[STRATEGY_REGISTERS] = { "registers", locate_by_registers },
	[STRATEGY_IDT] = { "idt", locate_by_idt },
	[STRATEGY_LOW_STUB] = { "low-stub", locate_by_low_stub },
	[STRATEGY_SELF_MAP] = { "self-map", locate_by_self_map },
	[STRATEGY_PHYSICAL] = { "physical", locate_by_physical_search },
	[STRATEGY_OPTIONS] = { "options", locate_by_options },
};

const char *const locate_strategy_names[] = { "registers", "idt",     "low-stub", "self-map",
					      "physical",  "options", NULL };

enum { ARENA_LIMIT = 1 << 20, MAX_ERROR_LINES = 24 };
/* What searches of whole kernel halves may cost together, see image_anywhere(). */
#define PAGE_BUDGET (UINT64_C(1) << 23)

void hints_add(struct hints *hints, const char *what, uint64_t va)
{
	if (!is_kernel_address(va) || hints->count == MAX_HINTS)
		return;
	for (size_t i = 0; i < hints->count; i++)
		if (hints->items[i].va == va)
			return;
	hints->items[hints->count++] = (struct hint){ .what = what, .va = va };
}

void roots_add(struct roots *roots, const char *what, uint64_t cr3, unsigned levels)
{
	uint64_t pa = dtb_to_root(cr3);

	if (pa == 0 || roots->count == MAX_ROOTS)
		return;
	for (size_t i = 0; i < roots->count; i++)
		if (roots->items[i].pa == pa)
			return;
	roots->items[roots->count++] = (struct root){ .what = what, .pa = pa, .levels = levels };
}

struct error *locator_note(struct locator *l, enum progress_made progress, const char *fmt, ...)
{
	char text[512];
	va_list args;

	if (l->num_attempts == MAX_ATTEMPTS) {
		l->num_dropped++;
		return NULL;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	char *copy = arena_strdup(l->arena, text);

	if (!copy)
		return &error_no_memory;
	l->attempts[l->num_attempts++] = (struct attempt){
		.strategy = l->strategy,
		.text = copy,
		.progress = progress,
	};
	return NULL;
}

static struct error *open_space(struct locator *l, uint64_t root, unsigned levels,
				struct space **ret)
{
	return space_create_amd64(l->mem, root, levels, &windows_soft_pte, NULL, ret);
}

static bool find_image(struct locator *l, struct space *s, const struct hints *hints, bool anywhere,
		       struct finding *ret, struct rejection *best)
{
	struct rejection no;

	if (l->options->has_kernel_base)
		return image_check(s, l->options->kernel_base, ret, best);
	snprintf(best->why, sizeof(best->why), "no address to start from");
	for (size_t i = 0; i < hints->count; i++) {
		if (image_below(s, hints->items[i].va, ret, &no))
			return true;
		if (i == 0 || no.progress > best->progress)
			*best = no;
	}
	if (!anywhere)
		return false;
	if (image_anywhere(s, &l->page_budget, ret, &no))
		return true;
	if (no.progress >= best->progress)
		*best = no;
	return false;
}

/* The System process' root outlives every process, so it is preferred to the one that was
 * found, which may belong to a process that is gone. --dtb is taken at its word. */
static struct error *prefer_system(struct locator *l, struct space *s, struct outcome *outcome)
{
	uint64_t system = system_root(s, &outcome->finding.pe);
	struct rejection no;
	struct finding f;
	struct space *other;

	outcome->finding.evidence |= root_evidence(s);
	if (system == outcome->root)
		outcome->finding.evidence |= 1 << EVIDENCE_SYSTEM;
	if (system == 0 || system == outcome->root || l->options->has_dtb)
		return NULL;
	struct error *err = open_space(l, system, outcome->levels, &other);

	if (err)
		return err;
	if (image_check(other, outcome->finding.pe.base, &f, &no) &&
	    system_root(other, &f.pe) == system) {
		f.evidence |= root_evidence(other) | 1 << EVIDENCE_SYSTEM;
		outcome->finding = f;
		outcome->root = system;
	}
	space_destroy(other);
	return NULL;
}

/* One root at one number of levels. */
static struct error *examine_levels(struct locator *l, const struct root *root, unsigned levels,
				    const struct hints *hints, bool anywhere, struct outcome *ret,
				    bool *found_ret)
{
	struct outcome outcome = { .root = root->pa, .levels = levels };
	struct rejection best = { .progress = GOT_NOTHING };
	struct space *s;
	uint8_t byte;
	struct error *err;

	if (physmem_read(l->mem, root->pa, &byte, 1) != 1)
		return locator_note(l, GOT_NOTHING, "%s 0x%llx: the table is not in the snapshot",
				    root->what, (unsigned long long)root->pa);
	if ((err = open_space(l, root->pa, levels, &s)))
		return err;
	*found_ret = find_image(l, s, hints, anywhere, &outcome.finding, &best);
	if (*found_ret)
		err = prefer_system(l, s, &outcome);
	else
		err = locator_note(l, best.progress, "%s 0x%llx, %u levels: %s", root->what,
				   (unsigned long long)root->pa, levels, best.why);
	space_destroy(s);
	if (!err && *found_ret)
		*ret = outcome;
	return err;
}

struct error *locator_examine(struct locator *l, const struct root *root, const struct hints *hints,
			      bool anywhere, struct outcome *ret, bool *found_ret)
{
	*found_ret = false;
	for (unsigned levels = 4; levels <= 5 && !*found_ret; levels++) {
		struct error *err;

		if (root->levels != 0 && root->levels != levels)
			continue;
		err = examine_levels(l, root, levels, hints, anywhere, ret, found_ret);
		if (err)
			return err;
	}
	return NULL;
}

struct error *locator_examine_kdbg(struct locator *l, const struct root *root, uint64_t kdbg,
				   struct outcome *ret, bool *found_ret)
{
	*found_ret = false;
	for (unsigned levels = 4; levels <= 5 && !*found_ret; levels++) {
		struct outcome outcome = { .root = root->pa, .levels = levels };
		struct rejection no;
		struct space *s;
		struct error *err;

		if (root->levels != 0 && root->levels != levels)
			continue;
		if ((err = open_space(l, root->pa, levels, &s)))
			return err;
		*found_ret = image_by_kdbg(s, kdbg, &outcome.finding, &no);
		if (*found_ret) {
			outcome.finding.evidence |= root_evidence(s);
			*ret = outcome;
		} else {
			err = locator_note(l, no.progress, "%s 0x%llx, %u levels: %s", root->what,
					   (unsigned long long)root->pa, levels, no.why);
		}
		space_destroy(s);
		if (err)
			return err;
	}
	return NULL;
}

static void describe_evidence(unsigned evidence, char *ret, size_t size)
{
	size_t len = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < NUM_EVIDENCE; i++)
		if (evidence & 1U << i && len < size)
			len += (size_t)snprintf(ret + len, size - len, "%s%s", len ? ", " : "",
						evidence_names[i]);
}

struct error *locator_accept(struct locator *l, const struct root *root,
			     const struct outcome *outcome)
{
	char agreed[160], system[64] = "";
	struct error *err;

	describe_evidence(outcome->finding.evidence, agreed, sizeof(agreed));
	if (outcome->root != root->pa)
		snprintf(system, sizeof(system), " (System's root: 0x%llx)",
			 (unsigned long long)outcome->root);
	/* the winner's line is kept whatever there was before it */
	if (l->num_attempts == MAX_ATTEMPTS)
		l->num_attempts--;
	err = locator_note(l, GOT_PE, "%s 0x%llx%s, %u levels: kernel at 0x%llx; agreed: %s",
			   root->what, (unsigned long long)root->pa, system, outcome->levels,
			   (unsigned long long)outcome->finding.pe.base, agreed);
	if (err)
		return err;
	l->attempts[l->num_attempts - 1].won = true;
	l->outcome = *outcome;
	l->found = true;
	return NULL;
}

struct error *locator_try(struct locator *l, const struct root *root, const struct hints *hints,
			  bool anywhere)
{
	struct outcome outcome;
	bool found;
	struct error *err = locator_examine(l, root, hints, anywhere, &outcome, &found);

	if (err || !found)
		return err;
	return locator_accept(l, root, &outcome);
}

static struct error *copy_trail(const struct locator *l, struct kernel_location *loc)
{
	loc->trail = arena_calloc(&loc->arena, l->num_attempts, sizeof(*loc->trail));
	if (!loc->trail && l->num_attempts)
		return &error_no_memory;
	for (size_t i = 0; i < l->num_attempts; i++)
		loc->trail[i] = (struct locate_trail){
			.strategy = l->attempts[i].strategy,
			.text = l->attempts[i].text,
			.won = l->attempts[i].won,
		};
	loc->num_trail = l->num_attempts;
	return NULL;
}

static struct error *fill_location(const struct locator *l, struct kernel_location *loc)
{
	const struct finding *f = &l->outcome.finding;
	char agreed[160];

	loc->root = l->outcome.root;
	loc->levels = l->outcome.levels;
	loc->base = f->pe.base;
	loc->size = f->pe.size_of_image;
	loc->has_pe = f->has_pe;
	loc->pe = f->pe;
	loc->has_codeview = f->has_codeview;
	loc->codeview = f->codeview;
	loc->located_by = l->strategy;
	describe_evidence(f->evidence, agreed, sizeof(agreed));
	loc->how_sure = arena_strdup(&loc->arena, agreed);
	return loc->how_sure ? copy_trail(l, loc) : &error_no_memory;
}

/* All that was tried; when that is too much, the candidates that got farthest. */
static struct error *not_found(const struct locator *l)
{
	size_t used = 0, lines = 0, size = (size_t)MAX_ERROR_LINES * 600;
	char *text = calloc(1, size);
	struct error *err;

	if (!text)
		return &error_no_memory;
	for (int progress = GOT_PE; progress >= GOT_NOTHING; progress--)
		for (size_t i = 0; i < l->num_attempts && lines < MAX_ERROR_LINES - 1; i++) {
			if ((int)l->attempts[i].progress != progress)
				continue;
			used += (size_t)snprintf(text + used, size - used, "\n  %s: %s",
						 l->attempts[i].strategy, l->attempts[i].text);
			lines++;
		}
	size_t left = l->num_attempts - lines + l->num_dropped;

	if (left)
		snprintf(text + used, size - used, "\n  and %zu more", left);
	err = error_new(ERROR_NOT_FOUND,
			"no Windows kernel found; tried (best candidates first):%s", text);
	free(text);
	return err;
}

static struct error *run_strategies(struct locator *l, unsigned mask)
{
	if (l->options->has_dtb)
		mask &= 1 << STRATEGY_OPTIONS;
	else
		mask &= ~(1U << STRATEGY_OPTIONS);
	for (unsigned i = 0; i < NUM_STRATEGIES && !l->found; i++) {
		if (!(mask & 1U << i))
			continue;
		l->strategy = strategies[i].name;
		struct error *err = strategies[i].run(l);

		if (err)
			return error_wrap(err, "locating the kernel (%s)", l->strategy);
	}
	return NULL;
}

static void add_text(struct sha256 *sum, const char *s)
{
	sha256_add(sum, s, strlen(s) + 1);
}

/* For the recall: what was found and all that is told of it; zeros if nothing was. */
static void sum_up(const struct locator *l, uint8_t ret[SHA256_SIZE])
{
	const struct finding *f = &l->outcome.finding;
	const uint64_t numbers[] = { l->outcome.root, l->outcome.levels, f->pe.base, f->evidence,
				     l->num_dropped };
	struct sha256 sum;

	memset(ret, 0, SHA256_SIZE);
	if (!l->found)
		return;
	sha256_init(&sum);
	sha256_add(&sum, numbers, sizeof(numbers));
	if (f->has_codeview) {
		sha256_add(&sum, f->codeview.guid, sizeof(f->codeview.guid));
		sha256_add(&sum, &f->codeview.age, sizeof(f->codeview.age));
	}
	for (size_t i = 0; i < l->num_attempts; i++) {
		add_text(&sum, l->attempts[i].strategy);
		add_text(&sum, l->attempts[i].text);
	}
	sha256_end(&sum, ret);
}

/* What l has of its own, for a search from the beginning. */
static void locator_init(struct locator *l, const struct snapshot *snap,
			 const struct locate_options *options, struct arena *a, struct recall *r)
{
	memset(l, 0, sizeof(*l));
	l->snap = snap;
	l->mem = snap->mem;
	l->options = options;
	l->page_budget = PAGE_BUDGET;
	l->arena = a;
	l->recall = r;
}

/* Options change what a search meets, and they are not in the fingerprint. */
static const struct location_cache *usable_cache(const struct locate_options *options)
{
	return options->has_dtb || options->has_kernel_base ? NULL : options->cache;
}

static struct error *search(struct locator *l, const struct snapshot *snap,
			    const struct locate_options *options, unsigned mask, struct arena *a)
{
	struct recall recall;
	uint8_t end[SHA256_SIZE];
	struct error *err;

	recall_init(&recall, usable_cache(options));
	locator_init(l, snap, options, a, &recall);
	err = run_strategies(l, mask);
	sum_up(l, end);
	if (!err && recall_misled(&recall, end)) {
		arena_reset(a);
		locator_init(l, snap, options, a, &recall);
		err = run_strategies(l, mask);
		sum_up(l, end);
	}
	if (!err && l->found)
		recall_keep(&recall, snap, end);
	recall_deinit(&recall);
	return err;
}

struct error *locate_with(const struct snapshot *snap, const struct locate_options *options,
			  unsigned mask, struct kernel_location *ret)
{
	struct kernel_location loc = { .root = 0 };
	struct locator *l;
	struct error *err;

	if (!snap->mem)
		return error_new(ERROR_UNSUPPORTED,
				 "the snapshot has no physical memory to look for the kernel in");
	if (options->has_kernel_base && !is_kernel_address(options->kernel_base))
		return error_new(ERROR_USAGE, "kernel base 0x%llx is not a kernel address",
				 (unsigned long long)options->kernel_base);
	if (!(l = calloc(1, sizeof(*l))))
		return &error_no_memory;
	arena_init(&loc.arena, ARENA_LIMIT);
	err = search(l, snap, options, mask, &loc.arena);
	if (!err)
		err = l->found ? fill_location(l, &loc) : not_found(l);
	free(l);
	if (err) {
		arena_deinit(&loc.arena);
		return err;
	}
	*ret = loc;
	return NULL;
}

struct error *kernel_locate(const struct snapshot *snap, const struct locate_options *options,
			    struct diag *diag, struct kernel_location *ret)
{
	(void)diag; /* every story is in the trail or in the error */
	return locate_with(snap, options, ALL_STRATEGIES, ret);
}

void kernel_location_deinit(struct kernel_location *loc)
{
	arena_deinit(&loc->arena);
}
