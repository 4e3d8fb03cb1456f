/* SPDX-License-Identifier: MIT */
#include "windows/regions/file_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "windows/objects/handle_table.h"
#include "windows/pool/pool_object.h"
#include "windows/process/process.h"
#include "windows/regions/section.h"
#include "windows/regions/vad.h"

static const uint32_t file_tags[] = { POOL_TAG('F', 'i', 'l', 'e') };

/* One way to one file object. */
struct found_file {
	uint64_t va;
	enum file_found found;
};

struct file_search {
	struct kernel *k;
	struct object_manager *om;
	struct handle_layout handles;
	uint64_t body; /* from an object's header */
	struct vad_reader vads;
	struct file_object_reader files;
	struct section_reader sections;
	struct found_file *items;
	size_t count, capacity;
	uint64_t *areas;
	size_t num_areas, area_capacity;
	uint64_t without_address;
	uint64_t past_limit; /* ways and areas that were left out */
	uint64_t absent_names;
	struct fault first_absent;
};

static struct error *add(struct file_search *s, uint64_t va, enum file_found found)
{
	struct error *err;

	if (s->count == MAX_FILE_OBJECTS) {
		s->past_limit++;
		return NULL;
	}
	if ((err = array_reserve(&s->items, &s->capacity, s->count + 1, sizeof(*s->items),
				 MAX_FILE_OBJECTS, "file objects")))
		return err;
	s->items[s->count++] = (struct found_file){ va, found };
	return NULL;
}

static struct error *add_area(struct file_search *s, struct opt_u64 va)
{
	struct error *err;

	if (!va.present)
		return NULL;
	if (s->num_areas == MAX_CONTROL_AREAS) {
		s->past_limit++;
		return NULL;
	}
	if ((err = array_reserve(&s->areas, &s->area_capacity, s->num_areas + 1, sizeof(*s->areas),
				 MAX_CONTROL_AREAS, "control areas")))
		return err;
	s->areas[s->num_areas++] = va.value;
	return NULL;
}

static struct error *add_object(struct file_search *s, uint64_t object)
{
	struct opt_u64 area = { 0 };

	if (object_is(s->om, object, "File"))
		return add(s, object, FILE_BY_HANDLE);
	if (object_is(s->om, object, "Section"))
		area.present = section_control_area(&s->sections, object, &area.value);
	return add_area(s, area);
}

static struct error *search_handles(struct file_search *s, uint64_t eprocess, const char *who)
{
	struct object process = object_at(s->k->space, eprocess, s->handles.fields);
	struct handle_walk *walk;
	struct handle_entry entry;
	struct handle_gap gap;
	struct error *err = NULL;
	enum handle_step step;
	struct fault fault;
	uint64_t table;

	if (!object_u64(&process, HANDLE_OF_PROCESS, &table) || !table)
		return NULL;
	if (!(walk = malloc(sizeof(*walk))))
		return &error_no_memory;
	if (!handle_walk_start(walk, s->k->space, &s->handles, table, &fault)) {
		if (fault.va)
			diag_partial(s->k->diag, "%s: handle table: 0x%" PRIx64 ": %s", who,
				     fault.va, va_state_text(fault.state));
		free(walk);
		return NULL;
	}
	while (!err && (step = handle_walk_next(walk, &entry, &gap)) != HANDLE_END) {
		if (step == HANDLE_GAP)
			diag_partial(s->k->diag,
				     "%s: handles %" PRIu64 " to %" PRIu64
				     ": the table's page 0x%" PRIx64 ": %s",
				     who, gap.first, gap.last, gap.fault.va, gap.why);
		else
			err = add_object(s, entry.pointer + s->body);
	}
	free(walk);
	return err;
}

static struct error *search_regions(struct file_search *s, uint64_t eprocess, const char *who)
{
	struct vad_list list CLEANUP(vad_list_deinit) = { 0 };
	struct error *err;

