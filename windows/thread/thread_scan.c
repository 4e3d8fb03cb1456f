/* SPDX-License-Identifier: MIT */
#include "windows/pool/plausible.h"
#include "windows/pool/pool_object.h"
#include "windows/thread/private.h"

/* Threads by the tag of their pool blocks, as windows/process/process_scan.c finds processes. */

static const uint32_t thread_tags[] = { POOL_TAG('T', 'h', 'r', 'e') };

enum { MAX_SAMPLES = 64 /* threads that tell what a thread's header looks like */ };

struct thread_scan {
	struct thread_reader *reader;
	struct pool_object_reader objects;
	struct type_code code;
	size_t samples;
};

static bool is_thread_object(void *arg, const struct pool_place *place)
{
	struct thread_scan *scan = arg;
	struct object o = object_at(place->space, place->address, scan->reader->fields);
	struct opt_u64 type = object_opt(&o, THREAD_TYPE), state = object_opt(&o, THREAD_STATE);

	return (!type.present || type.value == DISPATCHER_THREAD) && plausible_id(&o, THREAD_TID) &&
	       plausible_id(&o, THREAD_PID) && plausible_time(&o, THREAD_CREATE_TIME) &&
	       plausible_pointer(&o, THREAD_PROCESS) && plausible_pointer(&o, THREAD_STACK_BASE) &&
	       plausible_pointer(&o, THREAD_STACK_LIMIT) &&
	       plausible_links(&o, THREAD_KERNEL_LINKS) &&
	       (!state.present || thread_state_name(state.value));
}

static struct error *add_hit(struct thread_scan *scan, const struct pool_hit *hit, uint32_t size)
{
	struct thread t = { .source = "pool_scan", .pool = opt_u64(hit->pa) };
	struct pool_place place;
	struct object o;

	if (!pool_object_find(&scan->objects, hit, &scan->code, size, is_thread_object, scan,
			      &place))
		return NULL;
	if (place.is_virtual)
		t.ethread = place.address;
	o = object_at(place.space, place.address, scan->reader->fields);
	return thread_add_object(scan->reader, &o, &t);
}

static struct error *learn_from(struct thread_scan *scan, uint64_t eprocess)
{
	struct thread_list threads;
	struct error *err = thread_list_read(scan->reader->k, eprocess, &threads);

	if (err)
		return err;
	for (size_t i = 0; i < threads.count && scan->samples < MAX_SAMPLES; i++) {
		type_code_learn(&scan->objects, &scan->code, threads.items[i].ethread);
		scan->samples++;
	}
	thread_list_deinit(&threads);
	return NULL;
}

/* What the listed threads' headers have in common is what all threads' have. */
static struct error *learn_type(struct thread_scan *scan)
{
	struct process_list processes;
	struct error *err = process_list_read(scan->reader->k, PROCESS_BRIEF, &processes);

	if (err)
		return err;
	for (size_t i = 0; i < processes.count && !err && scan->samples < MAX_SAMPLES; i++)
		err = learn_from(scan, processes.items[i].eprocess);
	process_list_deinit(&processes);
	return err;
}

static struct error *scan_threads(struct thread_scan *scan)
{
	struct kernel *k = scan->reader->k;
	struct pool_query query = { .tags = thread_tags, .num_tags = ARRAY_SIZE(thread_tags) };
	struct pool_hits hits;
	struct error *err;
	uint32_t size;

	if (!profile_type_size(k->profile, "_ETHREAD", &size))
		size = 0;
	query.min_size = size;
	if ((err = learn_type(scan)) || (err = pool_scan(k, &query, &hits)))
		return err;
	for (size_t i = 0; i < hits.count && !err; i++)
		err = add_hit(scan, &hits.items[i], size);
	pool_hits_deinit(&hits);
	return err;
}

struct error *thread_list_scan(struct kernel *k, struct thread_list *ret)
{
	struct thread_scan scan = { 0 };
	struct thread_reader r;
	struct error *err;

	if (!k->snap->mem)
		return error_new(ERROR_UNSUPPORTED, "a triage dump has no physical memory to scan");
	scan.reader = &r;
	if (!(err = thread_reader_begin(&r, k, MAX_SCANNED_THREADS, ret)) &&
	    !(err = pool_object_begin(k, &scan.objects)))
		err = scan_threads(&scan);
	pool_object_end(&scan.objects);
	return thread_reader_end(&r, err);
}
