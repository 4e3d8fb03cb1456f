/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_DISCOVER_PROBE_H
#define WINDOWS_DISCOVER_PROBE_H

#include "arch/amd64/evaluate.h"
#include "windows/discover.h"

/* What the files of the discovery share; nobody else includes it. */
enum {
	SAMPLE_SIZE = 0xc00, /* EPROCESS has at most 0xb80 bytes on builds known */
	THREAD_SIZE = 0x980, /* ETHREAD likewise */
	MAX_SAMPLES = 32,
	MAX_THREADS = 64,
	MAX_ROWS = 1024,
	SAMPLE_NAME_SIZE = 16,
	FEW_SAMPLES = 3, /* fewer than this prove nothing alone */
};

/* The fields that code or a search over samples can tell; rows in rule.c. */
enum known_field {
	KNOWN_PID,
	KNOWN_LINKS,
	KNOWN_NAME,
	KNOWN_DTB,
	KNOWN_USER_DTB,
	KNOWN_PPID,
	KNOWN_CREATE_TIME,
	KNOWN_EXIT_TIME,
	KNOWN_EXIT_STATUS,
	KNOWN_PEB,
	KNOWN_SECTION_BASE,
	KNOWN_WOW64,
	KNOWN_DEBUG_PORT,
	KNOWN_JOB,
	KNOWN_TOKEN,
	KNOWN_PROTECTION,
	KNOWN_OBJECT_TABLE,
	KNOWN_AUDIT_NAME,
	KNOWN_VAD_TREE,
	KNOWN_VAD_TABLE,
	KNOWN_SESSION,
	KNOWN_SESSION_ID,
	KNOWN_ACTIVE_THREADS,
	KNOWN_THREAD_ID,
	KNOWN_THREAD_PID,
	KNOWN_THREAD_PROCESS,
	KNOWN_APC_PROCESS,
	KNOWN_TEB,
	KNOWN_THREAD_CREATE_TIME,
	KNOWN_THREAD_EXIT_STATUS,
	KNOWN_WIN32_THREAD,
	KNOWN_PCR_THREAD,
	NUM_KNOWN_FIELDS
};

struct known_row {
	const char *type, *path;
	unsigned size; /* bytes */
};
extern const struct known_row known_rows[NUM_KNOWN_FIELDS];

/* A structure in memory, read once. */
struct sample {
	uint64_t va;
	uint8_t bytes[SAMPLE_SIZE];
	uint8_t valid[SAMPLE_SIZE / 8]; /* of each eight bytes: are they all there? */
	size_t size;
	uint64_t pid;		     /* processes */
	char name[SAMPLE_NAME_SIZE]; /* processes; "" while unknown */
	struct space *space;	     /* processes: their own; owned; NULL: none */
	size_t num_threads;	     /* processes, once the thread lists are known */
	size_t process;		     /* threads: index of their process */
};

/* What accessors say of one field. */
struct vote {
	bool present;
	bool contradicted; /* two of them differ */
	bool weak;	   /* a guess at what a longer function does: only with data */
	uint32_t offset;
	const char *text; /* what they are and do, or why they do not say; NULL: there are none */
};

struct discovery; /* the source that is being built */
struct probe {
	struct discovery *out;
	struct space *space;
	const struct pe_image *kernel;
	struct physmem *mem;
	unsigned levels;
	const struct registers *regs;
	struct diag *diag;
	struct disasm *disasm; /* NULL: no code is read */
	const char *no_code;   /* why */
	uint64_t system;       /* EPROCESS of System */
	uint64_t kernel_pa;    /* of the image's base, if has_kernel_pa */
	bool has_kernel_pa;
	struct vote votes[NUM_KNOWN_FIELDS];
	bool has[NUM_KNOWN_FIELDS]; /* established, at offset at[] */
	uint32_t at[NUM_KNOWN_FIELDS];
	struct sample *samples; /* System first */
	size_t num_samples;
	struct sample *threads;
	size_t num_threads;
	uint64_t type_table, type_cookie; /* addresses; 0: unknown, or none */
	size_t *nodes_left;		  /* while trees are walked: how far still */
	struct error *err;		  /* NO_MEMORY, once it happened */
};

