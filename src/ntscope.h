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
 *
 * A snapshot is opened once, then every command of the program ntscope runs on it (nts_run), with
 * typed cells instead of text, and its memory is read (nts_space_open). Options are words as on
 * the program's command line: "--pid=4", "--symbols", "nt.pdb". Nothing is printed, and a snapshot
 * is never written to.
 *
 * Objects are opaque, and there is no structure whose size could change. Strings are UTF-8, with
 * an embedded NUL as C0 80; bytes of a snapshot that are no UTF-8 stay as they are. What functions
 * return as a pointer to const is borrowed from the object that was asked.
 *
 * Threads: snapshots, spaces and tables may be used by several at once; commands on one snapshot
 * wait for each other, reads do not. No object may be freed while another thread uses it.
 *
 * A file that is mapped and then becomes shorter raises SIGBUS, which the library leaves to its
 * user.
 */

/* Goes up when something here changes for those who use it; nts_interface() tells the library's. */
#define NTS_INTERFACE 1
NTS_API unsigned nts_interface(void);

/* The version of the library that is linked, "0.1.0"; static. */
NTS_API const char *nts_version(void);
/* The name of the index-th library that it can be built with, NULL after the last one; *version_ret
 * is that library's version, NULL: built without it. Static. */
NTS_API const char *nts_library(size_t index, const char **version_ret);

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
/* Lines, the last one without an end. */
NTS_API const char *nts_error_message(const struct nts_error *err);
/* 1 and *ret: the first address that is absent. 0: the error is about none. */
NTS_API int nts_error_address(const struct nts_error *err, uint64_t *ret);
/* The errno of NTS_ERROR_OS; else 0. */
NTS_API int nts_error_errno(const struct nts_error *err);
NTS_API void nts_error_free(struct nts_error *err); /* NULL ok */

/*
 * What commands there are. The objects are static; each function with an index returns NULL after
 * the last one.
 */
struct nts_command;
struct nts_column;
struct nts_option;

NTS_API const struct nts_command *nts_command(size_t index);
NTS_API const struct nts_command *nts_command_find(const char *name); /* NULL: none */
NTS_API const char *nts_command_name(const struct nts_command *c);    /* "registry keys" */
NTS_API const char *nts_command_summary(const struct nts_command *c);
NTS_API const char *nts_command_description(const struct nts_command *c); /* NULL: none */
/* What may follow the options: "ADDRESS...|-"; NULL: nothing. */
NTS_API const char *nts_command_arguments(const struct nts_command *c);
/* 0: it is run without a snapshot. */
NTS_API int nts_command_takes_snapshot(const struct nts_command *c);
/* 1: its table has at most one row. */
NTS_API int nts_command_one_object(const struct nts_command *c);
NTS_API const struct nts_column *nts_command_column(const struct nts_command *c, size_t index);
/* The command's own; of NULL: what all have. */
NTS_API const struct nts_option *nts_command_option(const struct nts_command *c, size_t index);

enum nts_type {
	NTS_U64,
	NTS_I64,
	NTS_ADDRESS,
	NTS_TEXT,
	NTS_TIME, /* FILETIME: 100 ns since 1601-01-01 UTC */
	NTS_BOOL,
	NTS_ADDRESSES,
	NTS_BYTES,
	NTS_TEXTS,
	NTS_EXPLAINED, /* values with meaning and detail */
};

NTS_API const char *nts_column_key(const struct nts_column *c); /* snake_case, stable */
NTS_API const char *nts_column_help(const struct nts_column *c);
NTS_API enum nts_type nts_column_type(const struct nts_column *c);
/* 1: in a table only when --columns, or an option that it is about, asks for it. */
NTS_API int nts_column_asked(const struct nts_column *c);

enum nts_option_kind {
	NTS_OPTION_FLAG,
	NTS_OPTION_TEXT,
	NTS_OPTION_NUMBER,  /* decimal or 0x... */
	NTS_OPTION_ADDRESS, /* hexadecimal, 0x or not */
	NTS_OPTION_SIZE,    /* as NUMBER, or decimal with K, M, G, T */
	NTS_OPTION_LIST,    /* text; may be given several times */
};

NTS_API const char *nts_option_name(const struct nts_option *o); /* without the dashes */
NTS_API enum nts_option_kind nts_option_kind(const struct nts_option *o);
NTS_API const char *nts_option_help(const struct nts_option *o);

/* What was said on the way. */
enum nts_message_kind {
	NTS_NOTE,    /* worth knowing */
	NTS_PARTIAL, /* something that should be there could not be read */
};

struct nts_snapshot;

/*
 * words: --symbols, --no-symbol-store, --no-builtin-symbols, --pagefile, --dtb, --kernel-base,
 * --input-format, --memory-map, --member, --max-memory, --max-unpacked, --threads, as `ntscope
 * help` explains them. The kernel is looked for when something first needs it. On failure *ret is
 * untouched.
 */
NTS_API struct nts_error *nts_open(const char *path, const char *const *words, size_t num_words,
				   struct nts_snapshot **ret);
