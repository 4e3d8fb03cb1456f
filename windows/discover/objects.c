/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "windows/discover/probe.h"
#include "windows/object.h"

/*
 * Headers of kernel objects and their types. The header's layout is that of every AMD64 kernel
 * since 7 (public PDBs); it is used where the types that it leads to are the right ones.
 */
enum {
	HEADER_SIZE = 0x30, /* OBJECT_HEADER.Body */
	HEADER_TYPE_INDEX = 0x18,
	TYPE_SIZE = 0x80, /* where in an OBJECT_TYPE its name is looked for */
	UNICODE_STRING_SIZE = 16,
};

static bool object_type(const struct probe *p, uint64_t object, uint64_t *ret)
{
	uint64_t header = object - HEADER_SIZE;
	uint8_t index, cookie;

	if (!p->type_table ||
	    !space_try_read(p->space, header + HEADER_TYPE_INDEX, &index, 1, NULL))
		return false;
	if (p->type_cookie) {
		if (!space_try_read(p->space, p->type_cookie, &cookie, 1, NULL))
			return false;
		index ^= (uint8_t)(header >> 8) ^ cookie;
	}
	return space_try_u64(p->space, p->type_table + index * UINT64_C(8), ret, NULL);
}

bool is_typed_header(const struct probe *p, uint64_t header)
{
	uint64_t type;

	return is_kernel_pointer(header) && object_type(p, header + HEADER_SIZE, &type) &&
	       is_kernel_pointer(type);
}

enum verdict judge_object(const struct probe *p, uint64_t object, const char *type_variable)
{
	uint64_t variable, wanted, type;

	if (!p->type_table || !exported_address(p, type_variable, &variable) ||
	    !space_try_u64(p->space, variable, &wanted, NULL))
		return NEUTRAL;
	if (!is_kernel_pointer(object))
		return DENIES;
	if (!object_type(p, object, &type))
		return NEUTRAL;
	return type == wanted ? AGREES : DENIES;
}

/* Is there a UNICODE_STRING with this text? */
static bool has_text(const struct probe *p, uint64_t va, const char *text)
{
	struct arena arena;
	struct fault fault;
	char *found;
	bool ret;

	arena_init(&arena, 0);
	ret = read_unicode_string(p->space, va, false, &arena, &found, &fault) &&
	      strcmp(found, text) == 0;
	arena_deinit(&arena);
	return ret;
}

/* Where the types that the kernel exports have the names that they are known by. */
static void find_type_name(struct probe *p)
{
	static const struct {
		const char *variable, *name;
	} types[] = {
		{ "PsProcessType", "Process" },	  { "PsThreadType", "Thread" },
		{ "IoFileObjectType", "File" },	  { "ExEventObjectType", "Event" },
		{ "SeTokenObjectType", "Token" }, { "ExSemaphoreObjectType", "Semaphore" },
	};
	uint32_t at = 0, found = 0;
	unsigned agrees = 0;
	uint64_t variable, type;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!exported_address(p, types[i].variable, &variable) ||
		    !space_try_u64(p->space, variable, &type, NULL) || !is_kernel_pointer(type))
			continue;
		for (at = 0; at < TYPE_SIZE && !has_text(p, type + at, types[i].name); at += 8)
			;
		if (at == TYPE_SIZE)
			continue; /* its name is absent */
		if (agrees && at != found)
			agrees = ARRAY_SIZE(types); /* past any count: not one place for all */
		found = at;
		agrees++;
	}
	if (agrees < 2 || agrees > ARRAY_SIZE(types))
		probe_missing(p, "_OBJECT_TYPE", "Name", "exported types with their name: %s",
			      agrees < 2 ? "too few" : "not all at one offset");
	else
		probe_field(p, DISCOVER_CERTAIN, "_OBJECT_TYPE", "Name", found, UNICODE_STRING_SIZE,
			    "%u exported types have their name there", agrees);
}

static void no_types(struct probe *p, const char *why)
{
	static const char *const paths[] = { "TypeIndex", "Body" };

	p->type_table = p->type_cookie = 0;
	probe_missing(p, "", "ObTypeIndexTable", "%s", why);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		probe_missing(p, "_OBJECT_HEADER", paths[i], "%s", why);
}

void probe_objects(struct probe *p)
{
	unsigned agrees = 0;
	const char *text;

	if (!p->type_table) {
		no_types(p, "ObGetObjectType: its code is absent or does not lead to a table");
		return;
	}
	for (size_t i = 0; i < p->num_samples; i++) {
		enum verdict verdict = judge_object(p, p->samples[i].va, "PsProcessType");

		if (verdict == DENIES) {
			no_types(p, "ObGetObjectType: by its table processes are no processes");
			return;
		}
		agrees += verdict == AGREES;
	}
	if (agrees < 2) {
		no_types(p, "ObGetObjectType: its table or the headers of processes are absent");
		return;
	}
	text = probe_text(p,
			  "ObGetObjectType: table 0x%jx%s; the headers of %u processes lead to "
			  "PsProcessType",
			  (uintmax_t)p->type_table, p->type_cookie ? " and cookie" : "", agrees);
	probe_global(p, "ObTypeIndexTable", p->type_table, text);
	if (p->type_cookie)
		probe_global(p, "ObHeaderCookie", p->type_cookie, text);
	probe_field(p, DISCOVER_CERTAIN, "_OBJECT_HEADER", "TypeIndex", HEADER_TYPE_INDEX, 1, "%s",
		    text);
	probe_field(p, DISCOVER_CERTAIN, "_OBJECT_HEADER", "Body", HEADER_SIZE, 8, "%s", text);
	find_type_name(p);
}
