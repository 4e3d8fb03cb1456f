/* SPDX-License-Identifier: MIT */
#include "windows/pool/plausible.h"
#include "windows/pool/pool_object.h"
#include "windows/process/private.h"

/*
 * Processes by the tag of their pool blocks. Whatever a block holds must look like a process in
 * every respect that this can tell, because tags also stand in code, in files and in freed
 * memory.
 */

enum {
	MAX_ROOT_BITS = 52,
	MIN_PRINTABLE = 0x20,
	IMAGE_NAME_SIZE = 15, /* EPROCESS.ImageFileName */
};

static const uint32_t process_tags[] = { POOL_TAG('P', 'r', 'o', 'c') };

struct process_scan {
	struct process_reader *reader;
	struct pool_object_reader objects;
};

/* At least one character, and nothing else than characters up to the end. */
static bool is_plausible_name(struct object *o)
{
	uint8_t name[IMAGE_NAME_SIZE];
	uint64_t va;
	size_t length = 0;

	if (!object_address(o, PROCESS_NAME, &va) ||
	    !space_try_read(o->space, va, name, sizeof(name), NULL))
		return false;
	while (length < sizeof(name) && name[length] >= MIN_PRINTABLE)
		length++;
	return length && (length == sizeof(name) || !name[length]);
}

static bool is_plausible_root(struct object *o)
{
	uint64_t root;

	return object_u64(o, PROCESS_DTB, &root) && !(root >> MAX_ROOT_BITS);
}

static bool is_process_object(void *arg, const struct pool_place *place)
{
	struct process_scan *scan = arg;
	struct object o = object_at(place->space, place->address, scan->reader->fields);
	struct opt_u64 type = object_opt(&o, PROCESS_TYPE);

	return (!type.present || type.value == DISPATCHER_PROCESS) &&
	       plausible_id(&o, PROCESS_PID) && is_plausible_root(&o) && is_plausible_name(&o) &&
	       plausible_time(&o, PROCESS_CREATE_TIME) && plausible_time(&o, PROCESS_EXIT_TIME) &&
	       plausible_links(&o, PROCESS_LINKS) && plausible_list(&o, PROCESS_THREAD_HEAD);
}

static struct error *add_hit(struct process_scan *scan, const struct pool_hit *hit,
			     const struct type_code *code, uint32_t size)
{
	struct process p = { .source = "pool_scan", .pool = opt_u64(hit->pa) };
	struct pool_place place;
	struct object o;

	if (!pool_object_find(&scan->objects, hit, code, size, is_process_object, scan, &place))
		return NULL;
	if (place.is_virtual)
		p.eprocess = place.address;
	o = object_at(place.space, place.address, scan->reader->fields);
	return process_add_object(scan->reader, &o, &p);
}

static struct error *scan_processes(struct process_scan *scan, const struct process_list *listed)
{
	struct kernel *k = scan->reader->k;
	struct pool_query query = { .tags = process_tags, .num_tags = ARRAY_SIZE(process_tags) };
	struct type_code code = { 0 };
	struct pool_hits hits;
	struct error *err;
	uint32_t size;

	if (!profile_type_size(k->profile, "_EPROCESS", &size))
		size = 0;
	query.min_size = size;
	/* what the listed processes' headers have in common is what all processes' have */
	for (size_t i = 0; i < listed->count; i++)
		type_code_learn(&scan->objects, &code, listed->items[i].eprocess);
	if ((err = pool_scan(k, &query, &hits)))
		return err;
	for (size_t i = 0; i < hits.count && !err; i++)
		err = add_hit(scan, &hits.items[i], &code, size);
	pool_hits_deinit(&hits);
	return err;
}

struct error *process_scan_into(struct process_reader *r, const struct process_list *listed)
{
	struct process_scan scan = { .reader = r };
	struct error *err;

	if (!(err = pool_object_begin(r->k, &scan.objects)))
		err = scan_processes(&scan, listed);
	pool_object_end(&scan.objects);
	for (size_t i = 0; i < listed->count && !err; i++)
		err = process_add(r, listed->items[i].eprocess, listed->items[i].source);
	r->list->complete = listed->complete;
	return err;
}

struct error *process_list_scan(struct kernel *k, enum process_detail detail,
				struct process_list *ret)
{
	struct process_list listed;
	struct process_reader r;
	struct error *err;

	if (!k->snap->mem)
		return error_new(ERROR_UNSUPPORTED, "a triage dump has no physical memory to scan");
	if ((err = process_list_read(k, PROCESS_BRIEF, &listed)))
		return err;
	if (!(err = process_reader_begin(&r, k, detail, ret)))
		err = process_scan_into(&r, &listed);
	process_list_deinit(&listed);
	return process_reader_end(&r, err);
}
