/* SPDX-License-Identifier: MIT */
#include "windows/discover/probe.h"

/*
 * A process has two rings of its threads: KPROCESS.ThreadListHead, of KTHREAD.ThreadListEntry, and
 * EPROCESS.ThreadListHead, of ETHREAD.ThreadListEntry. The kernel's part comes first in both
 * structures; UniqueProcessId is behind it.
 */
enum {
	THREAD_OBJECT = 6, /* DISPATCHER_HEADER.Type */
	MAX_RING_THREADS = 1 << 12,
	THREADS_PER_PROCESS = 4, /* so that samples are of several processes */
	MAX_RINGS = 4,
	MIN_RING_PROCESSES = 2,
};
static const uint32_t unknown_count = UINT32_MAX;

struct thread_ring {
	uint32_t head, entry;
	unsigned processes; /* that hold it */
};

/* Is there a thread of process s whose link is at va, entry bytes from its start? */
static bool is_thread(const struct probe *p, const struct sample *s, uint64_t va, uint32_t entry)
{
	const struct vote *process = &p->votes[KNOWN_THREAD_PROCESS];
	const struct vote *pid = &p->votes[KNOWN_THREAD_PID];
	uint64_t thread = va - entry, value;
	uint8_t type;

	if (thread & 7 || !space_try_read(p->space, thread, &type, 1, NULL) ||
	    type != THREAD_OBJECT)
		return false;
	if (process->present &&
	    (!space_try_u64(p->space, thread + process->offset, &value, NULL) || value != s->va))
		return false;
	if (pid->present &&
	    (!space_try_u64(p->space, thread + pid->offset, &value, NULL) || value != s->pid))
		return false;
	return process->present || pid->present;
}

/* The first link of a ring that starts in s at offset and is not empty. */
static bool first_link(const struct probe *p, const struct sample *s, uint32_t offset,
		       uint64_t *ret)
{
	uint64_t back;

	return sample_u64(s, offset, ret) && is_kernel_pointer(*ret) && *ret - s->va >= s->size &&
	       space_try_u64(p->space, *ret + 8, &back, NULL) && back == s->va + offset;
}

/* In how many processes the ring at head is one of threads by their link at entry; 0 if some
 * process denies it. */
static unsigned count_processes(const struct probe *p, uint32_t head, uint32_t entry)
{
	unsigned agrees = 0, denies = 0;
	uint64_t link;

	for (size_t i = 0; i < p->num_samples; i++)
		if (first_link(p, &p->samples[i], head, &link)) {
			if (is_thread(p, &p->samples[i], link, entry))
				agrees++;
			else
				denies++;
		}
	return denies * 8 <= agrees ? agrees : 0;
}

/* All pairs of offsets that fit, at most MAX_RINGS. */
static size_t find_rings(const struct probe *p, struct thread_ring rings[MAX_RINGS])
{
	size_t found = 0;
	uint64_t link;

	for (uint32_t head = 0; head < SAMPLE_SIZE; head += 8) {
		const struct sample *s = NULL;

		for (size_t i = 0; i < p->num_samples && !s; i++)
			if (first_link(p, &p->samples[i], head, &link))
				s = &p->samples[i];
		for (uint32_t entry = 0; s && entry < THREAD_SIZE; entry += 8) {
			unsigned processes;

			if (!is_thread(p, s, link, entry))
				continue;
			processes = count_processes(p, head, entry);
			if (processes < MIN_RING_PROCESSES)
				continue;
			if (found == MAX_RINGS)
				return found + 1;
			rings[found++] = (struct thread_ring){ head, entry, processes };
		}
	}
	return found;
}

static void add_ring(struct probe *p, const struct thread_ring *ring, bool kernel_part)
{
	const char *text = probe_text(p, "a ring of threads by their link at 0x%x in %u processes",
				      ring->entry, ring->processes);
	enum discover_confidence sure =
		ring->processes >= FEW_SAMPLES ? DISCOVER_CERTAIN : DISCOVER_LIKELY;

	probe_field(p, sure, "_EPROCESS", kernel_part ? "Pcb.ThreadListHead" : "ThreadListHead",
		    ring->head, 16, "%s", text);
	probe_field(p, sure, kernel_part ? "_KTHREAD" : "_ETHREAD", "ThreadListEntry", ring->entry,
		    16, "%s", text);
	if (kernel_part)
		probe_field(p, sure, "_KPROCESS", "ThreadListHead", ring->head, 16, "%s", text);
	probe_field(p, sure, "_KTHREAD", "Header.Type", 0, 1, "6 (a thread, wdm.h): %s", text);
}

static void read_thread(struct probe *p, size_t process, uint64_t va)
{
	struct sample *s = &p->threads[p->num_threads++];

	sample_read(p->space, va, THREAD_SIZE, s);
	s->process = process;
}

