/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "codec/codec.h"
#include "formats/format.h"
#include "formats/known.h"
#include "formats/writer.h"
#include "tests/memfile.h"

static struct snapshot *snapshot;
static struct diag diag;

static struct error *open_given(const void *bytes, size_t size,
				const struct snapshot_options *options)
{
	char path[MEMFILE_PATH_SIZE];
	int fd = memfile_create(bytes, size, path);
	struct error *err;

	diag_init(&diag, NULL, NULL);
	err = snapshot_open(path, options, &diag, &snapshot);
	close(fd);
	return err;
}

static struct error *open_bytes(const void *bytes, size_t size, const char *format)
{
	return open_given(bytes, size, &(struct snapshot_options){ .format = format });
}

Test(raw, the_offset_is_the_physical_address)
{
	static uint8_t bytes[3 * PAGE_SIZE + 100];
	struct page_view view;

	memset(bytes, 0xaa, sizeof(bytes));
	bytes[0x2345] = 7;
	cr_assert_null(open_bytes(bytes, sizeof(bytes), NULL));
	cr_expect_str_eq(snapshot->info.format, "raw");
	cr_expect_str_eq(snapshot->info.machine, "amd64");
	cr_expect_eq(snapshot->info.num_cpus, 0);
	cr_expect_null(snapshot->virt);
	cr_expect_eq(physmem_end(snapshot->mem), sizeof(bytes));
	cr_expect_eq(physmem_captured_pages(snapshot->mem), 4);
	cr_assert(physmem_view(snapshot->mem, 0x2345, &view, NULL));
	cr_expect_eq(view.bytes[0x345], 7);
	page_release(&view);
	cr_assert(physmem_view(snapshot->mem, 0x3000, &view, NULL));
	cr_expect_eq(view.end, 100, "the last page is as long as the file");
	page_release(&view);
	cr_expect_eq(diag.partial, 0);
	snapshot_close(snapshot);
}

Test(raw, one_byte_is_memory_too)
{
	cr_assert_null(open_bytes("x", 1, NULL));
	cr_expect_eq(physmem_captured_bytes(snapshot->mem), 1);
	snapshot_close(snapshot);
}

/* Not even AFF4, whose volumes are archives. */
Test(raw, memory_may_begin_like_an_archive)
{
	static uint8_t bytes[2 * PAGE_SIZE];

	memset(bytes, 0xaa, sizeof(bytes));
	memcpy(bytes, "PK\3\4", 4);
	cr_assert_null(open_bytes(bytes, sizeof(bytes), NULL));
	cr_expect_str_eq(snapshot->info.format, "raw");
	cr_expect_eq(diag.partial, 1);
	snapshot_close(snapshot);
}

static struct error *open_mapped(const char *map)
{
	static uint8_t bytes[2 * PAGE_SIZE];

	bytes[PAGE_SIZE] = 9;
	return open_given(bytes, sizeof(bytes), &(struct snapshot_options){ .memory_map = map });
}

Test(raw, memory_map_puts_parts_of_the_file_where_they_belong)
{
	uint8_t byte = 0;

	cr_assert_null(open_mapped("0-1000@0,0x100000000-100001000@1000"));
	cr_expect_eq(physmem_read(snapshot->mem, UINT64_C(0x100000000), &byte, 1), 1);
	cr_expect_eq(byte, 9);
	cr_expect_eq(physmem_read(snapshot->mem, 0x1000, &byte, 1), 0);
	cr_expect_eq(diag.partial, 0);
	snapshot_close(snapshot);
}

Test(raw, memory_map_past_the_file_is_cut_and_said)
{
	cr_assert_null(open_mapped("0-1000@0,5000-9000@1800"));
	cr_expect_eq(physmem_captured_bytes(snapshot->mem), 0x1800);
	cr_expect_eq(diag.partial, 1);
	snapshot_close(snapshot);
}

Test(raw, memory_map_that_is_off_is_refused)
{
	static const char *const maps[] = {
		"",	      "0-1000", "1000-1000@0", "2000-1000@0",	       "0-1000@0,",
		"0-1000@0;1", "-1-5@0", "0-1000@zz",   "0-10000000000000000@0"
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct error *err = open_mapped(maps[i]);

		cr_assert_not_null(err, "%s", maps[i]);
		cr_expect_eq(error_code(err), ERROR_USAGE, "%s", error_message(err));
		error_destroy(err);
	}
}

