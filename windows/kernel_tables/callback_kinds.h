/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_TABLES_CALLBACK_KINDS_H
#define WINDOWS_KERNEL_TABLES_CALLBACK_KINDS_H

#include "base/compiler.h"

/* What callbacks.c reads: the kernel's lists and what their records look like. Sources of the
 * layouts: windows/kernel_tables/callbacks.h. */
enum callback_shape {
	SHAPE_SLOTS,		/* an array of EX_CALLBACKs */
	SHAPE_RINGS,		/* LIST_ENTRY heads, one after the other */
	SHAPE_CHAIN,		/* a singly linked list */
	SHAPE_CALLBACK_OBJECTS, /* a ring of objects that have a ring each */
	SHAPE_OBJECT_TYPES,	/* object types, which have a ring each */
	NUM_CALLBACK_SHAPES
};

enum callback_detail {
	DETAIL_NONE,
	DETAIL_ALTITUDE,  /* a UNICODE_STRING */
	DETAIL_COMPONENT, /* a pointer to an ANSI string */
	DETAIL_REASON,	  /* the same, and KBUGCHECK_CALLBACK_REASON at CALLBACK_REASON */
	DETAIL_DEVICE,	  /* the object is a device, whose driver has the function */
};

struct callback_kind {
	const char *symbol, *type;
	enum callback_shape shape;
	unsigned count;				       /* slots or heads */
	unsigned function, context, object, detail_at; /* offsets in the record; 0: none */
	enum callback_detail detail;
};

extern const struct callback_kind callback_kinds[];
extern const size_t num_callback_kinds;
/* of a routine after the operation; before it is SHAPE_OBJECT_TYPES' own */
extern const char callback_type_object_post[];

enum {
	CALLBACK_REASON = 0x28, /* KBUGCHECK_REASON_CALLBACK_RECORD.Reason */
	/* CALLBACK_OBJECT {Signature, Lock @8, RegisteredCallbacks @0x10, ..., ExpCallbackList} */
	CALLBACK_OBJECT_RING = 0x10,
	CALLBACK_OBJECT_LINK = 0x28,
	/* OB_CALLBACK_CONTEXT_BLOCK, linked by its first member */
	OB_ITEM_OPERATIONS = 0x10,
	OB_ITEM_REGISTRATION = 0x18,
	OB_ITEM_TYPE = 0x20,
	OB_ITEM_PRE = 0x28,
	OB_ITEM_POST = 0x30,
	/* OB_REGISTRATION {Version u16, Count u16, Context @8, Altitude @0x10, ...} */
	OB_REGISTRATION_CONTEXT = 0x08,
	OB_REGISTRATION_ALTITUDE = 0x10,
	/* OB_OPERATION: wdm.h */
	OB_OPERATION_CREATE = 1,
	OB_OPERATION_DUPLICATE = 2,
};

/* "secondary_dump_data", ...: KBUGCHECK_CALLBACK_REASON of wdm.h; NULL: unknown. */
const char *callback_reason_name(uint32_t reason);

#endif
