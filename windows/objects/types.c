/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "windows/list.h"
#include "windows/objects/object_directory.h"
#include "windows/objects/private.h"

enum { MAX_TYPE_NAME = 64 };

/* Types whose addresses the kernel exports or has symbols for, with the names they have had since
 * Windows 7 (wdm.h, ntifs.h): for types whose own name is absent. */
static const struct known_type {
	const char *variable, *name;
} known_types[] = {
	{ "PsProcessType", "Process" },
	{ "PsThreadType", "Thread" },
	{ "PsJobType", "Job" },
	{ "IoFileObjectType", "File" },
	{ "IoDriverObjectType", "Driver" },
	{ "IoDeviceObjectType", "Device" },
	{ "CmKeyObjectType", "Key" },
	{ "MmSectionObjectType", "Section" },
	{ "SeTokenObjectType", "Token" },
	{ "ExEventObjectType", "Event" },
	{ "ExSemaphoreObjectType", "Semaphore" },
	{ "ExMutantObjectType", "Mutant" },
	{ "ExTimerObjectType", "Timer" },
	{ "ExDesktopObjectType", "Desktop" },
	{ "ExWindowStationObjectType", "WindowStation" },
	{ "LpcPortObjectType", "ALPC Port" },
	{ "AlpcPortObjectType", "ALPC Port" },
	{ "IoCompletionObjectType", "IoCompletion" },
	{ "ObpTypeObjectType", "Type" },
	{ "ObpDirectoryObjectType", "Directory" },
	{ "ObpSymbolicLinkObjectType", "SymbolicLink" },
};

/* Follows a variable of the kernel to the type it holds. */
static bool known_type_address(const struct object_manager *om, const struct known_type *t,
			       uint64_t *ret)
{
	uint64_t variable, type;

	if (!kernel_symbol(om->k, t->variable, &variable) ||
	    !space_try_u64(om->k->space, variable, &type, NULL) || !is_kernel_address(type))
		return false;
	*ret = type;
	return true;
}

static const char *known_type_name(const struct object_manager *om, uint64_t type)
{
	uint64_t va;

	for (size_t i = 0; i < ARRAY_SIZE(known_types); i++) {
		if (known_type_address(om, &known_types[i], &va) && va == type)
			return known_types[i].name;
	}
	return NULL;
}

static const char *read_type_name(struct object_manager *om, uint64_t type)
{
	struct object o = om_object(om, type);
	char *name;

	if (object_unicode(&o, OBJECT_TYPE_NAME, o.space, &om->arena, &name) && *name &&
	    strlen(name) <= MAX_TYPE_NAME)
		return name;
	return known_type_name(om, type);
}

/* The first entries of the table are no types: 0 and a mark that is no address. */
static bool read_table_entry(struct object_manager *om, uint8_t index, uint64_t *ret)
{
	struct object type;
	uint64_t va, number;

	if (!om->types.table ||
	    !space_try_u64(om->k->space, om->types.table + index * UINT64_C(8), &va, NULL) ||
	    !is_kernel_address(va))
		return false;
	type = om_object(om, va);
	if (object_u64(&type, OBJECT_TYPE_NUMBER, &number) && number != index)
		return false;
	*ret = va;
	return true;
}

const struct object_type *object_type_of(struct object_manager *om, uint8_t index)
{
	struct object_type *t = &om->types.items[index];

	if (!t->tried) {
		t->tried = true;
		if (!t->va && !read_table_entry(om, index, &t->va))
			t->va = 0;
		if (t->va)
			t->name = read_type_name(om, t->va);
	}
	return t->va || t->name ? t : NULL;
}

/* Puts a type in its place; its own number tells which. */
static void learn_type(struct object_manager *om, uint64_t va)
{
	struct object o = om_object(om, va);
	uint64_t number;

	if (is_kernel_address(va) && object_u64(&o, OBJECT_TYPE_NUMBER, &number) &&
	    number < MAX_OBJECT_TYPES)
		om->types.items[number].va = va;
}

static bool find_type_type(const struct object_manager *om, uint64_t *ret)
{
	const struct kernel *k = om->k;
	uint64_t variable;

	if (!kernel_symbol(k, "ObpTypeObjectType", &variable)) {
		if (!k->has_kdbg || !k->kdbg.has[KDBG_OBP_TYPE_OBJECT_TYPE])
			return false;
		variable = k->kdbg.value[KDBG_OBP_TYPE_OBJECT_TYPE];
	}
	return space_try_u64(k->space, variable, ret, NULL) && is_kernel_address(*ret);
}

/* Every type is an object of the type "Type", whose list has them by their creator headers. */
static struct error *learn_from_list(struct object_manager *om, uint64_t type_type)
{
	struct object o = om_object(om, type_type);
	struct list list;
	struct error *err;
	uint64_t head;

