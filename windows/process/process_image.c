/* SPDX-License-Identifier: MIT */
#include "windows/process/process_image.h"

#include <inttypes.h>

DEFINE_FIELDS(process_image, PROCESS_IMAGE_FIELDS);

/* A value of 0 is none. */
static bool read_base(struct object *o, unsigned field, uint64_t *ret)
{
	uint64_t value;

	if (!object_u64(o, field, &value) || !value)
		return false;
	*ret = value;
	return true;
}

struct error *process_image_find(struct kernel *k, const struct process *p, struct space *s,
				 uint64_t *base_ret)
{
	struct field fields[process_image_num_fields];
	struct object process, peb;
	struct error *err;

	err = profile_bind(k->profile, process_image_field_rows, process_image_num_fields, fields);
	if (err)
		return err;
	if (p->peb.present) {
		peb = object_at(s, p->peb.value, fields);
		if (read_base(&peb, PROCESS_IMAGE_PEB_IMAGE_BASE, base_ret))
			return NULL;
	}
	process = object_at(k->space, p->eprocess, fields);
	if (read_base(&process, PROCESS_IMAGE_SECTION, base_ret))
		return NULL;
	return error_new(ERROR_NOT_FOUND,
			 "process 0x%" PRIx64 ": it has no image, or its base is absent",
			 p->eprocess);
}
