/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/spaces.h"
#include "windows/discover.h"
#include "windows/fields.h"
#include "windows/kernel/cpu.h"

enum {
	INFO_FORMAT,
	INFO_SUBTYPE,
	INFO_MACHINE,
	INFO_FILE_SIZE,
	INFO_CONTAINER,
	INFO_UNPACKED_SIZE,
	INFO_PHYSICAL_PAGES,
	INFO_PHYSICAL_END,
	INFO_GAPS,
	INFO_MACHINE_PAGES,
	INFO_OVERLAP_BYTES,
	INFO_VIRTUAL_BYTES,
	INFO_CPUS,
	INFO_CPU_REGISTERS,
	INFO_PAGING_LEVELS,
	INFO_DTB,
	INFO_KERNEL_BASE,
	INFO_KERNEL_SIZE,
	INFO_BUILD,
	INFO_BUILD_LAB,
	INFO_VERSION,
	INFO_PDB_NAME,
	INFO_PDB_GUID,
	INFO_PDB_AGE,
	INFO_SYMBOLS,
	INFO_LOCATED_BY,
	INFO_SYSTEM_TIME,
	INFO_BOOT_TIME,
	INFO_PRODUCT_TYPE,
	INFO_SUITE_MASK,
	INFO_COMMENT,
	INFO_BUGCHECK_CODE,
	INFO_BUGCHECK_PARAMETERS,
	INFO_EXCEPTION_CODE,
	INFO_EXCEPTION_ADDRESS,
	INFO_EXCEPTION_PARAMETERS,
	INFO_NUM_COLUMNS
};

static const struct column info_columns[INFO_NUM_COLUMNS] = {
	[INFO_FORMAT] = { "format", "FORMAT", CELL_STR, 0, 0, "how the snapshot is laid out" },
	[INFO_SUBTYPE] = { "subtype", "SUBTYPE", CELL_STR, 0, COL_HIDDEN, "variant of the format" },
	[INFO_MACHINE] = { "machine", "MACHINE", CELL_STR, 0, 0, "processor architecture" },
	[INFO_FILE_SIZE] = { "file_size", "FILE SIZE", CELL_U64, 0, 0, "bytes of the file" },
	[INFO_CONTAINER] = { "container", "CONTAINER", CELL_STR, 0, COL_HIDDEN,
			     "what the snapshot was compressed or packed with" },
	[INFO_UNPACKED_SIZE] = { "unpacked_size", "UNPACKED", CELL_U64, 0, COL_HIDDEN,
				 "bytes of what it holds" },
	[INFO_PHYSICAL_PAGES] = { "physical_pages", "PAGES", CELL_U64, 0, 0,
				  "pages of 4 KiB of which something was captured" },
	[INFO_PHYSICAL_END] = { "physical_end", "END", CELL_ADDR, 0, 0,
				"physical address after the last captured byte" },
	[INFO_GAPS] = { "gaps", "GAPS", CELL_U64, 0, 0,
			"holes between captured stretches of physical memory" },
	[INFO_MACHINE_PAGES] = { "machine_pages", "MACHINE PAGES", CELL_U64, 0, COL_HIDDEN,
				 "pages that the machine had, by the dump's own word" },
	[INFO_OVERLAP_BYTES] = { "overlap_bytes", "OVERLAP", CELL_U64, 0, COL_HIDDEN,
				 "bytes that the file gives more than once" },
	[INFO_VIRTUAL_BYTES] = { "virtual_bytes", "VIRTUAL BYTES", CELL_U64, 0, COL_HIDDEN,
				 "bytes captured by virtual address (small dumps)" },
	[INFO_CPUS] = { "cpus", "CPUS", CELL_U64, 0, 0, "processors of the machine" },
	[INFO_CPU_REGISTERS] = { "cpu_registers", "REGISTERS", CELL_U64, 0, 0,
				 "processors whose registers the file holds" },
	[INFO_PAGING_LEVELS] = { "paging_levels", "LEVELS", CELL_U64, 0, 0,
				 "levels of the page tables: 4 or 5" },
	[INFO_DTB] = { "dtb", "DTB", CELL_ADDR, 0, 0,
		       "physical address of the kernel's page tables; without a kernel, as the "
		       "file's header says" },
	[INFO_KERNEL_BASE] = { "kernel_base", "BASE", CELL_ADDR, 0, 0, "where the kernel lies" },
	[INFO_KERNEL_SIZE] = { "kernel_size", "SIZE", CELL_U64, 0, 0, "bytes of its image" },
	[INFO_BUILD] = { "build", "BUILD", CELL_U64, 0, 0,
			 "build number of Windows; without a kernel, as the file's header says" },
	[INFO_VERSION] = { "version", "VERSION", CELL_STR, 0, 0,
			   "file version of the kernel, by its GUID or by its time stamp and "
			   "size" },
	[INFO_BUILD_LAB] = { "build_lab", "LAB", CELL_STR, 0, 0, "NtBuildLab" },
	[INFO_PDB_NAME] = { "pdb_name", "PDB", CELL_STR, 0, 0, "the kernel's symbol file" },
	[INFO_PDB_GUID] = { "pdb_guid", "GUID", CELL_STR, 0, 0, "its GUID" },
	[INFO_PDB_AGE] = { "pdb_age", "AGE", CELL_U64, 0, 0, "its age" },
	[INFO_SYMBOLS] = { "symbols", "SYMBOLS", CELL_STR, 0, 0,
			   "where structure layouts come from" },
	[INFO_LOCATED_BY] = { "located_by", "LOCATED BY", CELL_STR, 0, 0,
			      "the strategy that found the kernel" },
	[INFO_SYSTEM_TIME] = { "system_time", "TIME", CELL_TIME, 0, 0,
			       "the machine's clock at capture" },
	[INFO_BOOT_TIME] = { "boot_time", "BOOT", CELL_TIME, 0, 0, "when it started" },
	[INFO_PRODUCT_TYPE] = { "product_type", "PRODUCT", CELL_STR, 0, COL_HIDDEN,
				"workstation, domain_controller or server" },
	[INFO_SUITE_MASK] = { "suite_mask", "SUITE", CELL_ADDR, 0, COL_HIDDEN,
			      "VER_SUITE_ bits of the dump's header" },
	[INFO_COMMENT] = { "comment", "COMMENT", CELL_STR, 0, COL_HIDDEN,
			   "comment in the dump's header" },
	[INFO_BUGCHECK_CODE] = { "bugcheck_code", "BUGCHECK", CELL_ADDR, 0, 0,
				 "stop code, where the machine crashed" },
	[INFO_BUGCHECK_PARAMETERS] = { "bugcheck_parameters", "PARAMETERS", CELL_ADDRS, 0, 0,
				       "its four parameters" },
	[INFO_EXCEPTION_CODE] = { "exception_code", "EXCEPTION", CELL_ADDR, 0, COL_HIDDEN,
				  "status of the exception in the dump's header" },
	[INFO_EXCEPTION_ADDRESS] = { "exception_address", "AT", CELL_ADDR, 0, COL_HIDDEN,
				     "where it was raised" },
	[INFO_EXCEPTION_PARAMETERS] = { "exception_parameters", "PARAMETERS", CELL_ADDRS, 0,
					COL_HIDDEN, "its parameters" },
};

