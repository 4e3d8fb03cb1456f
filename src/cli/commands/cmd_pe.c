/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/names.h"
#include "cli/spaces.h"
#include "windows/modules/module.h"
#include "windows/pe/tables.h"

enum {
	PE_COL_KIND,
	PE_COL_NAME,
	PE_COL_ADDRESS,
	PE_COL_SIZE,
	PE_COL_VALUE,
	PE_COL_MODULE,
	PE_COL_ORDINAL,
	PE_NUM_COLUMNS
};

/* Of the file, not of memory: its "RVA" is an offset in the file. */
enum { DIRECTORY_CERTIFICATE = 4 };

static const struct column pe_columns[PE_NUM_COLUMNS] = {
	[PE_COL_KIND] = { "kind", "KIND", CELL_STR, 8, 0,
			  "header, section, directory, export, import, debug, version, tls" },
	[PE_COL_NAME] = { "name", "NAME", CELL_STR, 32, 0, "of the item" },
	[PE_COL_ADDRESS] = { "address", "ADDRESS", CELL_ADDR, 18, 0,
			     "virtual address of the item; of an import, of its slot" },
	[PE_COL_SIZE] = { "size", "SIZE", CELL_U64, 9, COL_RIGHT, "bytes" },
	[PE_COL_VALUE] = { "value", "VALUE", CELL_STR, 18, 0,
			   "a header's field, a section's flags, where an import's slot points, "
			   "the "
			   "export that a forwarder stands for, a version string" },
	[PE_COL_MODULE] = { "module", "MODULE", CELL_STR, 0, 0, "that an import is from" },
	[PE_COL_ORDINAL] = { "ordinal", "ORD", CELL_U64, 5, COL_RIGHT | COL_HIDDEN,
			     "of an export, or of an import by number" },
};

/* One run: the image and where rows go. */
struct listing {
	struct command_run *run;
	struct space *space;
	struct pe_image pe;
};

struct row {
	const char *kind, *name, *value, *module;
	bool has_address, has_size, has_ordinal;
	uint64_t address, size, ordinal;
};

static struct error *put_row(struct listing *l, const struct row *row)
{
	struct cell cells[PE_NUM_COLUMNS] = {
		[PE_COL_KIND] = cell_str(row->kind),
		[PE_COL_NAME] = cell_str(row->name),
		[PE_COL_ADDRESS] = row->has_address ? cell_addr(row->address) : CELL_ABSENT,
		[PE_COL_SIZE] = row->has_size ? cell_u64(row->size) : CELL_ABSENT,
		[PE_COL_VALUE] = cell_str(row->value),
		[PE_COL_MODULE] = cell_str(row->module),
		[PE_COL_ORDINAL] = row->has_ordinal ? cell_u64(row->ordinal) : CELL_ABSENT,
	};

	return sink_full(l->run->sink) ? NULL : sink_row(l->run->sink, cells, 0);
}

static struct error *put_text(struct listing *l, const char *kind, const char *name, char *value)
{
	struct row row = { .kind = kind, .name = name, .value = value };

	return value ? put_row(l, &row) : &error_no_memory;
}

static struct error *put_number(struct listing *l, const char *kind, const char *name,
				uint64_t value)
{
	return put_text(l, kind, name, arena_printf(l->run->arena, "0x%" PRIx64, value));
}

static void report_holes(struct listing *l, const char *what, const struct pe_holes *holes)
{
	if (holes->count)
		diag_partial(l->run->diag, "%s: %zu things are absent (first at 0x%" PRIx64 ")",
			     what, holes->count, holes->first_va);
}

/* A table that the image lacks is none; one that cannot be read costs a line. */
static struct error *table_error(struct listing *l, struct error *err, const char *what)
{
	if (!err || error_code(err) == ERROR_NO_MEMORY)
		return err;
	if (!error_catch(&err, ERROR_NOT_FOUND))
		diag_error(l->run->diag, err, "%s", what);
	return NULL;
}

static struct error *put_headers(struct listing *l)
{
	const struct pe_image *pe = &l->pe;
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "base", pe->base },
		{ "preferred_base", pe->image_base },
		{ "machine", pe->machine },
		{ "time_date_stamp", pe->time_date_stamp },
		{ "checksum", pe->checksum },
		{ "size_of_image", pe->size_of_image },
		{ "size_of_headers", pe->size_of_headers },
		{ "entry_point", pe->base + pe->entry_rva },
		{ "characteristics", pe->characteristics },
		{ "dll_characteristics", pe->dll_characteristics },
		{ "subsystem", pe->subsystem },
	};
	struct error *err = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && !err; i++)
		err = put_number(l, "header", rows[i].name, rows[i].value);
	return err;
}