/* source.c: what is established, with the text of the evidence. No effect after p->err. */
PRINTF(2, 3) const char *probe_text(struct probe *p, const char *fmt, ...);
/* Names and texts of the row are borrowed: constants or probe_text(). */
void probe_add(struct probe *p, const struct discover_row *row);
PRINTF(7, 8)
void probe_field(struct probe *p, enum discover_confidence confidence, const char *type,
		 const char *path, uint32_t offset, uint32_t size, const char *fmt, ...);
/* A variable of the kernel at this address. */
void probe_global(struct probe *p, const char *name, uint64_t va, const char *evidence);
PRINTF(4, 5)
void probe_missing(struct probe *p, const char *type, const char *path, const char *fmt, ...);

/* memory.c: words that all checks use. */
bool in_kernel_image(const struct probe *p, uint64_t va);
bool is_kernel_pointer(uint64_t value); /* upper half, canonical, 8-aligned */
bool is_user_page(uint64_t value);	/* page-aligned, lower half, not 0 */
bool is_plausible_time(uint64_t filetime);
void sample_read(struct space *s, uint64_t va, size_t size, struct sample *ret);
bool sample_u64(const struct sample *s, uint32_t offset, uint64_t *ret);
bool sample_u32(const struct sample *s, uint32_t offset, uint32_t *ret);
/* Tag of the pool allocation that starts at va. */
bool pool_tag_is(struct space *s, uint64_t va, const char *tag);
bool read_ring_entry(struct space *s, uint64_t entry, uint64_t *next_ret); /* both sides agree */

/* Does the last part of a path, UTF-16, begin like a process's name? */
bool path_names(const uint8_t *text, size_t len, const char *name);

/* accessors.c: fills p->votes, type_table, type_cookie; adds the globals. */
void probe_accessors(struct probe *p);
/* processes.c: PID, LINKS, samples, NAME, DTB. */
MUST_CHECK struct error *probe_processes(struct probe *p);
/* rule.c: putting code and data together. */
enum verdict { AGREES, NEUTRAL, DENIES };
typedef enum verdict judge_fn(const struct probe *p, const struct sample *s, uint32_t offset);
struct tally {
	unsigned agrees, neutral, denies;
};
struct tally judge_samples(const struct probe *p, bool threads, judge_fn *judge, uint32_t offset);
/* Establishes a field by its votes and by judging all samples; where code is silent, by the
 * only offset in [from, to) that holds on min_agrees samples (to 0: by code alone). */
struct field_rule {
	enum known_field field;
	bool threads;
	judge_fn *judge;
	uint32_t from, to, step;
	unsigned min_agrees;
	bool proof;	  /* nothing else looks like that: three samples make it certain */
	const char *what; /* what judge sees */
};
/* Judges that several rules share: an exit status of what still runs; a pointer or none. */
enum { STATUS_PENDING = 0x103 };
judge_fn judge_pending, judge_kernel_pointer;
bool probe_rule(struct probe *p, const struct field_rule *rule);
void probe_establish(struct probe *p, enum known_field field, enum discover_confidence confidence,
		     uint32_t offset, const char *text);
/* process_fields.c */
void probe_process_fields(struct probe *p);
/* threads.c: thread lists, then fields of threads. */
void probe_threads(struct probe *p);
/* sessions.c, handles.c, objects.c, constants.c: see there */
void probe_sessions(struct probe *p);
void probe_handle_tables(struct probe *p);
void probe_objects(struct probe *p);
void probe_constants(struct probe *p);
/* objects.c: is there an object of the type that the exported variable names? NEUTRAL: types are
 * not known. Needs probe_objects(). */
enum verdict judge_object(const struct probe *p, uint64_t object, const char *type_variable);
/* Has the object with its header there, if it is one, any type at all? */
bool is_typed_header(const struct probe *p, uint64_t header);
bool exported_address(const struct probe *p, const char *name, uint64_t *ret);

/* Types and symbols of a source of discover_open(): see windows/symbols/type_info.h. */
extern const struct type_info_ops discovery_info;

#endif
