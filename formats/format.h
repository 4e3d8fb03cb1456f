/* SPDX-License-Identifier: MIT */
#ifndef FORMATS_FORMAT_H
#define FORMATS_FORMAT_H

#include "base/arena.h"
#include "base/block_cache.h"
#include "base/diag.h"
#include "base/file.h"
#include "container/container.h"
#include "memory/physmem.h"
#include "memory/registers.h"
#include "memory/virtmem.h"

/*
 * A snapshot format: how physical memory and processor state lie in a file. To add one, write
 * formats/<name>.c that ends in one const struct format_ops and add it to registry.c.
 */
struct probe_input {
	const uint8_t *head; /* the first head_size bytes of the file */
	size_t head_size;    /* min(file size, PROBE_HEAD_SIZE) */
	uint64_t file_size;
	const char *path; /* as the user gave it; NULL: not known */
};
enum { PROBE_HEAD_SIZE = 64 << 10, MAX_CPUS = 4096, MAX_BUGCHECK_PARAMETERS = 4 };

/* Addresses that a header gives; 0 when it does not. None of them is checked by the format. */
struct dump_hints {
	uint64_t dtb;
	uint64_t kernel_base; /* of nt's image, where the format states it (triage: driver list) */
	uint64_t kdbg;	      /* KdDebuggerDataBlock */
	uint64_t ps_loaded_module_list;
	uint64_t ps_active_process_head;
	uint64_t pfn_database;
};

struct bugcheck {
	uint32_t code;
	uint64_t parameters[MAX_BUGCHECK_PARAMETERS];
};

struct exception_record {
	uint32_t code, flags;
	uint64_t record, address;
	uint32_t num_parameters;
	uint64_t parameters[15];
};

/* A stretch of the file that holds a named structure (triage dumps). */
struct dump_block {
	uint64_t file_offset; /* 0: not there */
	uint64_t size;	      /* bytes captured */
	uint64_t va;	      /* where it was in memory; 0 if the dump does not say */
};

struct dump_module {
	uint64_t base, size;
	uint64_t entry_point;
	uint32_t time_date_stamp, checksum;
	const char *name;     /* base name; owned by the dump_info's arena; NULL: unreadable */
	const char *path;     /* NULL when the dump only has short names */
	uint64_t file_offset; /* of its row */
};

struct dump_unloaded_module {
	const char *name;
	uint64_t start, end;
};

/* Data that a driver added to a crash dump; its GUID says which. */
struct dump_blob {
	uint8_t tag[16]; /* as stored: the first three fields of the GUID are little-endian */
	uint64_t file_offset;
	uint32_t size, captured; /* bytes; captured < size where the file ends too early */
};

/* A triage dump's own structures. */
struct dump_triage {
	struct dump_block mm, prcb, process, thread, call_stack;
	uint64_t stack_top; /* va of call_stack */
	uint64_t debugger_data_offset;
	struct dump_module *modules;
	size_t num_modules;
	struct dump_unloaded_module *unloaded;
	size_t num_unloaded;
	uint32_t service_pack_build; /* ServicePackBuild */
	uint32_t triage_options;
	bool has_unloaded;
};

/* What the capture says of itself. Filled by open; strings are owned by `arena`. */
struct dump_info {
	struct arena arena;
	const char *format;  /* "raw", "elf-core", "xen-core", "virtualbox-core", "crash-dump" */
	const char *subtype; /* "full", "bitmap", "triage", ...; NULL where there is none */
	const char *machine; /* "amd64" */
	uint32_t dump_type;  /* crash dumps: DumpType; else 0 */
	bool has_build, has_bugcheck, has_exception, has_system_time, has_uptime, has_comment;
	uint32_t major_version, build; /* crash dumps: MajorVersion, MinorVersion */
	struct bugcheck bugcheck;
	struct exception_record exception;
	uint64_t system_time;		   /* FILETIME */
	uint64_t system_uptime;		   /* 100 ns */
	uint32_t product_type, suite_mask; /* 0 where not given */
	const char *comment;
	/* crash dumps: the header, of 8 KiB, as it stands; borrowed from the snapshot's file */
	const uint8_t *crash_header;
	uint32_t num_cpus; /* processors that the capture names; may exceed num_registers */
	struct registers *registers; /* [num_registers], by processor; arena */
	size_t num_registers;
	/* registers[0] belongs to the processor that crashed, which the header does not number. */
	bool context_cpu_unknown;
	struct dump_hints hints;
	struct dump_triage *triage; /* NULL unless a triage dump; arena */
	struct dump_blob *blobs;    /* [num_blobs], crash dumps: in the file's order; arena */
	size_t num_blobs;
	/* Memory that the machine had, where the capture says so (crash dumps: physical memory
	 * block); arena. */
	struct mem_range *machine_runs;
	size_t num_machine_runs;
};