	if (!s->vads.known)
		return NULL;
	if ((err = vad_list_read(&s->vads, eprocess, &list)))
		return err;
	if (s->k->snap->mem) /* a small dump was never meant to hold them */
		vad_list_report(&list, s->k->diag, who);
	for (size_t i = 0; i < list.count && !err; i++) {
		const struct vad *vad = &list.items[i];

		err = add_area(s, vad->control_area);
		if (!err && vad->file_object.present)
			err = add(s, vad->file_object.value, FILE_BY_REGION);
	}
	return err;
}

static struct error *search_processes(struct file_search *s, struct opt_u64 pid)
{
	struct process_list list;
	struct error *err;
	char who[64];

	err = pid.present ? process_list_by_pid(s->k, pid.value, PROCESS_BRIEF, &list)
			  : process_list_read(s->k, PROCESS_BRIEF, &list);
	if (err)
		return err;
	for (size_t i = 0; i < list.count && !err; i++) {
		const struct process *p = &list.items[i];

		snprintf(who, sizeof(who), "process %" PRIu64, p->pid.value);
		if (!(err = search_handles(s, p->eprocess, who)))
			err = search_regions(s, p->eprocess, who);
	}
	if (!err && pid.present && !list.count)
		err = error_new(ERROR_NOT_FOUND, "no process has the id %" PRIu64, pid.value);
	process_list_deinit(&list);
	return err;
}

/* Scanning: whatever a block holds must look like a file object. */
struct file_scan {
	struct file_search *search;
	struct pool_object_reader objects;
	struct type_code code;
	uint32_t size; /* of _FILE_OBJECT */
};

static bool is_file_object(void *arg, const struct pool_place *place)
{
	struct file_scan *scan = arg;
	struct file_object_reader reader = scan->search->files;

	reader.space = place->space;
	return file_object_is_plausible(&reader, place->address);
}

static struct error *scan_blocks(struct file_scan *scan)
{
	struct pool_query query = { .tags = file_tags,
				    .num_tags = ARRAY_SIZE(file_tags),
				    .min_size = scan->size };
	struct file_search *s = scan->search;
	struct pool_place place;
	struct pool_hits hits;
	struct error *err;

	if ((err = pool_scan(s->k, &query, &hits)))
		return err;
	for (size_t i = 0; i < hits.count && !err; i++) {
		if (!pool_object_find(&scan->objects, &hits.items[i], &scan->code, scan->size,
				      is_file_object, scan, &place))
			continue;
		if (place.is_virtual)
			err = add(s, place.address, FILE_BY_SCAN);
		else
			s->without_address++;
	}
	pool_hits_deinit(&hits);
	return err;
}

static struct error *search_pool(struct file_search *s)
{
	struct file_scan scan = { .search = s };
	struct error *err;

	if (!profile_type_size(s->k->profile, "_FILE_OBJECT", &scan.size))
		scan.size = 0;
	if (!(err = pool_object_begin(s->k, &scan.objects))) {
		/* what the known files' headers have in common is what all files' have */
		for (size_t i = 0; i < s->count; i++)
			type_code_learn(&scan.objects, &scan.code, s->items[i].va);
		err = scan_blocks(&scan);
	}
	pool_object_end(&scan.objects);
	return err;
}

static int compare_found(const void *a, const void *b)
{
	const struct found_file *x = a, *y = b;

	return (x->va > y->va) - (x->va < y->va);
}

static void name_file(struct file_search *s, struct arena *a, struct listed_file *file)
{
	struct fault fault = { 0 };

	file->path = object_file_path(s->om, file->object.va, a, &fault);
	if (!file->path && fault.va && !s->absent_names++)
		s->first_absent = fault;
}

/* Each object once, with all ways that lead to it. What is no file object is left out. */
static struct error *list_objects(struct file_search *s, struct file_list *ret)
{
	size_t distinct = 0;