	learn_type(om, type_type);
	if (!object_address(&o, OBJECT_TYPE_LIST, &head) || !om->has_name_infos)
		return NULL;
	if ((err = list_read(om->k->space, head, MAX_OBJECT_TYPES, &list)))
		return err;
	list_report(&list, om->k->diag, "list of object types");
	for (size_t i = 0; i < list.count; i++)
		learn_type(om, list.entries[i] - om->fields[OBJECT_CREATOR_LIST].offset +
				       om->creator_size + om->fields[OBJECT_BODY].offset);
	list_deinit(&list);
	return NULL;
}

static void learn_from_exports(struct object_manager *om)
{
	uint64_t va;

	for (size_t i = 0; i < ARRAY_SIZE(known_types); i++) {
		if (known_type_address(om, &known_types[i], &va))
			learn_type(om, va);
	}
}

/* OBJECT_HEADER.TypeIndex as it is in memory, and what the address alone does to it. */
struct raw_index {
	uint8_t value, mask;
};

static bool read_raw_index(struct object_manager *om, uint64_t va, struct raw_index *ret)
{
	uint64_t header = va - om->fields[OBJECT_BODY].offset, value;
	struct object o = om_object(om, header);

	if (!om->fields[OBJECT_BODY].present || !object_u64(&o, OBJECT_TYPE_INDEX, &value))
		return false;
	*ret = (struct raw_index){ (uint8_t)value, (uint8_t)(header >> 8) };
	return true;
}

/*
 * The number of one type is known: that of an object of it tells the cookie. type_type is of the
 * type "Type", as it is itself; else System is of the type that PsProcessType holds.
 */
static bool solve_cookie(struct object_manager *om, uint64_t type_type)
{
	static const struct known_type process = { "PsProcessType", "Process" };
	const struct global_value *global = &om->k->globals[GLOBAL_PS_INITIAL_SYSTEM_PROCESS];
	uint64_t type = type_type, object = type_type, number;
	struct raw_index raw;
	struct object o;

	if (!type && (!known_type_address(om, &process, &type) || !global->present ||
		      !space_try_u64(om->k->space, global->va, &object, NULL)))
		return false;
	o = om_object(om, type);
	if (!object_u64(&o, OBJECT_TYPE_NUMBER, &number) || !read_raw_index(om, object, &raw))
		return false;
	om->types.cookie = raw.value ^ raw.mask ^ (uint8_t)number;
	return true;
}

/*
 * Types are objects of one type. Where their headers all have the same byte, there is no cookie;
 * where they have the same once the address is taken out, there is one. Else: not known.
 */
static bool learn_cookie(struct object_manager *om, uint64_t type_type)
{
	bool same_value = true, same_decoded = true;
	struct raw_index first = { 0 }, raw;
	size_t count = 0;

	for (size_t i = 0; i < MAX_OBJECT_TYPES; i++) {
		uint64_t va = om->types.items[i].va;

		if (!va || !read_raw_index(om, va, &raw))
			continue;
		if (!count++)
			first = raw;
		same_value &= raw.value == first.value;
		same_decoded &= (raw.value ^ raw.mask) == (first.value ^ first.mask);
	}
	if (count < 2 || same_value == same_decoded)
		return false;
	om->types.has_cookie = same_decoded;
	return same_value || solve_cookie(om, type_type);
}

static struct error *learn_types(struct object_manager *om)
{
	uint64_t type_type = 0;
	struct error *err;

	if (find_type_type(om, &type_type) && (err = learn_from_list(om, type_type)))
		return err;
	learn_from_exports(om);
	om->types.known = learn_cookie(om, type_type);
	return NULL;
}

/* The root of the namespace is a directory, whatever else is known of types. */
static void name_directories(struct object_manager *om)
{
	struct object_info info;
	struct error *err;
	uint64_t root;

	if ((err = object_root_directory(om->k, &root))) {
		error_destroy(err);
		return;
	}
	if (object_read_header(om, root, &info) == OBJECT_READ && info.type_index.present &&
	    !info.type)
		om->types.items[info.type_index.value].name = "Directory";
}

/* False: there is no symbol of the table, or the byte of its cookie is absent. */
static bool find_table(struct object_manager *om)
{
	struct object_types *t = &om->types;
	uint64_t table, va;

	if (!kernel_symbol(om->k, "ObTypeIndexTable", &table))
		return false;
	t->has_cookie = kernel_symbol(om->k, "ObHeaderCookie", &va);
	if (t->has_cookie && !space_try_read(om->k->space, va, &t->cookie, 1, NULL))
		return false;
	t->table = table;
	t->known = true;
	return true;
}

struct error *object_types_find(struct object_manager *om)
{
	struct error *err;

	if (!find_table(om) && (err = learn_types(om)))
		return err;
	if (om->types.known)
		name_directories(om);
	return NULL;
}