/* NULL ok. Spaces of the snapshot may live on. */
NTS_API void nts_close(struct nts_snapshot *s);
/* "raw", "elf-core", "crash-dump", ... */
NTS_API const char *nts_format_name(const struct nts_snapshot *s);
/*
 * The index-th message about the snapshot as a whole: of opening it and its kernel. NULL: no more
 * so far; only the first NTS_MAX_MESSAGES are kept. kind_ret may be NULL.
 */
NTS_API const char *nts_message(struct nts_snapshot *s, size_t index,
				enum nts_message_kind *kind_ret);
#define NTS_MAX_MESSAGES 4096

/* The rows of a command. It needs neither the snapshot nor the words any more. */
struct nts_table;

/*
 * Runs a command: words are its options, arguments, and those common options that are about rows
 * (--columns, --where, --sort, --limit, --pid, ...). s is NULL for commands that take no snapshot;
 * some of these take the path of one as their first argument. "batch" is the program's alone.
 */
NTS_API struct nts_error *nts_run(struct nts_snapshot *s, const char *command,
				  const char *const *words, size_t num_words,
				  struct nts_table **ret);
NTS_API void nts_table_free(struct nts_table *t); /* NULL ok */

/* The program's exit status: 0 all was read, 3 something that should be there could not be read;
 * other values as a command explains them. */
NTS_API int nts_table_status(const struct nts_table *t);
/* As nts_message(), of this run. */
NTS_API const char *nts_table_message(const struct nts_table *t, size_t index,
				      enum nts_message_kind *kind_ret);
/* Bytes that the command wrote in place of rows (read --raw), NTS_MAX_OUTPUT at most; NULL: it did
 * not. */
#define NTS_MAX_OUTPUT 0x40000000
NTS_API const void *nts_table_output(const struct nts_table *t, size_t *size_ret);
NTS_API size_t nts_table_rows(const struct nts_table *t);
/* NULL after the last one. */
NTS_API const struct nts_column *nts_table_column(const struct nts_table *t, size_t index);

/*
 * Cells. A row, column or index that is not there, and a type that a function does not know, is
 * as an absent cell: 0 or NULL, and *ret untouched.
 */
NTS_API int nts_cell_present(const struct nts_table *t, size_t row, size_t column);
/* Items of ADDRESSES, TEXTS, EXPLAINED; bytes of BYTES; 1 for others that are present. */
NTS_API size_t nts_cell_count(const struct nts_table *t, size_t row, size_t column);
/* U64, I64 (two's complement), ADDRESS, TIME, BOOL; an item of ADDRESSES, EXPLAINED. */
NTS_API int nts_cell_u64(const struct nts_table *t, size_t row, size_t column, size_t index,
			 uint64_t *ret);
/* TEXT; an item of TEXTS (NULL: absent); the meaning of an item of EXPLAINED. */
NTS_API const char *nts_cell_text(const struct nts_table *t, size_t row, size_t column,
				  size_t index);
/* EXPLAINED. */
NTS_API const char *nts_cell_detail(const struct nts_table *t, size_t row, size_t column,
				    size_t index);
NTS_API const uint8_t *nts_cell_bytes(const struct nts_table *t, size_t row, size_t column);

/*
 * A whole column at once, for other languages: how many bytes it takes; they are written where
 * size is enough. 0: there is no such column, or its cells are lists.
 *
 *	numbers		uint64_t value[rows]; uint8_t present[rows]
 *	TEXT, BYTES	uint64_t end[rows]; uint8_t present[rows]; uint8_t bytes[end[rows - 1]]
 *
 * Absent cells are 0 and empty. Texts are then UTF-8 proper: a NUL is a NUL, and what is no
 * UTF-8 is U+FFFD.
 */
NTS_API size_t nts_table_copy_column(const struct nts_table *t, size_t column, void *buf,
				     size_t size);

/*
 * An address space: of the kernel, or with one of the words --pid=N, --cpu=N, --dtb=ADDRESS
 * (--levels=4|5), --physical. It keeps the snapshot open.
 */
struct nts_space;
NTS_API struct nts_error *nts_space_open(struct nts_snapshot *s, const char *const *words,
					 size_t num_words, struct nts_space **ret);
NTS_API void nts_space_free(struct nts_space *space); /* NULL ok */

/* All of [address, address + len), or NTS_ERROR_FAULT that says what is absent and why. */
NTS_API struct nts_error *nts_read(struct nts_space *space, uint64_t address, void *buf,
				   size_t len);
/* One absent stretch; reason is static, one of the states of `ntscope vtop`. */
typedef void nts_gap_fn(void *arg, uint64_t address, uint64_t length, const char *reason);
/* Fills what is there, leaves the rest of buf as it was, and calls gap (may be NULL) for each
 * absent stretch, in order. How many bytes were filled. */
NTS_API size_t nts_read_partial(struct nts_space *space, uint64_t address, void *buf, size_t len,
				nts_gap_fn *gap, void *arg);
/* "mapped", "not_captured", "not_present", ...: the states of `ntscope vtop`; static. *pa_ret is
 * written, and *has_pa set to 1, where there is a physical address. */
NTS_API const char *nts_translate(struct nts_space *space, uint64_t va, uint64_t *pa_ret,
				  int *has_pa);

#ifdef __cplusplus
}
#endif

#endif
