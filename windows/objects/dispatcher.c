/* SPDX-License-Identifier: MIT */
#include "windows/objects/dispatcher.h"

#include <inttypes.h>

bool dispatcher_check(struct kernel *k, struct object *o, const struct dispatcher_kind *kind,
		      struct opt_u64 *id_ret)
{
	struct opt_u64 type = object_opt(o, kind->type_field);

	*id_ret = object_opt(o, kind->id_field);
	if (!id_ret->present) {
		diag_partial(k->diag, "%s at 0x%" PRIx64 ": 0x%" PRIx64 ": %s", kind->name, o->va,
			     o->fault.va, va_state_text(o->fault.state));
		return false;
	}
	if (id_ret->value >= MAX_CLIENT_ID || (type.present && type.value != kind->type)) {
		diag_partial(k->diag,
			     "0x%" PRIx64 " is no %s: object type %" PRIu64 ", id 0x%" PRIx64,
			     o->va, kind->name, type.value, id_ret->value);
		return false;
	}
	return true;
}
