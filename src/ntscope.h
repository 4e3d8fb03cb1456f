/* SPDX-License-Identifier: MIT */
#ifndef NTSCOPE_H
#define NTSCOPE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NTS_API __attribute__((visibility("default")))

/*
 * The public interface of libntscope: offline reading of 64-bit Windows memory snapshots.
 * A snapshot is never written to, and is safe to use from several threads once it is open.
 */

/* The version of the library that is linked, "0.1.0"; static. */
NTS_API const char *nts_version(void);

/* NULL means success; anything else is freed by nts_error_free(). */
struct nts_error;

enum nts_error_code {
	NTS_ERROR_NO_MEMORY,
	NTS_ERROR_OS,	       /* a system call failed */
	NTS_ERROR_USAGE,       /* an argument is off */
	NTS_ERROR_UNSUPPORTED, /* recognised by name, and not readable */
	NTS_ERROR_CORRUPT,     /* the input contradicts itself or its format */
	NTS_ERROR_FAULT,       /* bytes at an address are absent */
	NTS_ERROR_NOT_FOUND,
	NTS_ERROR_LIMIT, /* a named limit would be passed */
};

NTS_API enum nts_error_code nts_error_code(const struct nts_error *err);
/* One line without an end; borrowed until err is freed. */
NTS_API const char *nts_error_message(const struct nts_error *err);
NTS_API void nts_error_free(struct nts_error *err); /* NULL ok */

enum nts_message_kind {
	NTS_NOTE,    /* worth knowing */
	NTS_PARTIAL, /* something that should be there could not be read */
};

/* text is borrowed for the call. Calls come one at a time, from any thread that calls into the
 * snapshot. */
typedef void nts_message_fn(void *arg, enum nts_message_kind kind, const char *text);

struct nts_options {
	const char *format;	/* one format's name; NULL: decided by content */
	const char *memory_map; /* of a raw snapshot, as --memory-map takes it; NULL: offset =
				   address */
	/* What could not be read, for as long as the snapshot is open; NULL: not wanted. */
	nts_message_fn *message;
	void *message_arg;
};

struct nts_snapshot;

/* options may be NULL. On success *ret is closed by nts_close(); on failure it is untouched. */
NTS_API struct nts_error *nts_open(const char *path, const struct nts_options *options,
				   struct nts_snapshot **ret);
NTS_API void nts_close(struct nts_snapshot *s); /* NULL ok */

/* "raw", "elf-core", "crash-dump", ...; borrowed until nts_close(). */
NTS_API const char *nts_format_name(const struct nts_snapshot *s);
/* Physical pages of 4096 bytes of which the snapshot holds at least one byte; 0 for snapshots
 * that hold virtual memory alone (triage dumps). */
NTS_API uint64_t nts_physical_pages(const struct nts_snapshot *s);
/* Copies the bytes at physical address pa up to the first absent one; the number copied. */
NTS_API size_t nts_read_physical(struct nts_snapshot *s, uint64_t pa, void *buf, size_t len);

/*
 * The Windows kernel in a snapshot: found, and its structure layouts chosen, by nts_kernel_open().
 * It borrows the snapshot, which must outlive it.
 */
struct nts_kernel_options {
	const char *const *symbols; /* files or trees, as --symbols takes them */
	size_t num_symbols;
	int no_builtin_symbols;
	const uint64_t *dtb;	     /* NULL: found */
	const uint64_t *kernel_base; /* NULL: found */
	unsigned threads;	     /* for scans; 0: one per processor */
};

struct nts_kernel;

/* options may be NULL. NTS_ERROR_NOT_FOUND tells in several lines what was tried. */
NTS_API struct nts_error *nts_kernel_open(struct nts_snapshot *s,
					  const struct nts_kernel_options *options,
					  struct nts_kernel **ret);
NTS_API void nts_kernel_close(struct nts_kernel *k); /* NULL ok */