static void expect_refusal(const void *bytes, size_t size, const char *format, enum error_code code,
			   const char *text)
{
	struct error *err = open_bytes(bytes, size, format);

	cr_assert_not_null(err, "%s", text);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), text), "%s", error_message(err));
	cr_expect_eq(strncmp(error_message(err), "/proc/self/fd/", 14), 0, "%s",
		     error_message(err));
	error_destroy(err);
}

Test(snapshot, errors_begin_with_the_path_and_say_why)
{
	expect_refusal("", 0, NULL, ERROR_CORRUPT, "the file is empty");
	expect_refusal("x", 1, "nonsense", ERROR_USAGE, "expected one of raw, elf");
}

Test(snapshot, known_files_are_refused_by_name)
{
	uint8_t bytes[512];

	for (size_t i = 0; i < num_known_formats; i++) {
		const struct known_format *k = &known_formats[i];
		size_t end = (size_t)k->offset + k->length;

		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes + k->offset, k->magic, k->length);
		expect_refusal(bytes, sizeof(bytes), NULL, ERROR_UNSUPPORTED, k->name);
		expect_refusal(bytes, end, NULL, ERROR_UNSUPPORTED, k->advice);
		/* one byte short it is nothing in particular */
		cr_assert_null(open_bytes(bytes, end - 1, NULL), "%s", k->name);
		snapshot_close(snapshot);
	}
}

Test(snapshot, refusals_say_what_to_do)
{
	for (size_t i = 0; i < num_known_formats; i++) {
		const char *advice = known_formats[i].advice;

		cr_expect(advice[0] && advice[strlen(advice) - 1] != '.', "%s",
			  known_formats[i].name);
	}
	expect_refusal("MDMP\x93\xa7", 6, NULL, ERROR_UNSUPPORTED,
		       "user-mode minidump: not read here: it holds one process");
	expect_refusal("KDMV", 4, NULL, ERROR_UNSUPPORTED, "take a snapshot of the machine");
}

Test(snapshot, the_caller_may_insist)
{
	cr_assert_null(open_bytes("EMiL and more", 13, "raw"));
	cr_expect_str_eq(snapshot->format->name, "raw");
	snapshot_close(snapshot);
	expect_refusal("EMiL and more", 13, "elf", ERROR_CORRUPT, "truncated");
	/* also that a container is none */
	expect_refusal("BZh91AY&SY", 10, NULL, ERROR_CORRUPT, "bzip2");
	cr_assert_null(open_bytes("BZh91AY&SY", 10, "raw"));
	cr_expect_eq(physmem_captured_bytes(snapshot->mem), 10);
	snapshot_close(snapshot);
}

Test(snapshot, registers_have_a_limit)
{
	struct dump_info info = { 0 };
	struct error *err;

	arena_init(&info.arena, 0);
	cr_assert_null(dump_info_alloc_registers(&info, 0));
	cr_assert_null(dump_info_alloc_registers(&info, MAX_CPUS));
	cr_expect_eq(info.num_registers, MAX_CPUS);
	cr_expect_eq(info.registers[MAX_CPUS - 1].known, 0);
	err = dump_info_alloc_registers(&info, MAX_CPUS + 1);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT);
	error_destroy(err);
	arena_deinit(&info.arena);
}

Test(snapshot, formats_say_what_they_are)
{
	for (size_t i = 0; i < num_formats; i++) {
		const struct format_ops *format = format_registry[i];

		cr_expect(format->description && format->recognised, "%s", format->name);
		cr_expect_eq(format->codecs >> NUM_CODECS, 0, "%s", format->name);
	}
}

Test(snapshot, what_is_written_is_read)
{
	for (size_t i = 0; i < num_writers; i++) {
		bool found = false;

		for (size_t j = 0; j < num_formats; j++)
			found = found ||
				!strcmp(format_registry[j]->name, writer_registry[i]->format);
		cr_expect(found, "%s", writer_registry[i]->name);
	}
}

Test(snapshot, formats_have_distinct_names)
{
	for (size_t i = 0; i < num_formats; i++) {
		cr_expect_gt(strlen(format_registry[i]->description), 0);
		for (size_t k = 0; k < i; k++)
			cr_expect_str_neq(format_registry[i]->name, format_registry[k]->name);
	}
}