/* Counts the threads of each process, and keeps some. */
static void walk_threads(struct probe *p, const struct thread_ring *ring)
{
	for (size_t i = 0; i < p->num_samples; i++) {
		struct sample *s = &p->samples[i];
		uint64_t head = s->va + ring->head, at = head, next;

		s->num_threads = unknown_count;
		for (size_t n = 0; n < MAX_RING_THREADS; n++) {
			if (!read_ring_entry(p->space, at, &next))
				break;
			if (next == head) {
				s->num_threads = n;
				break;
			}
			at = next;
			if (n < THREADS_PER_PROCESS && p->num_threads < MAX_THREADS)
				read_thread(p, i, at - ring->entry);
		}
	}
}

static void no_rings(struct probe *p, const char *why)
{
	probe_missing(p, "_EPROCESS", "ThreadListHead", "%s", why);
	probe_missing(p, "_EPROCESS", "Pcb.ThreadListHead", "%s", why);
	probe_missing(p, "_ETHREAD", "ThreadListEntry", "%s", why);
	probe_missing(p, "_KTHREAD", "ThreadListEntry", "%s", why);
}

static bool find_threads(struct probe *p)
{
	struct thread_ring rings[MAX_RINGS];
	size_t count = find_rings(p, rings);
	const struct thread_ring *executive = NULL, *kernel = NULL;

	if (count <= 2)
		for (size_t i = 0; i < count; i++) {
			if (rings[i].head < p->at[KNOWN_PID])
				kernel = &rings[i];
			else
				executive = &rings[i];
		}
	if (!count || (count == 2 && (!kernel || !executive)) || count > 2) {
		no_rings(p, count ? "several offsets with a ring of threads"
				  : "no offset with a ring of threads");
		return false;
	}
	if (kernel)
		add_ring(p, kernel, true);
	if (executive)
		add_ring(p, executive, false);
	walk_threads(p, executive ? executive : kernel);
	return true;
}

/* Judges. */

static enum verdict judge_active(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint32_t value;

	(void)p;
	if (s->num_threads == unknown_count || !sample_u32(s, offset, &value))
		return NEUTRAL;
	return value == s->num_threads ? AGREES : DENIES;
}

static enum verdict judge_thread_id(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	(void)p;
	if (!sample_u64(s, offset, &value))
		return NEUTRAL;
	return value && value < 1 << 28 && value % 4 == 0 ? AGREES : DENIES;
}

static enum verdict judge_pid(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	if (!sample_u64(s, offset, &value))
		return NEUTRAL;
	return value == p->samples[s->process].pid ? AGREES : DENIES;
}

static enum verdict judge_process(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	if (!sample_u64(s, offset, &value))
		return NEUTRAL;
	return value == p->samples[s->process].va ? AGREES : DENIES;
}

static enum verdict judge_teb(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	(void)p;
	if (!sample_u64(s, offset, &value) || !value)
		return NEUTRAL;
	return is_user_page(value) ? AGREES : DENIES;
}

static enum verdict judge_time(const struct probe *p, const struct sample *s, uint32_t offset)
{
	uint64_t value;

	(void)p;
	if (!sample_u64(s, offset, &value) || !value)
		return NEUTRAL;
	/* up to 8.1 the field has two flags below the time */
	return is_plausible_time(value) || is_plausible_time(value >> 3) ? AGREES : DENIES;
}

static const struct field_rule rules[] = {
	{ .field = KNOWN_THREAD_ID, .judge = judge_thread_id, .what = "an id" },
	{ .field = KNOWN_THREAD_PID, .judge = judge_pid, .what = "the id of the process" },
	{ .field = KNOWN_THREAD_PROCESS, .judge = judge_process, .what = "the process" },
	{ .field = KNOWN_APC_PROCESS, .judge = judge_process, .what = "the process" },
	{ .field = KNOWN_TEB, .judge = judge_teb, .what = "a user page" },
	{ .field = KNOWN_THREAD_CREATE_TIME, .judge = judge_time, .what = "a time" },
	{ .field = KNOWN_THREAD_EXIT_STATUS, .judge = judge_pending, .what = "STATUS_PENDING" },
	{ .field = KNOWN_WIN32_THREAD, .judge = judge_kernel_pointer, .what = "a kernel pointer" },
};

static const struct field_rule active_rule = {
	.field = KNOWN_ACTIVE_THREADS,
	.judge = judge_active,
	.to = SAMPLE_SIZE,
	.step = 4,
	.min_agrees = FEW_SAMPLES,
	.proof = true,
	.what = "the number of threads on the ring",
};

/* Equal numbers everywhere could be anything: flags, counts of something else. */
static bool counts_differ(const struct probe *p)
{
	size_t different = 0;

	for (size_t i = 0; i < p->num_samples; i++) {
		size_t before = 0;

		while (p->samples[before].num_threads != p->samples[i].num_threads)
			before++;
		different += before == i && p->samples[i].num_threads != unknown_count;
	}
	return different >= FEW_SAMPLES;
}

void probe_threads(struct probe *p)
{
	bool found = find_threads(p);

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct field_rule rule = rules[i];

		rule.threads = true;
		(void)probe_rule(p, &rule);
	}
	if (found && counts_differ(p))
		(void)probe_rule(p, &active_rule);
	else
		probe_missing(p, "_EPROCESS", "ActiveThreads",
			      "the rings of threads have no three different lengths");
}