	if (s->count)
		qsort(s->items, s->count, sizeof(*s->items), compare_found);
	for (size_t i = 0; i < s->count; i++)
		distinct += !i || s->items[i].va != s->items[i - 1].va;
	ret->items = calloc(distinct ? distinct : 1, sizeof(*ret->items));
	if (!ret->items)
		return &error_no_memory;
	for (size_t i = 0, next; i < s->count; i = next) {
		struct listed_file file = { 0 };

		for (next = i; next < s->count && s->items[next].va == s->items[i].va; next++) {
			file.found |= s->items[next].found;
			file.handles += s->items[next].found == FILE_BY_HANDLE;
			file.regions += s->items[next].found == FILE_BY_REGION;
		}
		if (!file_object_read(&s->files, s->items[i].va, &ret->arena, &file.object)) {
			diag_partial(s->k->diag, "0x%" PRIx64 ": no file object can be read there",
				     s->items[i].va);
			continue;
		}
		name_file(s, &ret->arena, &file);
		ret->items[ret->count++] = file;
	}
	return NULL;
}

static int compare_addresses(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static struct error *list_areas(struct file_search *s, struct file_list *ret)
{
	struct error *err = NULL;

	for (size_t i = 0; i < ret->count && !err; i++)
		if (!(err = add_area(s, ret->items[i].object.data_section)))
			err = add_area(s, ret->items[i].object.image_section);
	if (err)
		return err;
	if (s->num_areas)
		qsort(s->areas, s->num_areas, sizeof(*s->areas), compare_addresses);
	for (size_t i = 0; i < s->num_areas; i++) /* each once, in place */
		if (!ret->num_areas || s->areas[i] != s->areas[ret->num_areas - 1])
			s->areas[ret->num_areas++] = s->areas[i];
	ret->areas = take_ptr(s->areas);
	return NULL;
}

static struct error *search(struct file_search *s, const struct file_list_options *options,
			    struct file_list *list)
{
	struct error *err;

	if ((err = handle_layout_bind(s->k->profile, &s->handles)) ||
	    (err = vad_reader_init(s->k, &s->vads)) ||
	    (err = file_object_reader_init(s->k, &s->files)) ||
	    (err = section_reader_init(s->k, &s->sections)))
		return err;
	if (!object_body_offset(s->om, &s->body))
		return error_new(ERROR_UNSUPPORTED, "the layout of objects is not known");
	if (!s->files.known)
		diag_partial(s->k->diag, "the layout of file objects is not known: just their "
					 "addresses are");
	if ((err = search_processes(s, options->pid)) ||
	    (options->scan && !options->pid.present && (err = search_pool(s))) ||
	    (err = list_objects(s, list)))
		return err;
	return list_areas(s, list);
}

struct error *file_list_read(struct kernel *k, struct object_manager *om,
			     const struct file_list_options *options, struct file_list *ret)
{
	struct file_search s = { .k = k, .om = om };
	struct file_list list = { 0 };
	struct error *err;

	arena_init(&list.arena, 0);
	err = search(&s, options, &list);
	free(s.items);
	free(s.areas);
	if (err) {
		file_list_deinit(&list);
		return err;
	}
	if (s.absent_names)
		diag_partial(k->diag,
			     "names of files that are absent: %" PRIu64 "; 0x%" PRIx64
			     ", the first, is %s",
			     s.absent_names, s.first_absent.va,
			     va_state_text(s.first_absent.state));
	if (s.past_limit)
		diag_partial(k->diag,
			     "%" PRIu64
			     " ways to files or sections are past the limit and left out",
			     s.past_limit);
	list.without_address = s.without_address;
	*ret = list;
	return NULL;
}

void file_list_deinit(struct file_list *list)
{
	free(list->items);
	free(list->areas);
	arena_deinit(&list->arena);
	*list = (struct file_list){ 0 };
}
