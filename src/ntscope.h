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

/* text is borrowed for the call. Calls come one at a time, from any thread. */
typedef void nts_message_fn(void *arg, enum nts_message_kind kind, const char *text);

struct nts_options {
	const char *format;	 /* one format's name; NULL: decided by content */
	nts_message_fn *message; /* what opening could not read; NULL: not wanted */
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

#ifdef __cplusplus
}
#endif

#endif
