/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_KCB_H
#define WINDOWS_REGISTRY_KCB_H

#include "windows/kernel/kernel.h"
#include "windows/registry/name.h"

/*
 * Key control blocks: one per open key, in the kernel's half. A handle's key object (_CM_KEY_BODY)
 * points to one; each has its own name and points to its parent's.
 */
#define KCB_FIELDS(F)                                                              \
	F(KCB, PARENT, "_CM_KEY_CONTROL_BLOCK", "ParentKcb", OPTIONAL)             \
	F(KCB, NAME_BLOCK, "_CM_KEY_CONTROL_BLOCK", "NameBlock", OPTIONAL)         \
	F(KCB, HIVE, "_CM_KEY_CONTROL_BLOCK", "KeyHive|KeyHash.KeyHive", OPTIONAL) \
	F(KCB, CELL, "_CM_KEY_CONTROL_BLOCK", "KeyCell|KeyHash.KeyCell", OPTIONAL) \
	F(KCB, NAME_LENGTH, "_CM_NAME_CONTROL_BLOCK", "NameLength", OPTIONAL)      \
	F(KCB, NAME_COMPRESSED, "_CM_NAME_CONTROL_BLOCK", "Compressed", OPTIONAL)  \
	F(KCB, NAME, "_CM_NAME_CONTROL_BLOCK", "Name", OPTIONAL)                   \
	F(KCB, OF_BODY, "_CM_KEY_BODY", "KeyControlBlock", OPTIONAL)
DECLARE_FIELDS(kcb, KCB_FIELDS);

/* What reading KCBs needs, bound once. The kernel must outlive it. */
struct kcb_reader {
	struct kernel *k;
	struct field fields[kcb_num_fields];
};

MUST_CHECK struct error *kcb_reader_init(struct kernel *k, struct kcb_reader *ret);

/*
 * The full path, "\REGISTRY\MACHINE\SOFTWARE". False: the build's layout is not known (fault.va
 * 0), or a block on the way to the root is absent, is none, or the chain is longer than keys nest;
 * then *fault says where, VA_MAPPED for bytes that are there and wrong.
 */
MUST_CHECK bool registry_kcb_path(const struct kcb_reader *r, struct arena *a, uint64_t kcb,
				  char **ret, struct fault *fault);
/* The KCB of a key object's body (_CM_KEY_BODY), for the other functions. */
MUST_CHECK bool registry_key_body_kcb(const struct kcb_reader *r, uint64_t body, uint64_t *kcb_ret,
				      struct fault *fault);
/* Which key it is: its hive (_HHIVE, which is also its _CMHIVE) and its cell. */
MUST_CHECK bool registry_kcb_key(const struct kcb_reader *r, uint64_t kcb, uint64_t *hive_ret,
				 uint32_t *cell_ret, struct fault *fault);

#endif
