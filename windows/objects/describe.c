/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/cursor.h"
#include "windows/objects/private.h"

enum {
	MAX_RELATED_FILES = 16,	   /* a file opened relative to one opened relative to one ... */
	LINK_USES_CALLBACK = 0x10, /* OBJECT_SYMBOLIC_LINK.Flags: the target is a function */
	GUID_SIZE = 16,
};

typedef const char *describe_fn(struct object_manager *om, const struct object_info *info,
				struct arena *a, struct fault *fault);

/* A pointer that a structure has; false where it is absent (then *fault) or 0. */
static bool pointer_at(struct object_manager *om, uint64_t va, unsigned field, uint64_t *ret,
		       struct fault *fault)
{
	struct object o = om_object(om, va);

	if (!object_u64(&o, field, ret)) {
		*fault = o.fault;
		return false;
	}
	return is_kernel_address(*ret);
}

/* A device's path. Files of a volume ask for the same one again and again. */
static const char *device_path(struct object_manager *om, uint64_t device, struct arena *a,
			       struct fault *fault)
{
	const char *path;

	if (name_cache_find(&om->paths, device, &path))
		return path;
	path = object_path(om, device, a, fault);
	if (!fault->va)
		name_cache_add(om, device, path);
	return path;
}

/* FILE_OBJECT.FileName; NULL: absent. */
static const char *file_name(struct object_manager *om, uint64_t file, struct arena *a,
			     struct fault *fault)
{
	struct object o = om_object(om, file);
	char *name;

	if (object_unicode(&o, OBJECT_FILE_NAME, o.space, a, &name))
		return name;
	*fault = o.fault;
	return NULL;
}

/*
 * The part below the device: a name without a leading backslash is relative to another file's.
 * That file may be gone by now; what is no file object any more is not believed.
 */
static const char *path_on_device(struct object_manager *om, uint64_t file, struct arena *a,
				  struct fault *fault)
{
	const char *path = file_name(om, file, a, fault), *above;
	struct fault related_fault = { 0 };
	uint64_t related;

	for (int i = 0; i < MAX_RELATED_FILES && path && *path != '\\'; i++) {
		if (!pointer_at(om, file, OBJECT_FILE_RELATED, &related, &related_fault) ||
		    !object_is(om, related, "File"))
			break;
		above = file_name(om, related, a, &related_fault);
		if (!above)
			break;
		if (*path && *above)
			path = arena_printf(a, "%s\\%s", above, path);
		else if (*above)
			path = above;
		file = related;
	}
	return path;
}

const char *object_file_path(struct object_manager *om, uint64_t file, struct arena *a,
			     struct fault *fault)
{
	struct fault device_fault = { 0 };
	const char *device = NULL, *path;
	uint64_t va;

	*fault = (struct fault){ 0 };
	path = path_on_device(om, file, a, fault);
	if (!path)
		return NULL;
	if (pointer_at(om, file, OBJECT_FILE_DEVICE, &va, &device_fault))
		device = device_path(om, va, a, &device_fault);
	if (!device)
		return *path ? path : NULL;
	return arena_printf(a, "%s%s%s", device, *path && *path != '\\' ? "\\" : "", path);
}

static const char *describe_file(struct object_manager *om, const struct object_info *info,
				 struct arena *a, struct fault *fault)
{
	return object_file_path(om, info->va, a, fault);
}

static const char *describe_process(struct object_manager *om, const struct object_info *info,
				    struct arena *a, struct fault *fault)
{
	struct object o = om_object(om, info->va);
	uint64_t pid;
	char *name;

	if (!object_u64(&o, OBJECT_PROCESS_PID, &pid)) {
		*fault = o.fault;
		return NULL;
	}
	if (!object_ansi(&o, OBJECT_PROCESS_NAME, a, &name)) {
		*fault = o.fault;
		return arena_printf(a, "(%" PRIu64 ")", pid);
	}
	return arena_printf(a, "%s (%" PRIu64 ")", name, pid);
}

static const char *describe_thread(struct object_manager *om, const struct object_info *info,
				   struct arena *a, struct fault *fault)
{
	struct object o = om_object(om, info->va);
	struct object_info process = { 0 };
	const char *owner = NULL;
	uint64_t tid;

	if (!object_u64(&o, OBJECT_THREAD_TID, &tid)) {
		*fault = o.fault;
		return NULL;
	}
	if (pointer_at(om, info->va, OBJECT_THREAD_PROCESS, &process.va, fault))
		owner = describe_process(om, &process, a, fault);
	return owner ? arena_printf(a, "tid %" PRIu64 " of %s", tid, owner)
		     : arena_printf(a, "tid %" PRIu64, tid);
}

static const char *describe_key(struct object_manager *om, const struct object_info *info,
				struct arena *a, struct fault *fault)
{
	uint64_t kcb;
	char *path;

	if (registry_key_body_kcb(&om->keys, info->va, &kcb, fault) &&
	    registry_kcb_path(&om->keys, a, kcb, &path, fault))
		return path;
	return NULL;
}