struct nts_kernel_info {
	uint64_t base, size;		 /* of the image; size 0: unknown */
	uint64_t dtb;			 /* its page tables; 0: a triage dump without */
	unsigned paging_levels;		 /* 4 or 5; 0: a triage dump */
	unsigned build;			 /* 0: unknown */
	uint64_t system_time, boot_time; /* FILETIME; 0: unknown */
	/* borrowed until nts_kernel_close(); NULL: unknown */
	const char *pdb_name, *symbols, *located_by, *build_lab;
	char pdb_guid[33]; /* 32 hex digits as in symbol stores; empty: unknown */
	unsigned pdb_age;
};
NTS_API void nts_kernel_info(const struct nts_kernel *k, struct nts_kernel_info *ret);

/* What of a process is known. */
enum nts_process_field {
	NTS_PROCESS_PPID = 1 << 0,
	NTS_PROCESS_DTB = 1 << 1,
	NTS_PROCESS_USER_DTB = 1 << 2,
	NTS_PROCESS_THREADS = 1 << 3,
	NTS_PROCESS_HANDLES = 1 << 4,
	NTS_PROCESS_SESSION_ID = 1 << 5,
	NTS_PROCESS_CREATE_TIME = 1 << 6,
	NTS_PROCESS_EXIT_TIME = 1 << 7,
	NTS_PROCESS_WOW64 = 1 << 8,
};

struct nts_process {
	uint32_t known; /* enum nts_process_field; members not in it are 0 */
	uint64_t eprocess, pid, ppid, dtb, user_dtb, threads, handles, session_id;
	uint64_t create_time, exit_time; /* FILETIME */
	int wow64;
	/* UTF-8, an embedded NUL as C0 80; NULL: absent. Borrowed until the list is freed. */
	const char *name, *image_path, *command_line;
	const char *source; /* how it was found: "list", "cpu", "triage" */
};

struct nts_process_list;
/* The active process list, in its order. What could not be read goes to the message function. */
NTS_API struct nts_error *nts_processes(struct nts_kernel *k, struct nts_process_list **ret);
NTS_API size_t nts_process_count(const struct nts_process_list *list);
/* index < nts_process_count(). */
NTS_API void nts_process_get(const struct nts_process_list *list, size_t index,
			     struct nts_process *ret);
/* Was the whole list read? */
NTS_API int nts_process_list_complete(const struct nts_process_list *list);
NTS_API void nts_process_list_free(struct nts_process_list *list); /* NULL ok */

struct nts_module {
	uint64_t base;
	uint64_t size;		  /* 0: absent */
	uint64_t object;	  /* the loader's record; 0: a triage dump */
	uint64_t entry_point;	  /* 0: none or absent */
	uint32_t time_date_stamp; /* 0: none or absent */
	const char *name, *path;  /* as in struct nts_process */
	const char *source;	  /* "list" or "triage" */
};

struct nts_module_list;
/* The kernel's modules, in load order. */
NTS_API struct nts_error *nts_modules(struct nts_kernel *k, struct nts_module_list **ret);
NTS_API size_t nts_module_count(const struct nts_module_list *list);
NTS_API void nts_module_get(const struct nts_module_list *list, size_t index,
			    struct nts_module *ret);
NTS_API int nts_module_list_complete(const struct nts_module_list *list);
NTS_API void nts_module_list_free(struct nts_module_list *list); /* NULL ok */

/*
 * A virtual address space. A space borrows what it was made from. Safe to use from several
 * threads.
 */
struct nts_space;
NTS_API struct nts_error *nts_space_kernel(struct nts_kernel *k, struct nts_space **ret);
NTS_API struct nts_error *nts_space_process(struct nts_kernel *k, uint64_t pid,
					    struct nts_space **ret);
/* Page tables at any root; levels 4 or 5. */
NTS_API struct nts_error *nts_space_root(struct nts_snapshot *s, uint64_t dtb, unsigned levels,
					 struct nts_space **ret);
NTS_API void nts_space_free(struct nts_space *space); /* NULL ok */

/* All of [va, va + len), or NTS_ERROR_FAULT that says what is absent and why. */
NTS_API struct nts_error *nts_read(struct nts_space *space, uint64_t va, void *buf, size_t len);
/* "mapped", "not_captured", "not_present", ...: the states of `ntscope vtop`; static. *pa_ret is
 * written, and *has_pa set to 1, where there is a physical address. */
NTS_API const char *nts_translate(struct nts_space *space, uint64_t va, uint64_t *pa_ret,
				  int *has_pa);

#ifdef __cplusplus
}
#endif

#endif
