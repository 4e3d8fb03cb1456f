/* SPDX-License-Identifier: MIT */
#ifndef CLI_CONVERT_H
#define CLI_CONVERT_H

#include "cli/command.h"
#include "formats/writer.h"

/* The parts of `ntscope convert`. */

struct conversion_result {
	struct output_result output;
	uint8_t input_sha256[SHA256_SIZE], memory_sha256[SHA256_SIZE];
	uint64_t pages, bytes, runs, lost_pages, patches;
};

struct conversion {
	const struct format_writer *writer;
	const char *path;
	bool lz4, force, hash, has_pid;
	struct conversion_result result;
};

/* Physical memory, all of it or what is mapped, by c->writer. */
MUST_CHECK struct error *convert_memory(struct command_run *run, struct conversion *c);
/* One process's space as an ELF core. */
MUST_CHECK struct error *convert_process(struct command_run *run, struct conversion *c);

/* Adds what page tables lead to: see --only-mapped. Errors: NOT_FOUND without a kernel. */
MUST_CHECK struct error *mapped_pages_add(struct command_run *run, struct page_set *set);

#endif