/* Its own name, else the file that it maps. */
static const char *describe_section(struct object_manager *om, const struct object_info *info,
				    struct arena *a, struct fault *fault)
{
	struct control_area area;
	uint64_t va;

	if (info->name)
		return object_info_path(om, info, a);
	if (!section_control_area(&om->sections, info->va, &va) ||
	    !control_area_read(&om->sections, va, &area) || !area.file_object.present ||
	    !object_is(om, area.file_object.value, "File"))
		return NULL;
	return object_file_path(om, area.file_object.value, a, fault);
}

/* Whose it is. */
static const char *describe_token(struct object_manager *om, const struct object_info *info,
				  struct arena *a, struct fault *fault)
{
	struct sid_meaning meaning;
	char text[SID_TEXT_SIZE];
	struct error *err;
	struct sid sid;

	if (!token_user(&om->tokens, info->va, &sid, fault))
		return NULL;
	sid_format(&sid, text);
	if ((err = sid_explain(&sid, a, &meaning))) {
		error_destroy(err);
		return NULL;
	}
	return meaning.name ? arena_printf(a, "%s (%s)", meaning.name, text)
			    : arena_strdup(a, text);
}

const char *object_link_target(struct object_manager *om, uint64_t link, struct arena *a,
			       struct fault *fault)
{
	struct object o = om_object(om, link);
	uint64_t flags;
	char *target;

	*fault = (struct fault){ 0 };
	if (om->fields[OBJECT_LINK_CALLBACK].present && object_u64(&o, OBJECT_LINK_FLAGS, &flags) &&
	    flags & LINK_USES_CALLBACK)
		return NULL;
	if (object_unicode(&o, OBJECT_LINK_TARGET, o.space, a, &target))
		return *target ? target : NULL;
	*fault = o.fault;
	return NULL;
}

struct opt_u64 object_link_time(struct object_manager *om, uint64_t link)
{
	struct object o = om_object(om, link);
	struct opt_u64 ret = { 0 };

	ret.present = object_u64(&o, OBJECT_LINK_TIME, &ret.value);
	return ret;
}

static const char *describe_link(struct object_manager *om, const struct object_info *info,
				 struct arena *a, struct fault *fault)
{
	const char *path = object_info_path(om, info, a);
	const char *target = object_link_target(om, info->va, a, fault);

	if (!path || !target)
		return path;
	return arena_printf(a, "%s -> %s", path, target);
}

/* A port without a name is one end of a connection to one that has a name. */
static const char *describe_port(struct object_manager *om, const struct object_info *info,
				 struct arena *a, struct fault *fault)
{
	const char *server = NULL;
	uint64_t communication, port;

	if (info->name)
		return object_info_path(om, info, a);
	if (pointer_at(om, info->va, OBJECT_PORT_COMMUNICATION, &communication, fault) &&
	    pointer_at(om, communication, OBJECT_CONNECTION_PORT, &port, fault) &&
	    port != info->va && object_is(om, port, "ALPC Port"))
		server = object_path(om, port, a, fault);
	return server ? arena_printf(a, "connected to %s", server) : NULL;
}

/* The provider that is registered. */
static const char *describe_registration(struct object_manager *om, const struct object_info *info,
					 struct arena *a, struct fault *fault)
{
	static const uint8_t none[GUID_SIZE];
	struct object entry;
	uint8_t g[GUID_SIZE];
	uint64_t va, guid;

	if (!pointer_at(om, info->va, OBJECT_ETW_GUID_ENTRY, &va, fault))
		return NULL;
	entry = om_object(om, va);
	if (!object_address(&entry, OBJECT_ETW_GUID, &guid) ||
	    !space_try_read(entry.space, guid, g, sizeof(g), fault) ||
	    memcmp(g, none, sizeof(g)) == 0)
		return NULL;
	return arena_printf(a, "{%08" PRIx32 "-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}",
			    load_u32(g), load_u16(g + 4), load_u16(g + 6), g[8], g[9], g[10], g[11],
			    g[12], g[13], g[14], g[15]);
}

/* Types whose objects tell more than their path. */
static const struct {
	const char *type;
	describe_fn *describe;
} descriptions[] = {
	{ "ALPC Port", describe_port },	   { "EtwRegistration", describe_registration },
	{ "File", describe_file },	   { "Key", describe_key },
	{ "Process", describe_process },   { "Section", describe_section },
	{ "SymbolicLink", describe_link }, { "Thread", describe_thread },
	{ "Token", describe_token },
};

const char *object_describe(struct object_manager *om, const struct object_info *info,
			    struct arena *a, struct fault *fault)
{
	*fault = (struct fault){ 0 };
	for (size_t i = 0; info->type && i < ARRAY_SIZE(descriptions); i++) {
		if (strcmp(descriptions[i].type, info->type) == 0)
			return descriptions[i].describe(om, info, a, fault);
	}
	*fault = info->fault;
	return object_info_path(om, info, a);
}
