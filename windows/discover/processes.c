/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/cursor.h"
#include "windows/discover/probe.h"
#include "windows/paging/pte.h"

/*
 * Which processes to look at: System, and its neighbours on the ring of ActiveProcessLinks, whose
 * offset is shown on the way: the field next to UniqueProcessId, as in every public PDB.
 */
enum {
	SYSTEM_PID = 4,
	MAX_PID = 1 << 28,
	PROCESS_OBJECT = 3,	/* DISPATCHER_HEADER.Type, wdm.h's KOBJECTS */
	PID_SEARCH_END = 0x600, /* UniqueProcessId lies below in every build */
	DTB_SEARCH_END = 0x100,
	MAX_SKIPPED = 4096,
};

/* Walks the ring one way: link 0 is Flink, 8 is Blink. */
struct ring_walk {
	struct probe *p;
	uint32_t pid, links;
	uint64_t head; /* the one entry in the kernel image; 0: not met */
	bool bad;      /* something on it is no process */
	bool complete;
	uint64_t found[MAX_SAMPLES];
	size_t count;
};

static bool is_process(struct ring_walk *w, uint64_t process)
{
	uint64_t pid;
	uint8_t type;

	if (!space_try_read(w->p->space, process, &type, 1, NULL) ||
	    !space_try_u64(w->p->space, process + w->pid, &pid, NULL))
		return false;
	return type == PROCESS_OBJECT && pid && pid < MAX_PID && pid % 4 == 0;
}

static bool already_found(const struct ring_walk *w, uint64_t process)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->found[i] == process)
			return true;
	return false;
}

static void walk_ring(struct ring_walk *w, uint64_t link, size_t limit)
{
	uint64_t start = w->p->system + w->links, at = start, next, back;

	for (size_t i = 0; i < MAX_SKIPPED && w->count < limit; i++) {
		if (!space_try_u64(w->p->space, at + link, &next, NULL) ||
		    !is_kernel_pointer(next) ||
		    !space_try_u64(w->p->space, next + (8 - link), &back, NULL) || back != at)
			return;
		if (next == start) {
			w->complete = true;
			return;
		}
		at = next;
		if (in_kernel_image(w->p, at)) {
			w->bad |= w->head && w->head != at;
			w->head = at;
			continue;
		}
		if (!is_process(w, at - w->links)) {
			w->bad = true;
			return;
		}
		if (!already_found(w, at - w->links))
			w->found[w->count++] = at - w->links;
	}
}

static bool try_links(struct ring_walk *w, struct probe *p, uint32_t pid)
{
	*w = (struct ring_walk){ .p = p, .pid = pid, .links = pid + 8 };
	w->found[w->count++] = p->system;
	walk_ring(w, 0, MAX_SAMPLES - MAX_SAMPLES / 4);
	if (!w->complete && !w->bad)
		walk_ring(w, 8, MAX_SAMPLES);
	return !w->bad && w->count > 1;
}

static struct error *no_links(const struct probe *p, const char *why)
{
	const struct vote *vote = &p->votes[KNOWN_PID];

	return error_new(ERROR_NOT_FOUND, "_EPROCESS.ActiveProcessLinks: %s; %s", why,
			 vote->text ? vote->text : "no code that tells UniqueProcessId");
}

/* By the accessor, else by the one place with System's id and a ring of processes after it. */
static struct error *find_links(struct probe *p, struct ring_walk *ret)
{
	const struct vote *vote = &p->votes[KNOWN_PID];
	struct ring_walk walk;
	unsigned found = 0;
	uint64_t pid;

	if (vote->present && !vote->contradicted) {
		if (space_try_u64(p->space, p->system + vote->offset, &pid, NULL) &&
		    pid == SYSTEM_PID && try_links(ret, p, vote->offset))
			return NULL;
		return no_links(p, "no ring of processes at the offset that code tells");
	}
	for (uint32_t at = 0; at < PID_SEARCH_END; at += 8)
		if (space_try_u64(p->space, p->system + at, &pid, NULL) && pid == SYSTEM_PID &&
		    try_links(&walk, p, at) && walk.count >= FEW_SAMPLES) {
			*ret = walk;
			found++;
		}
	if (found != 1)
		return no_links(p, found ? "several rings of processes"
					 : "no ring of processes next to System's id");
	return NULL;
}

static void add_links(struct probe *p, const struct ring_walk *w)
{
	bool code = p->votes[KNOWN_PID].present;
	const char *text = probe_text(
		p, "%s%ssystem 0x%jx has id 4, the links after it lead over %zu processes%s",
		code ? p->votes[KNOWN_PID].text : "", code ? "; " : "", (uintmax_t)p->system,
		w->count, w->complete ? " and back" : "");
	enum discover_confidence sure =
		w->count >= FEW_SAMPLES ? DISCOVER_CERTAIN : DISCOVER_LIKELY;

	p->has[KNOWN_PID] = p->has[KNOWN_LINKS] = true;
	p->at[KNOWN_PID] = w->pid;
	p->at[KNOWN_LINKS] = w->links;
	probe_field(p, sure, "_EPROCESS", "UniqueProcessId", w->pid, 8, "%s", text);
	probe_field(p, sure, "_EPROCESS", "ActiveProcessLinks", w->links, 16, "%s", text);
	probe_field(p, sure, "_EPROCESS", "Pcb.Header.Type", 0, 1,
		    "3 (a process, wdm.h) in each of %zu processes", w->count);
	if (w->head)
		probe_add(p, &(struct discover_row){
				     .kind = DISCOVER_GLOBAL,
				     .type = "",
				     .path = "PsActiveProcessHead",
				     .value = w->head - p->kernel->base,
				     .confidence = DISCOVER_CERTAIN,
				     .evidence = "the only entry of the ring of processes in the "
						 "kernel image",
			     });
	else
		probe_missing(p, "", "PsActiveProcessHead", "the ring could not be followed to it");
}

