/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_OBJECT_MANAGER_H
#define WINDOWS_OBJECT_MANAGER_H

#include "windows/kernel/kernel.h"

/*
 * Kernel objects as the object manager sees them: the header before an object's body, its type,
 * its name, and where in the namespace that name is. Layouts are those of the public PDBs
 * (OBJECT_HEADER, OBJECT_HEADER_NAME_INFO, OBJECT_TYPE); "Windows Internals", chapter "System
 * mechanisms", describes them.
 */
#define OBJECT_MANAGER_FIELDS(F)                                                           \
	F(OBJECT, BODY, "_OBJECT_HEADER", "Body", OPTIONAL)                                \
	F(OBJECT, TYPE_INDEX, "_OBJECT_HEADER", "TypeIndex", OPTIONAL)                     \
	F(OBJECT, INFO_MASK, "_OBJECT_HEADER", "InfoMask", OPTIONAL)                       \
	F(OBJECT, FLAGS, "_OBJECT_HEADER", "Flags", OPTIONAL)                              \
	F(OBJECT, POINTER_COUNT, "_OBJECT_HEADER", "PointerCount", OPTIONAL)               \
	F(OBJECT, HANDLE_COUNT, "_OBJECT_HEADER", "HandleCount", OPTIONAL)                 \
	F(OBJECT, NAME_DIRECTORY, "_OBJECT_HEADER_NAME_INFO", "Directory", OPTIONAL)       \
	F(OBJECT, NAME, "_OBJECT_HEADER_NAME_INFO", "Name", OPTIONAL)                      \
	F(OBJECT, CREATOR_LIST, "_OBJECT_HEADER_CREATOR_INFO", "TypeList", OPTIONAL)       \
	F(OBJECT, TYPE_NAME, "_OBJECT_TYPE", "Name", OPTIONAL)                             \
	F(OBJECT, TYPE_NUMBER, "_OBJECT_TYPE", "Index", OPTIONAL)                          \
	F(OBJECT, TYPE_LIST, "_OBJECT_TYPE", "TypeList", OPTIONAL)                         \
	F(OBJECT, LINK_TARGET, "_OBJECT_SYMBOLIC_LINK", "LinkTarget", OPTIONAL)            \
	F(OBJECT, LINK_CALLBACK, "_OBJECT_SYMBOLIC_LINK", "Callback", OPTIONAL)            \
	F(OBJECT, LINK_FLAGS, "_OBJECT_SYMBOLIC_LINK", "Flags", OPTIONAL)                  \
	F(OBJECT, LINK_TIME, "_OBJECT_SYMBOLIC_LINK", "CreationTime", OPTIONAL)            \
	F(OBJECT, FILE_DEVICE, "_FILE_OBJECT", "DeviceObject", OPTIONAL)                   \
	F(OBJECT, FILE_NAME, "_FILE_OBJECT", "FileName", OPTIONAL)                         \
	F(OBJECT, FILE_RELATED, "_FILE_OBJECT", "RelatedFileObject", OPTIONAL)             \
	F(OBJECT, PROCESS_PID, "_EPROCESS", "UniqueProcessId", OPTIONAL)                   \
	F(OBJECT, PROCESS_NAME, "_EPROCESS", "ImageFileName", OPTIONAL)                    \
	F(OBJECT, THREAD_TID, "_ETHREAD", "Cid.UniqueThread", OPTIONAL)                    \
	F(OBJECT, THREAD_PID, "_ETHREAD", "Cid.UniqueProcess", OPTIONAL)                   \
	F(OBJECT, THREAD_PROCESS, "_KTHREAD", "Process", OPTIONAL)                         \
	F(OBJECT, PORT_COMMUNICATION, "_ALPC_PORT", "CommunicationInfo", OPTIONAL)         \
	F(OBJECT, CONNECTION_PORT, "_ALPC_COMMUNICATION_INFO", "ConnectionPort", OPTIONAL) \
	F(OBJECT, ETW_GUID_ENTRY, "_ETW_REG_ENTRY", "GuidEntry", OPTIONAL)                 \
	F(OBJECT, ETW_GUID, "_ETW_GUID_ENTRY", "Guid", OPTIONAL)
