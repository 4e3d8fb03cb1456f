/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_VAD_H
#define WINDOWS_VAD_H

#include "windows/kernel/kernel.h"

/*
 * Regions of a process: the tree of virtual address descriptors (VADs) below _EPROCESS.VadRoot
 * (Windows Internals, "Virtual address descriptors"; layouts by the public PDBs). Three shapes:
 *	7	VadRoot is an _MM_AVL_TABLE; a VAD begins with {parent and balance, left, right}
 *	8	the same table; the links are a member VadNode of the VAD
 *	8.1+	VadRoot is an _RTL_AVL_TREE; VadNode is {left, right, parent and balance}
 * Short VADs (_MMVAD_SHORT, private memory) lack what long ones (_MMVAD) say of a mapping.
 */
#define VAD_FIELDS(F)                                                                          \
	F(VAD, ROOT, "_EPROCESS", "VadRoot", OPTIONAL)                                         \
	F(VAD, COUNT, "_EPROCESS", "VadCount", OPTIONAL)                                       \
	F(VAD, TREE_ROOT, "_RTL_AVL_TREE", "Root", OPTIONAL)                                   \
	F(VAD, TABLE_NODE, "_MM_AVL_TABLE", "BalancedRoot", OPTIONAL)                          \
	F(VAD, TABLE_LEFT, "_MM_AVL_TABLE", "BalancedRoot.LeftChild", OPTIONAL)                \
	F(VAD, TABLE_RIGHT, "_MM_AVL_TABLE", "BalancedRoot.RightChild", OPTIONAL)              \
	F(VAD, TABLE_COUNT, "_MM_AVL_TABLE", "NumberGenericTableElements", OPTIONAL)           \
	F(VAD, NODE, "_MMVAD_SHORT", "VadNode", OPTIONAL)                                      \
	F(VAD, NODE_LEFT, "_RTL_BALANCED_NODE", "Left", OPTIONAL)                              \
	F(VAD, NODE_RIGHT, "_RTL_BALANCED_NODE", "Right", OPTIONAL)                            \
	F(VAD, NODE_PARENT, "_RTL_BALANCED_NODE", "ParentValue", OPTIONAL)                     \
	F(VAD, LEFT, "_MMVAD_SHORT", "LeftChild", OPTIONAL)                                    \
	F(VAD, RIGHT, "_MMVAD_SHORT", "RightChild", OPTIONAL)                                  \
	F(VAD, PARENT, "_MMVAD_SHORT", "u1.Parent", OPTIONAL)                                  \
	F(VAD, START, "_MMVAD_SHORT", "StartingVpn", OPTIONAL)                                 \
	F(VAD, END, "_MMVAD_SHORT", "EndingVpn", OPTIONAL)                                     \
	F(VAD, START_HIGH, "_MMVAD_SHORT", "StartingVpnHigh", OPTIONAL)                        \
	F(VAD, END_HIGH, "_MMVAD_SHORT", "EndingVpnHigh", OPTIONAL)                            \
	F(VAD, TYPE, "_MMVAD_SHORT", "u.VadFlags.VadType", OPTIONAL)                           \
	F(VAD, PROTECTION, "_MMVAD_SHORT", "u.VadFlags.Protection", OPTIONAL)                  \
	F(VAD, PRIVATE, "_MMVAD_SHORT", "u.VadFlags.PrivateMemory", OPTIONAL)                  \
	F(VAD, COMMIT, "_MMVAD_SHORT",                                                         \
	  "u.VadFlags.CommitCharge|u1.VadFlags1.CommitCharge|CommitCharge", OPTIONAL)          \
	F(VAD, COMMIT_HIGH, "_MMVAD_SHORT", "CommitChargeHigh", OPTIONAL)                      \
	F(VAD, MEM_COMMIT, "_MMVAD_SHORT",                                                     \
	  "u.VadFlags.MemCommit|u1.VadFlags1.MemCommit|u.PrivateVadFlags.MemCommit", OPTIONAL) \
	F(VAD, SUBSECTION, "_MMVAD", "Subsection", OPTIONAL)                                   \
	F(VAD, FIRST_PTE, "_MMVAD", "FirstPrototypePte", OPTIONAL)                             \
	F(VAD, LAST_PTE, "_MMVAD", "LastContiguousPte", OPTIONAL)                              \
	F(VAD, SUBSECTION_AREA, "_SUBSECTION", "ControlArea", OPTIONAL)                        \
	F(VAD, AREA_FILE, "_CONTROL_AREA", "FilePointer", OPTIONAL)                            \
	F(VAD, POOL_TAG, "_POOL_HEADER", "PoolTag", OPTIONAL)
DECLARE_FIELDS(vad, VAD_FIELDS);

enum {
	MAX_VADS = 1 << 20, /* regions of one process that are listed */
	VAD_TAG_SIZE = 4,
};