static void read_samples(struct probe *p, const struct ring_walk *w)
{
	for (size_t i = 0; i < w->count; i++) {
		struct sample *s = &p->samples[p->num_samples++];

		sample_read(p->space, w->found[i], SAMPLE_SIZE, s);
		if (!sample_u64(s, w->pid, &s->pid))
			s->pid = 0;
	}
}

/* Most values are no page table at all: the entry that the kernel needs tells without a walk. */
static bool has_kernel_entry(const struct probe *p, uint64_t root, bool *captured)
{
	unsigned index = va_index(p->kernel->base, p->levels == 5 ? LEVEL_PML5 : LEVEL_PML4);
	uint8_t entry[8];

	*captured = physmem_read(p->mem, root + index * 8, entry, sizeof(entry)) == sizeof(entry);
	return *captured && load_u64(entry) & PTE_PRESENT;
}

/* A page table of a process maps the kernel where this one does. */
static enum verdict judge_dtb(const struct probe *p, const struct sample *s, uint32_t offset)
{
	struct space *space;
	struct error *err;
	enum va_state state;
	uint64_t value, pa;
	bool captured;

	if (!sample_u64(s, offset, &value) || !p->mem || !p->has_kernel_pa)
		return NEUTRAL;
	if (!dtb_to_root(value) || dtb_to_root(value) != (value & ~UINT64_C(0x8000000000000fff)))
		return DENIES;
	if (!has_kernel_entry(p, dtb_to_root(value), &captured))
		return captured ? DENIES : NEUTRAL;
	err = space_create_amd64(p->mem, dtb_to_root(value), p->levels, &windows_soft_pte, NULL,
				 &space);
	if (err) {
		error_destroy(err);
		return DENIES;
	}
	state = space_translate(space, p->kernel->base, &pa);
	space_destroy(space);
	if (state == VA_TABLE_NOT_CAPTURED)
		return NEUTRAL;
	return state == VA_MAPPED && pa == p->kernel_pa ? AGREES : DENIES;
}

static enum verdict judge_name(const struct probe *p, const struct sample *s, uint32_t offset)
{
	const uint8_t *name = s->bytes + offset;
	uint64_t first, second;
	size_t len = 0;

	/* eight-aligned in every build, and so read like two numbers */
	if (!sample_u64(s, offset, &first) || !sample_u64(s, offset + 8, &second))
		return NEUTRAL;
	if (s->va == p->system)
		return memcmp(name, "System", sizeof("System")) ? DENIES : AGREES;
	while (len < SAMPLE_NAME_SIZE - 1 && name[len] >= 0x20)
		len++;
	/* the names of hostile processes need not be words, but they are not empty */
	return len && (len == SAMPLE_NAME_SIZE - 1 || !name[len]) ? AGREES : DENIES;
}

static void read_names(struct probe *p)
{
	for (size_t i = 0; p->has[KNOWN_NAME] && i < p->num_samples; i++) {
		struct sample *s = &p->samples[i];

		if (p->at[KNOWN_NAME] + SAMPLE_NAME_SIZE <= s->size)
			memcpy(s->name, s->bytes + p->at[KNOWN_NAME], SAMPLE_NAME_SIZE - 1);
	}
}

static void open_spaces(struct probe *p)
{
	uint64_t dtb;

	for (size_t i = 0; p->has[KNOWN_DTB] && p->mem && i < p->num_samples; i++) {
		struct sample *s = &p->samples[i];
		struct error *err;

		if (judge_dtb(p, s, p->at[KNOWN_DTB]) != AGREES ||
		    !sample_u64(s, p->at[KNOWN_DTB], &dtb))
			continue;
		err = space_create_amd64(p->mem, dtb_to_root(dtb), p->levels, &windows_soft_pte,
					 NULL, &s->space);
		if (err)
			s->space = NULL;
		error_destroy(err);
	}
}

static struct error *find_system(struct probe *p)
{
	uint64_t variable;

	if (!p->system && (!exported_address(p, "PsInitialSystemProcess", &variable) ||
			   !space_try_u64(p->space, variable, &p->system, NULL)))
		return error_new(ERROR_NOT_FOUND,
				 "PsInitialSystemProcess cannot be read: no process to start from");
	if (!is_kernel_pointer(p->system))
		return error_new(ERROR_NOT_FOUND,
				 "PsInitialSystemProcess is 0x%jx, which is no process",
				 (uintmax_t)p->system);
	return NULL;
}

static const struct field_rule rules[] = {
	{ .field = KNOWN_DTB,
	  .judge = judge_dtb,
	  .to = DTB_SEARCH_END,
	  .step = 8,
	  .min_agrees = 2,
	  .proof = true,
	  .what = "a page table that maps the kernel" },
	{ .field = KNOWN_NAME,
	  .judge = judge_name,
	  .to = SAMPLE_SIZE,
	  .step = 8,
	  .min_agrees = 2,
	  .what = "a name" },
};

struct error *probe_processes(struct probe *p)
{
	struct ring_walk walk;
	struct error *err;

	if (!(err = find_system(p)) && !(err = find_links(p, &walk))) {
		add_links(p, &walk);
		read_samples(p, &walk);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		(void)probe_rule(p, &rules[i]);
	read_names(p);
	open_spaces(p);
	return err;
}