/* Files that a snapshot consists of; they stay open, where they are, until it is closed. */
struct file_set {
	struct file **items;
	size_t count, capacity;
};
/* Takes the file (closed also on failure). *ret is borrowed. */
MUST_CHECK struct error *file_set_add(struct file_set *set, struct file *file,
				      const struct file **ret);
/* Closes them, the last one first: decoded files read those that were there before. */
void file_set_deinit(struct file_set *set);

/* What opening a snapshot works with. All of it outlives the physmem, and the cache and the files
 * its sources. */
struct format_input {
	const struct file *file; /* the snapshot; inside a container: what it contains */
	const char *path;	 /* as the user gave it: companions lie beside it */
	struct physmem *mem;	 /* not sealed by the format */
	struct virtmem *virt;	 /* likewise */
	struct dump_info *info;	 /* its arena is set up */
	struct diag *diag;
	struct block_cache *cache; /* for decoded blocks, and for tables that grow with the file */
	struct file_set *files;	   /* for companions and decoded files (block_file_open()) */
	const struct container_options *container; /* for companions: format_open_beside() */
	const char *memory_map;			   /* snapshot_options.memory_map */
};

struct format_ops {
	const char *name;	 /* --format NAME */
	const char *description; /* one line for `formats` and README */
	const char *recognised;	 /* how, for people: the magic that it begins with, "EMiL" */
	uint32_t codecs;	 /* bits 1 << enum codec: what its blocks may be packed with */
	bool takes_memory_map;	 /* open() looks at format_input.memory_map */
	/* How sure: bits of magic verified; 0 = not mine. Pure; by content, and by name only where
	 * the format has no magic. */
	unsigned (*probe)(const struct probe_input *in);
	/*
	 * Registers runs in mem or blocks in virt, and fills info. Damage that leaves something
	 * readable goes to diag; else an error: CORRUPT, UNSUPPORTED (recognised by name), LIMIT.
	 */
	struct error *(*open)(const struct format_input *in);
};

/* All formats, in the order in which help lists them. */
extern const struct format_ops *const format_registry[];
extern const size_t num_formats;

/*
 * An open snapshot. Read-only once open; safe across threads.
 */
struct snapshot {
	struct file file; /* what the container holds, where there is one */
	struct container_levels container;
	const struct format_ops *format;
	struct block_cache *cache;
	struct file_set files;
	struct physmem *mem;  /* sealed; NULL for triage dumps */
	struct virtmem *virt; /* sealed; NULL except for triage dumps */
	struct dump_info info;
};

/* What the user knows better; strings are borrowed for the call. */
struct snapshot_options {
	/* A format's name; NULL: by content. "raw" is the file as it stands, also where it looks
	 * like a container. */
	const char *format;
	/* Raw snapshots whose holes were left out: START-END@OFFSET,... in hexadecimal, physical
	 * addresses [START, END) at OFFSET of the file; NULL: offset = address. */
	const char *memory_map;
	/* What decoding may hold in memory, in bytes: cached blocks, indexes, tables; 0: the
	 * default, BLOCK_CACHE_DEFAULT_BYTES. */
	uint64_t max_memory;
	struct container_options container;
	unsigned threads; /* for decoding ahead of one that reads in order; 0: one per processor */
};

/* options may be NULL. diag is borrowed for the call. Errors begin with the path. */
MUST_CHECK struct error *snapshot_open(const char *path, const struct snapshot_options *options,
				       struct diag *diag, struct snapshot **ret);
/* The same of a file that is open already: taken, closed also on failure. */
MUST_CHECK struct error *snapshot_open_file(struct file *file, const char *path,
					    const struct snapshot_options *options,
					    struct diag *diag, struct snapshot **ret);
void snapshot_close(struct snapshot *s); /* NULL ok */

/*
 * Opens another file that the snapshot consists of, itself or what it contains (.vmem.gz); it is
 * borrowed, and closed with the snapshot. Errors: ERROR_OS with the path (error_errno() ENOENT: it
 * is not there), as container_open().
 */
MUST_CHECK struct error *format_open_beside(const struct format_input *in, const char *path,
					    const struct file **ret);

/* Registers of one cpu for formats that fill them: a zeroed array in info's arena. */
MUST_CHECK struct error *dump_info_alloc_registers(struct dump_info *info, size_t count);

#endif
