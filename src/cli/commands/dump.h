/* SPDX-License-Identifier: MIT */
#ifndef CLI_DUMP_H
#define CLI_DUMP_H

#include "cli/command.h"
#include "memory/space.h"

/*
 * Files made of what a snapshot holds: `ntscope dump`. Each stretch of a file is a row of the
 * command: which bytes of the file, from which address, in which state they were, or why they are
 * absent. Absent bytes are holes of the file and read as zeros, never as anything else.
 *
 * To add a kind of file: dump_<kind>.c with a const struct dump_kind; its extern line below; its
 * line among the kinds, and its options, in cmd_dump.c.
 */
struct dump {
	struct command_run *run;
	unsigned num_files; /* begun so far */
};

struct dump_kind {
	const char *option; /* the option that asks for it, without dashes */
	bool narrows;	    /* beside another kind's option, it says which process is meant */
	/* Begins and ends its files; what is none of them is an error (NOT_FOUND ...). */
	struct error *(*run)(struct dump *dump);
};

extern const struct dump_kind dump_hive;
extern const struct dump_kind dump_module, dump_process, dump_process_object;
extern const struct dump_kind dump_vad, dump_vads, dump_file_kind;

enum {
	DUMP_MAX_STRETCHES = 1 << 24, /* of one file; a page of bytes is one, too */
};
/* Bytes of one file with its holes: what file systems take. */
#define DUMP_MAX_SIZE (UINT64_C(1) << 43)

/*
 * One file that is being written. Offsets are of the file; each byte is given at most once, in any
 * order; bytes that are never given are a hole without a row. va is where the bytes are, or would
 * be, in the snapshot; it may be absent. States are words that live as long as the program:
 * va_state_name(), or the caller's own for what no page table knows ("not_cached").
 * Errors are OS (with the path) or LIMIT.
 */
struct dump_file;

/*
 * Creates the file: where -o says, else in the current folder. proposed_name may be hostile, or
 * NULL: see dump_name(); address makes it unique where several files may propose the same. -o is
 * the file itself, unless it is a folder or ends in '/'; a second file is then a USAGE error. A
 * file that exists is an error unless --force replaces it; never are the snapshot and page files.
 */
MUST_CHECK struct error *dump_begin(struct dump *dump, const char *proposed_name,
				    struct opt_u64 address, struct dump_file **ret);
MUST_CHECK struct error *dump_bytes(struct dump_file *f, uint64_t offset, struct opt_u64 va,
				    const uint8_t *bytes, size_t len, const char *state);
/* Bytes of which only the physical address is known, or not even that. */
MUST_CHECK struct error *dump_bytes_at_pa(struct dump_file *f, uint64_t offset, struct opt_u64 pa,
					  const uint8_t *bytes, size_t len, const char *state);
/* Bytes that should be there: they count as absent. */
MUST_CHECK struct error *dump_gap(struct dump_file *f, uint64_t offset, struct opt_u64 va,
				  uint64_t len, const char *state);
/* Copies what is there of [va, va + len), which must not wrap, and leaves gaps. */
MUST_CHECK struct error *dump_range(struct dump_file *f, uint64_t offset, struct space *s,
				    uint64_t va, uint64_t len);
/* Completes the file: its size is the end of its last stretch. That bytes are absent is partial.
 * Frees f, also on failure, which removes the file. */
MUST_CHECK struct error *dump_end(struct dump_file *f);
/* For CLEANUP(): gives up and removes the file, unless it was ended (and f set to NULL by
 * take_ptr()). */
void dump_file_cleanup(struct dump_file **f);

/* Rows of the command dump. */
enum dump_column {
	DUMP_OFFSET,
	DUMP_LENGTH,
	DUMP_ADDRESS,
	DUMP_PHYSICAL,
	DUMP_PRESENT,
	DUMP_STATE,
	DUMP_FILE,
	DUMP_NUM_COLUMNS
};

#endif