DECLARE_FIELDS(object_manager, OBJECT_MANAGER_FIELDS);

struct object_manager;

/*
 * Binds the layouts and finds the kernel's table of types: ObTypeIndexTable and, from Windows 10,
 * ObHeaderCookie; without these symbols from the list of types that the debugger's data block
 * leads to, or from the types that the kernel exports. What the build's layouts do not tell is
 * left unknown; opening fails just when memory is out. Borrows the kernel. Not safe across
 * threads: it keeps what repeats (types, directories, devices).
 */
MUST_CHECK struct error *object_manager_open(struct kernel *k, struct object_manager **ret);
void object_manager_close(struct object_manager *om); /* NULL ok */

enum object_state {
	OBJECT_READ,
	OBJECT_ABSENT,	/* its header is not in the snapshot, or the build's layout is unknown */
	OBJECT_INVALID, /* what is there is no object's header, or no page can be there */
};

struct object_info {
	uint64_t va, header;
	uint64_t type_va;	   /* OBJECT_TYPE; 0: the types are unknown */
	const char *type;	   /* "File"; NULL: unknown. Lives as long as the manager */
	struct opt_u64 type_index; /* decoded */
	/* as the header has them; info_mask says which optional headers are before it */
	struct opt_u64 flags, info_mask, pointer_count, handle_count;
	uint64_t directory; /* OBJECT_DIRECTORY that has the name; 0: none */
	const char *name;   /* its own name, in the arena; NULL: none, or absent */
	struct fault fault; /* where something of the header or name is absent; va 0: nothing is */
};

/* The object whose body is at va. Sets va, header and fault of *ret whatever it returns. */
enum object_state object_read(struct object_manager *om, uint64_t va, struct arena *a,
			      struct object_info *ret);
/* The same without its name and directory. */
enum object_state object_read_header(struct object_manager *om, uint64_t va,
				     struct object_info *ret);
/* Adds these to what object_read_header() read. */
void object_read_name(struct object_manager *om, struct arena *a, struct object_info *info);
/* Is there an object of this type ("File")? False also when that is not known. */
bool object_is(struct object_manager *om, uint64_t va, const char *type);
/* Bytes from an object's header to its body; false: the layout is unknown. */
MUST_CHECK bool object_body_offset(const struct object_manager *om, uint64_t *ret);

/*
 * "\Device\HarddiskVolume3": the object's own name below its directories'. An object that no
 * directory has is called by its own name alone, without a leading backslash, and so is one whose
 * directories are absent or run in a loop. NULL: no name, or its bytes are absent: then *fault,
 * else fault->va is 0. In the arena.
 */
const char *object_path(struct object_manager *om, uint64_t va, struct arena *a,
			struct fault *fault);
/* "\Device\HarddiskVolume3\Windows\notepad.exe" of a FILE_OBJECT; NULL as above. The type of the
 * object is not checked. */
const char *object_file_path(struct object_manager *om, uint64_t file, struct arena *a,
			     struct fault *fault);
/* Where a symbolic link leads; NULL as above, and for links that call a function of the kernel. */
const char *object_link_target(struct object_manager *om, uint64_t link, struct arena *a,
			       struct fault *fault);
/* FILETIME at which it was made. */
struct opt_u64 object_link_time(struct object_manager *om, uint64_t link);

/*
 * What a handle to this object is called, by its type: a file's path, "notepad.exe (816)" for a
 * process, a registry key's path, where a symbolic link leads, a path in the namespace for all
 * others. NULL: nothing names it, or what does is absent: then *fault. In the arena.
 */
const char *object_describe(struct object_manager *om, const struct object_info *info,
			    struct arena *a, struct fault *fault);

#endif