/* ProductType of the header: VER_NT_* of winnt.h. */
static const char *product_name(uint32_t type)
{
	static const char *const names[] = { NULL, "workstation", "domain_controller", "server" };

	return type < ARRAY_SIZE(names) ? names[type] : NULL;
}

static uint64_t count_gaps(struct physmem *mem)
{
	struct mem_range range;
	uint64_t at = 0, gaps = 0;

	while (physmem_next(mem, at, false, &range)) {
		gaps += range.start != at;
		at = range.end;
	}
	return gaps;
}

static uint64_t machine_pages(const struct dump_info *info)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < info->num_machine_runs; i++)
		pages += (info->machine_runs[i].end - info->machine_runs[i].start) >> PAGE_SHIFT;
	return pages;
}

static struct cell nonzero(struct cell cell)
{
	return cell.u64 ? cell : CELL_ABSENT;
}

static void fill_memory(const struct snapshot *s, struct cell *cells)
{
	if (s->mem) {
		cells[INFO_PHYSICAL_PAGES] = cell_u64(physmem_captured_pages(s->mem));
		cells[INFO_PHYSICAL_END] = cell_addr(physmem_end(s->mem));
		cells[INFO_GAPS] = cell_u64(count_gaps(s->mem));
		cells[INFO_OVERLAP_BYTES] = nonzero(cell_u64(physmem_overlap_bytes(s->mem)));
	}
	if (s->virt)
		cells[INFO_VIRTUAL_BYTES] = cell_u64(virtmem_captured_bytes(s->virt));
	if (s->info.num_machine_runs)
		cells[INFO_MACHINE_PAGES] = cell_u64(machine_pages(&s->info));
}