static struct error *put_sections(struct listing *l)
{
	const struct pe_image *pe = &l->pe;
	struct error *err = NULL;

	for (unsigned i = 0; i < pe->num_sections && !err; i++) {
		const struct pe_section *s = &pe->sections[i];
		char flags[4] = "---";
		char *name = text_from_ansi(l->run->arena, (const uint8_t *)s->name, 8);
		struct row row = {
			.kind = "section",
			.name = name,
			.has_address = true,
			.address = pe->base + s->rva,
			.has_size = true,
			.size = s->virtual_size,
			.value = flags,
		};

		/* IMAGE_SCN_MEM_READ, _WRITE, _EXECUTE */
		if (s->characteristics >> 30 & 1)
			flags[0] = 'r';
		if (s->characteristics >> 31)
			flags[1] = 'w';
		if (s->characteristics & PE_SECTION_EXECUTE)
			flags[2] = 'x';
		err = name ? put_row(l, &row) : &error_no_memory;
	}
	if (pe->num_sections < pe->num_sections_claimed)
		diag_partial(l->run->diag, "sections: %u of %u headers are absent",
			     pe->num_sections_claimed - pe->num_sections, pe->num_sections_claimed);
	return err;
}

static struct error *put_directories(struct listing *l)
{
	static const char *const names[PE_NUM_DIRECTORIES] = {
		"export", "import",	  "resource",	 "exception", "certificate", "relocation",
		"debug",  "architecture", "global_ptr",	 "tls",	      "load_config", "bound_import",
		"iat",	  "delay_import", "clr_runtime", "reserved",
	};
	struct error *err = NULL;

	for (unsigned i = 0; i < l->pe.num_directories && !err; i++) {
		const struct pe_directory *dir = &l->pe.directories[i];
		struct row row = {
			.kind = "directory",
			.name = names[i],
			.has_address = i != DIRECTORY_CERTIFICATE,
			.address = l->pe.base + dir->rva,
			.has_size = true,
			.size = dir->size,
		};

		if (dir->rva || dir->size)
			err = put_row(l, &row);
	}
	return err;
}

static struct error *put_exports(struct listing *l)
{
	struct pe_exports exports;
	struct error *err = pe_exports_read(l->space, &l->pe, l->run->arena, &exports);

	if (err)
		return table_error(l, err, "exports");
	for (size_t i = 0; i < exports.count && !err; i++) {
		const struct pe_export_entry *e = &exports.items[i];
		struct row row = {
			.kind = "export",
			.name = e->name,
			.has_address = !e->forwarder,
			.address = l->pe.base + e->rva,
			.value = e->forwarder,
			.has_ordinal = true,
			.ordinal = e->ordinal,
		};

		err = put_row(l, &row);
	}
	report_holes(l, "exports", &exports.holes);
	return err;
}

static struct error *put_imports(struct listing *l)
{
	struct pe_imports imports;
	struct error *err = pe_imports_read(l->space, &l->pe, l->run->arena, &imports);

	if (err)
		return table_error(l, err, "imports");
	for (size_t i = 0; i < imports.count && !err; i++) {
		const struct pe_import_entry *e = &imports.items[i];
		char target[24];
		struct row row = {
			.kind = "import",
			.name = e->name,
			.has_address = true,
			.address = e->slot,
			.value = e->has_target ? target : NULL,
			.module = e->module,
			.has_ordinal = e->by_ordinal,
			.ordinal = e->ordinal,
		};

		snprintf(target, sizeof(target), "0x%" PRIx64, e->target);
		err = put_row(l, &row);
	}
	report_holes(l, "imports", &imports.holes);
	return err;
}

static struct error *put_debug(struct listing *l)
{
	struct pe_debug debug;
	struct error *err = pe_debug_read(l->space, &l->pe, &debug);
	char guid[GUID_TEXT_SIZE];
	struct codeview cv;

	if (err)
		return table_error(l, err, "debug directory");
	for (size_t i = 0; i < debug.count && !err; i++) {
		const struct pe_debug_entry *e = &debug.items[i];
		const char *name = pe_debug_type_name(e->type);
		struct row row = {
			.kind = "debug",
			.name = name ? name : arena_printf(l->run->arena, "type %u", e->type),
			.has_address = e->rva != 0,
			.address = l->pe.base + e->rva,
			.has_size = true,
			.size = e->size,
		};

		err = row.name ? put_row(l, &row) : &error_no_memory;
	}
	report_holes(l, "debug directory", &debug.holes);
	if (err || (err = pe_codeview(l->space, &l->pe, &cv)))
		return table_error(l, err, "CodeView record");
	guid_format(cv.guid, guid);
	if ((err = put_text(l, "debug", "pdb_guid", arena_strdup(l->run->arena, guid))) ||
	    (err = put_number(l, "debug", "pdb_age", cv.age)))
		return err;
	return put_text(l, "debug", "pdb_name",
			text_from_ansi(l->run->arena, (const uint8_t *)cv.name, strlen(cv.name)));
}

