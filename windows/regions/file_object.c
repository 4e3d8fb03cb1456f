/* SPDX-License-Identifier: MIT */
#include "windows/regions/file_object.h"

#include <string.h>

DEFINE_FIELDS(file_object, FILE_OBJECT_FIELDS);

enum { IO_TYPE_FILE = 5 /* wdm.h */ };

struct error *file_object_reader_init(struct kernel *k, struct file_object_reader *ret)
{
	struct file_object_reader r = { .space = k->space };
	struct error *err;

	if (!profile_type_size(k->profile, "_FILE_OBJECT", &r.object_size))
		r.object_size = 0;
	err = profile_bind(k->profile, file_object_field_rows, file_object_num_fields, r.fields);
	if (err)
		return err;
	r.known = r.fields[FILE_OBJECT_TYPE].present;
	*ret = r;
	return NULL;
}

static struct opt_u64 pointer(struct object *o, unsigned field)
{
	struct opt_u64 ret = object_opt(o, field);

	ret.present = ret.present && ret.value;
	return ret;
}

char *file_object_name(const struct file_object_reader *r, uint64_t va, struct arena *a)
{
	struct object o = object_at(r->space, va, r->fields);
	char *name = NULL;

	if (!object_unicode(&o, FILE_OBJECT_NAME, r->space, a, &name) || !*name)
		return NULL;
	return name;
}

static void read_access(struct object *o, char ret[FILE_ACCESS_TEXT_SIZE])
{
	static const struct {
		unsigned field;
		char letter;
	} rights[] = {
		{ FILE_OBJECT_READ, 'R' },	   { FILE_OBJECT_WRITE, 'W' },
		{ FILE_OBJECT_DELETE, 'D' },	   { FILE_OBJECT_SHARED_READ, 'r' },
		{ FILE_OBJECT_SHARED_WRITE, 'w' }, { FILE_OBJECT_SHARED_DELETE, 'd' },
	};
	char text[FILE_ACCESS_TEXT_SIZE] = "";
	uint64_t granted;

	for (size_t i = 0; i < ARRAY_SIZE(rights); i++) {
		if (!object_u64(o, rights[i].field, &granted))
			return;
		text[i] = granted ? rights[i].letter : '-';
	}
	memcpy(ret, text, sizeof(text));
}

bool file_object_read(const struct file_object_reader *r, uint64_t va, struct arena *a,
		      struct file_object *ret)
{
	struct object o = object_at(r->space, va, r->fields), pointers;
	struct file_object file = { .va = va };
	uint64_t type;

	if (!r->known) {
		*ret = file;
		return true;
	}
	if (!object_u64(&o, FILE_OBJECT_TYPE, &type) || type != IO_TYPE_FILE)
		return false;
	file.name = file_object_name(r, va, a);
	file.device = pointer(&o, FILE_OBJECT_DEVICE);
	file.flags = object_opt(&o, FILE_OBJECT_FLAGS);
	file.delete_pending = object_opt(&o, FILE_OBJECT_DELETE_PENDING);
	read_access(&o, file.access);
	file.pointers = pointer(&o, FILE_OBJECT_POINTERS);
	if (file.pointers.present) {
		pointers = object_at(r->space, file.pointers.value, r->fields);
		file.data_section = pointer(&pointers, FILE_OBJECT_DATA);
		file.shared_cache_map = pointer(&pointers, FILE_OBJECT_CACHE);
		file.image_section = pointer(&pointers, FILE_OBJECT_IMAGE);
	}
	*ret = file;
	return true;
}

/* Absent, or a flag of one byte. */
static bool is_flag(struct object *o, unsigned field)
{
	struct opt_u64 v = object_opt(o, field);

	return !v.present || v.value <= 1;
}

/* None, or where objects of the kernel are. */
static bool is_kernel_pointer(struct object *o, unsigned field)
{
	struct opt_u64 v = object_opt(o, field);

	return v.present && (!v.value || (!(v.value & 7) && v.value >> 56 == 0xff));
}

bool file_object_is_plausible(const struct file_object_reader *r, uint64_t va)
{
	struct object o = object_at(r->space, va, r->fields);
	uint64_t type, size;

	if (!object_u64(&o, FILE_OBJECT_TYPE, &type) || type != IO_TYPE_FILE ||
	    !object_u64(&o, FILE_OBJECT_SIZE, &size) || (r->object_size && size != r->object_size))
		return false;
	return is_kernel_pointer(&o, FILE_OBJECT_DEVICE) &&
	       is_kernel_pointer(&o, FILE_OBJECT_POINTERS) && is_flag(&o, FILE_OBJECT_READ) &&
	       is_flag(&o, FILE_OBJECT_WRITE) && is_flag(&o, FILE_OBJECT_DELETE) &&
	       is_flag(&o, FILE_OBJECT_SHARED_READ) && is_flag(&o, FILE_OBJECT_SHARED_WRITE) &&
	       is_flag(&o, FILE_OBJECT_SHARED_DELETE);
}