static void fill_crash(const struct dump_info *info, struct cell *cells)
{
	const struct exception_record *e = &info->exception;

	if (info->has_bugcheck) {
		cells[INFO_BUGCHECK_CODE] = cell_addr(info->bugcheck.code);
		cells[INFO_BUGCHECK_PARAMETERS] =
			cell_addrs(info->bugcheck.parameters, MAX_BUGCHECK_PARAMETERS);
	}
	if (info->has_exception) {
		size_t count = e->num_parameters;

		if (count > ARRAY_SIZE(e->parameters))
			count = ARRAY_SIZE(e->parameters);
		cells[INFO_EXCEPTION_CODE] = cell_addr(e->code);
		cells[INFO_EXCEPTION_ADDRESS] = cell_addr(e->address);
		if (count)
			cells[INFO_EXCEPTION_PARAMETERS] = cell_addrs(e->parameters, count);
	}
}

static void fill_registers(const struct dump_info *info, struct cell *cells)
{
	unsigned levels;

	cells[INFO_CPU_REGISTERS] = cell_u64(info->num_registers);
	if (info->num_registers && registers_levels(&info->registers[0], &levels))
		cells[INFO_PAGING_LEVELS] = cell_u64(levels);
}

static void fill_file(const struct snapshot *s, struct cell *cells)
{
	cells[INFO_FILE_SIZE] = cell_u64(s->file.size);
	if (!s->container.count)
		return;
	cells[INFO_FILE_SIZE] = cell_u64(s->container.packed_size);
	cells[INFO_UNPACKED_SIZE] = cell_u64(s->file.size);
	cells[INFO_CONTAINER] = cell_str(s->container.name);
}

/* What the file itself says. */
static void fill_format(const struct snapshot *s, struct cell *cells)
{
	const struct dump_info *info = &s->info;

	fill_file(s, cells);
	cells[INFO_FORMAT] = cell_str(info->format);
	cells[INFO_SUBTYPE] = cell_str(info->subtype);
	cells[INFO_MACHINE] = cell_str(info->machine);
	cells[INFO_CPUS] = nonzero(cell_u64(info->num_cpus));
	fill_registers(info, cells);
	cells[INFO_DTB] = nonzero(cell_addr(info->hints.dtb));
	cells[INFO_KERNEL_BASE] = nonzero(cell_addr(info->hints.kernel_base));
	if (info->has_build)
		cells[INFO_BUILD] = cell_u64(info->build);
	if (info->has_system_time)
		cells[INFO_SYSTEM_TIME] = cell_time(info->system_time);
	if (info->has_system_time && info->has_uptime && info->system_uptime < info->system_time)
		cells[INFO_BOOT_TIME] = cell_time(info->system_time - info->system_uptime);
	cells[INFO_PRODUCT_TYPE] = cell_str(product_name(info->product_type));
	cells[INFO_SUITE_MASK] = nonzero(cell_addr(info->suite_mask));
	if (info->has_comment)
		cells[INFO_COMMENT] = cell_str(info->comment);
	fill_memory(s, cells);
	fill_crash(info, cells);
}

/* What the kernel says, which is better than the file's header. guid lives as long as cells. */
static void fill_kernel(const struct kernel *k, char guid[GUID_TEXT_SIZE], struct cell *cells)
{
	const struct kernel_location *loc = &k->loc;

	if (loc->levels)
		cells[INFO_PAGING_LEVELS] = cell_u64(loc->levels);
	if (k->dtb)
		cells[INFO_DTB] = cell_addr(k->dtb);
	if (loc->base)
		cells[INFO_KERNEL_BASE] = cell_addr(loc->base);
	cells[INFO_KERNEL_SIZE] = nonzero(cell_u64(loc->size));
	if (k->build)
		cells[INFO_BUILD] = cell_u64(k->build);
	cells[INFO_BUILD_LAB] = cell_str(k->build_lab);
	cells[INFO_VERSION] = cell_str(k->version);
	if (loc->has_codeview) {
		guid_format(loc->codeview.guid, guid);
		cells[INFO_PDB_NAME] = cell_str(loc->codeview.name);
		cells[INFO_PDB_GUID] = cell_str(guid);
		cells[INFO_PDB_AGE] = cell_u64(loc->codeview.age);
	}
	if (k->profile)
		cells[INFO_SYMBOLS] = cell_str(profile_description(k->profile));
	cells[INFO_LOCATED_BY] = cell_str(loc->located_by);
	if (k->has_system_time)
		cells[INFO_SYSTEM_TIME] = cell_time(k->system_time);
	if (k->has_boot_time)
		cells[INFO_BOOT_TIME] = cell_time(k->boot_time);
}