static struct error *put_version(struct listing *l)
{
	struct arena *a = l->run->arena;
	struct pe_version v;
	struct error *err = pe_version_read(l->space, &l->pe, a, &v);

	if (err)
		return table_error(l, err, "version resource");
	if (v.has_fixed) {
		err = put_text(
			l, "version", "file_version",
			arena_printf(a, "%u.%u.%u.%u", v.file[0], v.file[1], v.file[2], v.file[3]));
		if (!err)
			err = put_text(l, "version", "product_version",
				       arena_printf(a, "%u.%u.%u.%u", v.product[0], v.product[1],
						    v.product[2], v.product[3]));
	}
	for (size_t i = 0; i < v.num_strings && !err; i++) {
		struct row row = {
			.kind = "version",
			.name = v.strings[i].key,
			.value = v.strings[i].value,
		};

		err = put_row(l, &row);
	}
	if (v.truncated)
		diag_partial(l->run->diag, "version resource: its end is absent");
	return err;
}

static struct error *put_tls(struct listing *l)
{
	struct pe_tls tls;
	struct error *err = pe_tls_read(l->space, &l->pe, &tls);

	if (err)
		return table_error(l, err, "TLS directory");
	struct row row = {
		.kind = "tls",
		.name = "template",
		.has_address = true,
		.address = tls.start,
		.has_size = tls.end >= tls.start,
		.size = tls.end - tls.start,
	};

	err = put_row(l, &row);
	for (size_t i = 0; i < tls.num_targets && !err; i++) {
		row = (struct row){
			.kind = "tls",
			.name = "callback",
			.has_address = true,
			.address = tls.targets[i],
		};
		err = put_row(l, &row);
	}
	if (!tls.complete)
		diag_partial(l->run->diag, "TLS callbacks: the end of the list is absent");
	return err;
}

/* A module by its name, else an address. */
static struct error *find_base(struct command_run *run, const char *word, uint64_t *ret)
{
	struct kernel_module_list list;
	struct error *err = NULL;
	bool found = false;

	if (run->kernel && text_equal_nocase(word, names_kernel_module)) {
		*ret = run->kernel->loc.base;
		return NULL;
	}
	if (run->kernel && (err = kernel_modules_read(run->kernel, &list)))
		return err;
	for (size_t i = 0; run->kernel && i < list.count && !found; i++) {
		found = text_equal_nocase(list.items[i].name, word);
		if (found)
			*ret = list.items[i].base;
	}
	if (run->kernel)
		kernel_modules_deinit(&list);
	if (!found && !address_parse(word, ret))
		err = error_new(ERROR_USAGE, "'%s' is no kernel module and no address", word);
	return err;
}

static struct error *pe_run(struct command_run *run)
{
	static struct error *(*const parts[])(struct listing * l) = {
		put_headers, put_sections, put_directories, put_exports,
		put_imports, put_debug,	   put_version,	    put_tls,
	};
	struct chosen_space chosen CLEANUP(chosen_space_deinit) = { 0 };
	struct listing l = { .run = run };
	struct error *err;
	uint64_t base = 0;

	if ((err = chosen_space_init(run, &chosen)) || (err = find_base(run, run->args[0], &base)))
		return err;
	l.space = chosen.space;
	if ((err = pe_read_any(l.space, base, &l.pe)))
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(parts) && !err; i++)
		err = parts[i](&l);
	return err;
}

static const struct option_row pe_options[] = { SPACE_OPTION_ROWS };

const struct command cmd_pe = {
	.name = "pe",
	.summary = "show the headers and tables of an image in memory",
	.arguments = "BASE|NAME",
	.min_args = 1,
	.max_args = 1,
	.description =
		"Reads an executable image where it was loaded: headers, sections, data "
		"directories, exports with forwarders, imports with where they point, debug "
		"records, version resource and TLS callbacks. NAME is a kernel module's, or nt; "
		"BASE an address, with --pid in a process. What is not captured is left out and "
		"counted.",
	.example = "ntscope pe memory.dmp nt",
	.options = pe_options,
	.num_options = ARRAY_SIZE(pe_options),
	.columns = pe_columns,
	.num_columns = PE_NUM_COLUMNS,
	.flags = COMMAND_TRIES_KERNEL,
	.without_kernel = space_without_kernel,
	.run = pe_run,
};
