/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_REGISTRY_REGISTRY_H
#define WINDOWS_REGISTRY_REGISTRY_H

#include "windows/kernel/kernel.h"
#include "windows/registry/kcb.h"
#include "windows/registry/value.h"

/*
 * The registry of a snapshot: its hives, and keys by path.
 *
 *	struct registry *r;
 *	struct registry_key key;
 *
 *	if ((err = registry_open(k, &r)))
 *		return err;
 *	err = registry_find(r, "HKLM\\SOFTWARE\\Microsoft", a, &key);
 *	if (!err)
 *		err = registry_get(&key, "Name", a, &value);
 *	...
 *	registry_close(r);
 *
 * One thread at a time. The kernel must outlive it.
 */
struct registry;

enum { MAX_HIVES = 1 << 10 };

/* A hive and where it stands in the registry. */
struct registry_hive {
	struct hive hive;
	/* Of its root key, "\REGISTRY\MACHINE\SYSTEM": HiveRootPath, else the path of its root's
	 * KCB; NULL: neither is there. Borrowed until registry_close(). */
	const char *path;
	const char *source; /* "list" (CmpHiveListHead), "pool_scan", "big_pool" */
};

/*
 * Reads the list of hives; where it is broken or its head is not known, adds those that
 * registry_scan() finds. What is broken goes to the kernel's diag as partial. NOT_FOUND where
 * there is no hive, or the layout of hives is not known.
 */
MUST_CHECK struct error *registry_open(struct kernel *k, struct registry **ret);
void registry_close(struct registry *r); /* NULL ok */

/* Adds hives that are not in the list but in the kernel's pools, by the tag of their allocations
 * (windows/pool/pool_scan.h, windows/pool/big_pool.h). */
MUST_CHECK struct error *registry_scan(struct registry *r);

size_t registry_num_hives(const struct registry *r);
const struct registry_hive *registry_hive_at(const struct registry *r, size_t index);
/* The hive whose _CMHIVE is there; NULL: none. */
const struct registry_hive *registry_hive_by_address(const struct registry *r, uint64_t va);
/* How its keys' paths begin: its path, else its address in hexadecimal. NULL: memory is out. */
MUST_CHECK const char *registry_hive_prefix(const struct registry_hive *h, struct arena *a);

/*
 * The key of a path: "\REGISTRY\...", or one that begins with HKEY_LOCAL_MACHINE, HKLM,
 * HKEY_USERS, HKU, HKEY_CLASSES_ROOT, HKCR, or with a hive's address. Case does not matter.
 * Symbolic links are followed; CurrentControlSet is the set that Select\Current names where
 * there is no such link. *path_ret (may be NULL): the path of the key found, links resolved.
 * NOT_FOUND: there is none; FAULT: a key or list that might have it is absent. Both say where.
 */
MUST_CHECK struct error *registry_find(struct registry *r, const char *path, struct arena *a,
				       struct registry_key *ret, const char **path_ret);
/*
 * A hive by its path as above, its address, or the last part of its path or of its file's, if
 * just one hive has that. NOT_FOUND says what there is.
 */
MUST_CHECK struct error *registry_find_hive(const struct registry *r, const char *word,
					    const struct registry_hive **ret);
/* A subkey by name; errors as above. */
MUST_CHECK struct error *registry_subkey(const struct registry_key *key, const char *name,
					 size_t name_len, struct arena *a,
					 struct registry_key *ret);
/* A value by name, "" for the default value; errors as above. */
MUST_CHECK struct error *registry_get(const struct registry_key *key, const char *name,
				      struct arena *a, struct registry_value *ret);
/* The text of a value's data, as registry_data_text() has it; errors as above. */
MUST_CHECK struct error *registry_get_text(const struct registry_key *key, const char *name,
					   struct arena *a, const char **ret);

#endif