/* _MI_VAD_TYPE. */
enum vad_type {
	VAD_NONE,
	VAD_DEVICE_PHYSICAL_MEMORY,
	VAD_IMAGE_MAP,
	VAD_AWE,
	VAD_WRITE_WATCH,
	VAD_LARGE_PAGES,
	VAD_ROTATE_PHYSICAL,
	VAD_LARGE_PAGE_SECTION,
};

struct vad {
	uint64_t va;		   /* of the _MMVAD or _MMVAD_SHORT */
	uint64_t start, last;	   /* inclusive, whole pages */
	struct opt_u64 parent;	   /* as the node says; of the root: 0, or the table's own node */
	struct opt_u64 type;	   /* enum vad_type */
	struct opt_u64 protection; /* 5 bits, see vad_protection_name() */
	struct opt_u64 is_private; /* 0, 1 */
	struct opt_u64 commit;	   /* pages charged */
	struct opt_u64 mem_commit; /* 0, 1: committed as a whole when it was made */
	struct opt_u64 tag;	   /* of the pool block that it is in, as four bytes */
	/* What only mappings have; absent for private memory. */
	struct opt_u64 first_pte; /* prototype PTE of start */
	struct opt_u64 last_pte;  /* the last that lies in one array with it */
	struct opt_u64 subsection;
	struct opt_u64 control_area; /* vad_read_mapping() */
	struct opt_u64 file_object;  /* vad_read_mapping(); absent: backed by the page file */
};

/* Bound once per kernel; reads nothing by itself. Safe across threads. */
struct vad_reader {
	struct space *space; /* borrowed: the kernel's */
	bool known;	     /* false: the profile lacks the layout, nothing is found */
	uint32_t pool_header_size;
	size_t short_size; /* bytes of a descriptor up to the last field that all have */
	struct field fields[vad_num_fields];
};

MUST_CHECK struct error *vad_reader_init(struct kernel *k, struct vad_reader *ret);

/* Where a part of a tree is lost. */
struct vad_break {
	uint64_t node;	    /* that could not be read or believed */
	uint64_t parent;    /* whose link leads there; 0: the root's */
	uint64_t low, high; /* what may be missing lies in here, both ends inclusive */
	const char *why;
};

struct vad_list {
	struct vad *items; /* in address order */
	size_t count;
	struct vad_break *breaks; /* in the order in which they were met */
	size_t num_breaks;
	/* Nodes that are listed although they do not point back at the node above. */
	size_t num_torn;
	uint64_t first_torn;
	struct opt_u64 expected; /* how many the process says that it has */
};

/*
 * Every region of the process. A node is believed if it points back at the one above it, or if
 * it lies where the tree's order puts it and in a pool block of a VAD's tag; one that is not
 * believed or not there costs its own subtree. Errors: NO_MEMORY, UNSUPPORTED (layout unknown).
 */
MUST_CHECK struct error *vad_list_read(const struct vad_reader *r, uint64_t eprocess,
				       struct vad_list *ret);
void vad_list_deinit(struct vad_list *list);
/* Says what is lost, as partial; who: "process 412". */
void vad_list_report(const struct vad_list *list, struct diag *diag, const char *who);
/* The index of the first region that begins above va; the count: none does. */
size_t vad_list_above(const struct vad_list *list, uint64_t va);
/* The region of a list that covers va; NULL: none. Where regions overlap, as in damaged trees, only
 * the one that begins last is asked. */
const struct vad *vad_list_find(const struct vad_list *list, uint64_t va);

/* The region of the process that covers va, by descending its tree: no allocation, no messages.
 * False: none does, or the way there is lost. */
MUST_CHECK bool vad_reader_find(const struct vad_reader *r, uint64_t eprocess, uint64_t va,
				struct vad *ret);
/* The same, or else the first region above va, as far as the way down the tree shows. */
MUST_CHECK bool vad_reader_next(const struct vad_reader *r, uint64_t eprocess, uint64_t va,
				struct vad *ret);
/* vad_reader_find() for one address: binds a reader of its own. */
MUST_CHECK struct error *vad_find(struct kernel *k, uint64_t eprocess, uint64_t va, bool *found_ret,
				  struct vad *ret);
/* Fills control_area and file_object. */
void vad_read_mapping(const struct vad_reader *r, struct vad *vad);

/* The last address of the user's half of a space like this one. */
uint64_t vad_user_last(const struct space *s);

/* "private", "mapped", "image", "physical", "awe", "write_watch", "large_pages",
 * "rotate_physical", "large_page_section"; NULL: unknown. */
const char *vad_type_name(const struct vad *vad);
/* "PAGE_READWRITE", "PAGE_READWRITE|PAGE_GUARD"; NULL for more than 5 bits. */
const char *vad_protection_name(uint64_t protection);
/* Does the protection let code run there? */
bool vad_is_executable(const struct vad *vad);

#endif