/* --verbose: each field that the program uses, and which symbols know it. */
static void tell_fields(const struct command_run *run)
{
	static const struct field_row rows[] = { ALL_FIELDS(FIELD_ROW_) };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct field_row *row = &rows[i];
		const struct profile_source *src;
		struct field f;

		src = profile_field_source(run->kernel->profile, row->type, row->name, &f);
		if (!src)
			diag_note(run->diag, "%s.%s: unknown", row->type, row->name);
		else if (f.bit_size)
			diag_note(run->diag, "%s.%s: offset 0x%x, bit %u, %u bits (%s)", row->type,
				  row->name, f.offset, f.bit_pos, f.bit_size, src->ops->kind);
		else
			diag_note(run->diag, "%s.%s: offset 0x%x, %u bytes (%s)", row->type,
				  row->name, f.offset, f.size, src->ops->kind);
	}
}

/* --verbose: how the kernel was found, where its globals are, and what is known of its types. */
/* --verbose: what discovery established, how and how sure, and what it missed. */
static void tell_discovery(const struct command_run *run, const struct profile_source *src)
{
	static const char *const what[NUM_DISCOVER_KINDS] = { "offset", "size", "rva", "value",
							      "" };
	struct discover_row row;

	for (size_t i = 0; discover_evidence(src, i, &row); i++) {
		const char *dot = *row.type && *row.path ? "." : "";

		if (row.kind == DISCOVER_MISSING)
			diag_note(run->diag, "discovery: %s%s%s: not shown: %s", row.type, dot,
				  row.path, row.evidence);
		else
			diag_note(run->diag, "discovery: %s%s%s: %s 0x%" PRIx64 ", %s: %s",
				  row.type, dot, row.path, what[row.kind], row.value,
				  discover_confidence_name(row.confidence), row.evidence);
	}
}

static void tell_sources(const struct command_run *run)
{
	const struct profile *profile = run->kernel->profile;
	bool exact;

	tell_fields(run);
	for (size_t i = 0; i < profile_num_sources(profile); i++) {
		const struct profile_source *src = profile_source_at(profile, i, &exact);

		if (!strcmp(src->ops->kind, "discovery"))
			tell_discovery(run, src);
	}
}

static void tell_story(const struct command_run *run)
{
	const struct kernel *k = run->kernel;

	for (size_t i = 0; i < k->loc.num_trail; i++) {
		const struct locate_trail *t = &k->loc.trail[i];

		diag_note(run->diag, "%s %s: %s", t->won ? "located by" : "tried", t->strategy,
			  t->text);
	}
	if (k->build_source)
		diag_note(run->diag, "build number from %s", k->build_source);
	if (k->version_source)
		diag_note(run->diag, "version from %s", k->version_source);
	if (k->system_time_source)
		diag_note(run->diag, "time from %s", k->system_time_source);
	for (unsigned i = 0; i < NUM_KERNEL_GLOBALS; i++) {
		const struct global_value *g = &k->globals[i];
		const char *name = kernel_global_name((enum kernel_global)i);

		if (g->present)
			diag_note(run->diag, "%s at 0x%" PRIx64 " (%s)", name, g->va, g->source);
		else
			diag_note(run->diag, "%s: unknown", name);
	}
	tell_sources(run);
}

/* Formats without a header do not count processors; the kernel does. */
static struct error *fill_cpus(const struct command_run *run, struct cell *cells)
{
	struct kernel_cpu *cpus;
	struct error *err;
	size_t count;

	if (cells[INFO_CPUS].present)
		return NULL;
	if ((err = kernel_cpus_read(run->kernel, run->arena, &cpus, &count)))
		return err;
	cells[INFO_CPUS] = nonzero(cell_u64(count));
	return NULL;
}

static struct error *info_run(struct command_run *run)
{
	struct cell cells[INFO_NUM_COLUMNS] = { 0 };
	char guid[GUID_TEXT_SIZE];
	struct error *err;

	fill_format(run->snapshot, cells);
	if (run->kernel) {
		fill_kernel(run->kernel, guid, cells);
		if ((err = fill_cpus(run, cells)))
			return err;
	} else {
		diag_partial(run->diag, "%s", error_message(run->kernel_error));
	}
	if (run->kernel && option_flag(run->options, "verbose"))
		tell_story(run);
	return sink_row(run->sink, cells, 0);
}

const struct command cmd_info = {
	.name = "info",
	.summary = "what the snapshot is, and which Windows it holds",
	.description = "Prints one object. Where no kernel is found, what the file itself says is "
		       "still there, and the exit status is 3. With --verbose standard error tells "
		       "how the kernel and its globals were found, and where each field that "
		       "the program uses lies; 'type' and 'symbols' print such things as rows.",
	.example = "ntscope info --format json memory.dmp",
	.columns = info_columns,
	.num_columns = INFO_NUM_COLUMNS,
	.flags = COMMAND_ONE_OBJECT | COMMAND_TRIES_KERNEL | COMMAND_WHOLE_MACHINE,
	.run = info_run,
};
