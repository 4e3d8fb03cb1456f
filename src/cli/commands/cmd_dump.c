/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/commands/dump.h"
#include "cli/processes.h"

static const struct column dump_columns[DUMP_NUM_COLUMNS] = {
	[DUMP_OFFSET] = { "offset", "OFFSET", CELL_ADDR, 10, 0, "of the stretch in the file" },
	[DUMP_LENGTH] = { "length", "LENGTH", CELL_U64, 10, COL_RIGHT, "its bytes" },
	[DUMP_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, 0,
			   "where its bytes are, or would be, in the snapshot" },
	[DUMP_PHYSICAL] = { "physical_address", "PHYSICAL", CELL_ADDR, 14, COL_ASKED,
			    "of its first byte, where no virtual one is known; rows then end where "
			    "physical pages are not in order" },
	[DUMP_PRESENT] = { "present", "PRESENT", CELL_BOOL, 7, 0,
			   "are its bytes there? absent ones read as zeros" },
	[DUMP_STATE] = { "state", "STATE", CELL_STR, 12, 0,
			 "where bytes were found (mapped, transition, ...), or why they are "
			 "absent (see vtop; not_mapped: no part of the loaded image)" },
	[DUMP_FILE] = { "file", "FILE", CELL_STR, 0, 0, "that was written" },
};

static const struct option_row dump_options[] = {
	{ "module", 'm', OPTION_STRING, "NAME|ADDRESS",
	  "the executable image of a kernel module, or with --pid of one in a process; an address "
	  "may be that of an image that no list has" },
	{ "vad", 0, OPTION_ADDRESS, "ADDRESS",
	  "the region (vads) of the process that covers this address" },
	{ "vads", 0, OPTION_FLAG, NULL,
	  "all regions of the process that have pages, into a folder" },
	{ "file", 0, OPTION_STRING, "NAME|ADDRESS",
	  "files (files) whose path has this in it, or, with * or ?, is like this, or the one "
	  "whose "
	  "object is there: what sections and the cache hold of them" },
	{ "hive", 0, OPTION_STRING, "NAME|ADDRESS",
	  "a hive of the registry (registry hives) as a hive file: its path, or the last part of "
	  "it" },
	{ "memory-layout", 0, OPTION_FLAG, NULL,
	  "images: bytes where they are in memory, not where the file has them" },
	{ "output", 'o', OPTION_STRING, "PATH",
	  "write this file, or into this folder (default: the current one)" },
	{ "force", 0, OPTION_FLAG, NULL, "replace files that exist" },
	PROCESS_OPTION_ROWS,
};

/* One line for each kind of file. Options that say more of other kinds, too, come last. */
static const struct dump_kind *const kinds[] = {
	&dump_module,  &dump_hive,	     &dump_vad, &dump_vads, &dump_file_kind,
	&dump_process, &dump_process_object,
};

static struct error *find_kind(const struct option_values *options, const struct dump_kind **ret)
{
	const struct dump_kind *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!option_flag(options, kinds[i]->option) || (found && kinds[i]->narrows))
			continue;
		if (found)
			return error_new(ERROR_USAGE, "dump: '--%s' or '--%s'?", found->option,
					 kinds[i]->option);
		found = kinds[i];
	}
	if (!found)
		return error_new(ERROR_USAGE, "dump: which file? (--module, --pid, ...)");
	*ret = found;
	return NULL;
}

static struct error *dump_run(struct command_run *run)
{
	struct dump dump = { .run = run };
	const struct dump_kind *kind = NULL;
	struct error *err = find_kind(run->options, &kind);

	return err ? err : kind->run(&dump);
}

const struct command cmd_dump = {
	.name = "dump",
	.summary = "write images and other files that the snapshot holds",
	.description =
		"Writes files and prints one row per stretch of each: where it is in the file, "
		"where in memory, and in which state its bytes were, or why they are absent. "
		"Absent bytes are holes that read as zeros; the exit status is then 3. Bytes are "
		"written as they are in memory, and never mended.\n\n"
		"--module writes an executable image with its sections where the file has them, "
		"as far as they are loaded: relocations and bound imports have changed their "
		"bytes, sections that were discarded and what follows the last one (a signature) "
		"are not there. With --pid it is a module of the process, native or 32-bit, or a "
		"driver of its session; --pid without another choice writes the image that the "
		"process was made from.\n\n"
		"--vad and --vads write regions of a process (vads) as they are mapped. --file "
		"writes what memory holds of files (files): a byte comes from the data section "
		"(data_section), else from the cache manager's views (cache), else from the image "
		"section (image_section), whose relocations are applied; where these differ, "
		"standard error says so. What none of them holds is not_cached.\n\n"
		"--hive writes a hive file of the base block and the stable bins, which registry "
		"editors and other parsers open. What keeps them from it is made (state made): the "
		"sequence numbers and the checksum of a hive in use, a base block that is absent, "
		"and free cells over what an absent page has cut off.\n\n"
		"Files are named after what the snapshot says, with an address, in the characters "
		"[A-Za-z0-9._+-]; --output chooses the file or the folder. A file that exists is "
		"kept unless --force is given.",
	.example = "ntscope dump --module tcpip.sys -o out/ memory.dmp",
	.options = dump_options,
	.num_options = ARRAY_SIZE(dump_options),
	.columns = dump_columns,
	.num_columns = DUMP_NUM_COLUMNS,
	.flags = COMMAND_NEEDS_KERNEL,
	.run = dump_run,
};
