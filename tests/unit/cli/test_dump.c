/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../windows/fake_space.h"
#include "cli/commands.h"
#include "cli/commands/dump.h"
#include "cli/commands/dump_name.h"

static const struct {
	const char *proposed, *expected;
} names[] = {
	{ "ntoskrnl.exe", "ntoskrnl.exe" },
	{ "\\SystemRoot\\System32\\drivers\\a.sys", "a.sys" },
	{ "/etc/passwd", "passwd" },
	{ "C:\\Users\\folder\\", "folder_" },
	{ "..", "_." },
	{ "../../x", "x" },
	{ ".bashrc", "_bashrc" },
	{ "-rf.dll", "_rf.dll" },
	{ "a b;c|d&.e\x1b[2J", "a_b_c_d_.e__2J" },
	{ "nul\xc0\x80.dll", "nul_.dll" },
	{ "pilote-\xc3\xa9.sys", "pilote-_.sys" },
	{ "\xff\xfe", "__" },
	{ "", "unnamed" },
	{ NULL, "unnamed" },
	{ "x.a-long-end-is-not-an-extension", "x.a-long-end-is-not-an-extension" },
};

Test(dump_name, characters)
{
	char name[DUMP_NAME_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		dump_name(names[i].proposed, (struct opt_u64){ 0 }, name);
		cr_expect_str_eq(name, names[i].expected);
	}
}

Test(dump_name, address_goes_before_the_extension)
{
	char name[DUMP_NAME_MAX + 1];

	dump_name("kernel32.dll", opt_u64(0x7ff800000000), name);
	cr_expect_str_eq(name, "kernel32.0x7ff800000000.dll");
	dump_name("hive", opt_u64(UINT64_MAX), name);
	cr_expect_str_eq(name, "hive.0xffffffffffffffff");
	dump_name(NULL, opt_u64(0), name);
	cr_expect_str_eq(name, "unnamed.0x0");
}

Test(dump_name, long_names_keep_address_and_extension)
{
	char name[DUMP_NAME_MAX + 1], proposed[400];

	memset(proposed, 'a', sizeof(proposed));
	strcpy(proposed + sizeof(proposed) - 5, ".dll");
	dump_name(proposed, opt_u64(0x1234), name);
	cr_expect_eq(strlen(name), DUMP_NAME_MAX);
	cr_expect_str_eq(name + DUMP_NAME_MAX - strlen("a.0x1234.dll"), "a.0x1234.dll");
}

/* A run of the command: rows as CSV in memory, files in a folder of its own. */
struct fixture {
	char folder[32];
	struct arena arena;
	struct diag diag;
	struct option_values options;
	struct snapshot snapshot;
	struct command_run run;
	struct dump dump;
	FILE *out;
	char *rows;
	size_t rows_size;
};

static void begin(struct fixture *f, const char *const *words, int count)
{
	const struct option_table own = { cmd_dump.options, cmd_dump.num_options };
	const struct sink_options sink_options = { 0 };
	struct sink *sink;

	strcpy(f->folder, "dump-test-XXXXXX");
	cr_assert_not_null(mkdtemp(f->folder));
	cr_assert_eq(chdir(f->folder), 0);
	arena_init(&f->arena, 0);
	diag_init(&f->diag, NULL, NULL);
	cr_assert_null(options_parse(&f->arena, &own, count, (char *const *)(uintptr_t)words,
				     &f->options));
	f->out = open_memstream(&f->rows, &f->rows_size);
	cr_assert_null(sink_create(SINK_CSV, f->out, &sink_options, &sink));
	cr_assert_null(sink_begin(sink, cmd_dump.columns, cmd_dump.num_columns));
	f->snapshot = (struct snapshot){
		.file.fd = open("evidence", O_CREAT | O_RDWR, 0600),
	};
	f->run = (struct command_run){
		.snapshot = &f->snapshot,
		.options = &f->options,
		.sink = sink,
		.diag = &f->diag,
		.arena = &f->arena,
	};
	f->dump = (struct dump){ .run = &f->run };
}

static void begin_plain(struct fixture *f)
{
	begin(f, NULL, 0);
}

static void end(struct fixture *f)
{
	cr_assert_null(sink_end(f->run.sink));
	sink_destroy(f->run.sink);
	fclose(f->out);
	free(f->rows);
	close(f->snapshot.file.fd);
	arena_deinit(&f->arena);
	cr_assert_eq(chdir(".."), 0);
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", f->folder);
	cr_assert_eq(system(command), 0);
}

static const struct opt_u64 nowhere;

static struct dump_file *open_file(struct fixture *f, const char *name)
{
	struct dump_file *file = NULL;

	cr_assert_null(dump_begin(&f->dump, name, nowhere, &file));
	return file;
}

static void expect_rows(struct fixture *f, const char *expected)
{
	cr_assert_null(sink_end(f->run.sink));
	fflush(f->out);
	cr_expect_str_eq(f->rows, expected, "%s", f->rows);
}

static size_t content(const char *path, uint8_t *buf, size_t size)
{
	FILE *in = fopen(path, "rb");
	size_t got;

	cr_assert_not_null(in, "%s", path);
	got = fread(buf, 1, size, in);
	fclose(in);
	return got;
}

static void expect_error(struct error *err, enum error_code code, const char *part)
{
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), code, "%s", error_message(err));
	cr_expect_not_null(strstr(error_message(err), part), "%s", error_message(err));
	error_destroy(err);
}

Test(dump, neighbours_are_one_row)
{
	static const uint8_t bytes[] = "abcdef";
	struct fixture f;
	struct dump_file *file;

	begin_plain(&f);
	file = open_file(&f, "x");
	cr_assert_null(dump_bytes(file, 0, opt_u64(0x1000), bytes, 2, "mapped"));
	cr_assert_null(dump_bytes(file, 2, opt_u64(0x1002), bytes + 2, 2, "mapped"));
	cr_assert_null(dump_bytes(file, 4, opt_u64(0x2000), bytes + 4, 1, "mapped"));
	cr_assert_null(dump_bytes(file, 5, nowhere, bytes + 5, 1, "mapped"));
	cr_assert_null(dump_bytes(file, 6, nowhere, bytes + 5, 1, "transition"));
	cr_assert_null(dump_bytes(file, 7, nowhere, bytes, 0, "nothing"));
	cr_assert_null(dump_end(file));
	cr_expect_eq(f.diag.partial, 0);
	expect_rows(&f, "offset,length,address,present,state,file\n"
			"0x0,4,0x1000,true,mapped,x\n"
			"0x4,1,0x2000,true,mapped,x\n"
			"0x5,1,,true,mapped,x\n"
			"0x6,1,,true,transition,x\n");
	end(&f);
}

Test(dump, physical_addresses_for_who_asks)
{
	static const uint8_t bytes[] = "abcd";
	static const unsigned asked[] = { DUMP_OFFSET, DUMP_LENGTH, DUMP_ADDRESS, DUMP_PHYSICAL };
	const struct sink_options options = { .selected = asked,
					      .num_selected = ARRAY_SIZE(asked) };

	for (unsigned i = 0; i < 2; i++) {
		struct fixture f;
		struct dump_file *file;

		begin_plain(&f);
		if (i) {
			sink_destroy(f.run.sink);
			cr_assert_null(sink_create(SINK_CSV, f.out, &options, &f.run.sink));
			cr_assert_null(
				sink_begin(f.run.sink, cmd_dump.columns, cmd_dump.num_columns));
		}
		file = open_file(&f, "x");
		cr_assert_null(dump_bytes_at_pa(file, 0, opt_u64(0x1000), bytes, 2, "here"));
		cr_assert_null(dump_bytes_at_pa(file, 2, opt_u64(0x1002), bytes, 1, "here"));
		cr_assert_null(dump_bytes_at_pa(file, 3, opt_u64(0x5000), bytes, 1, "here"));
		cr_assert_null(dump_bytes_at_pa(file, 4, nowhere, bytes, 0, "here"));
		cr_assert_null(dump_end(file));
		expect_rows(&f, i ? "offset,length,address,physical_address\n"
				    "0x0,3,,0x1000\n"
				    "0x3,1,,0x5000\n"
				  : "offset,length,address,present,state,file\n"
				    "0x0,4,,true,here,x\n");
		end(&f);
	}
}

Test(dump, gaps_are_holes_and_partial)
{
	static const uint8_t bytes[] = "ab";
	uint8_t back[64];
	struct fixture f;
	struct dump_file *file;

	begin_plain(&f);
	file = open_file(&f, "x");
	/* in any order */
	cr_assert_null(dump_bytes(file, 8, nowhere, bytes, 2, "mapped"));
	cr_assert_null(dump_gap(file, 0, nowhere, 4, "not_present"));
	cr_assert_null(dump_gap(file, 4, nowhere, 4, "not_present"));
	cr_assert_null(dump_gap(file, 10, nowhere, 6, "not_captured"));
	cr_assert_null(dump_end(file));
	cr_expect_eq(f.diag.partial, 1);
	cr_expect_eq(content("x", back, sizeof(back)), 16);
	cr_expect_arr_eq(back, "\0\0\0\0\0\0\0\0ab\0\0\0\0\0\0", 16);
	expect_rows(&f, "offset,length,address,present,state,file\n"
			"0x8,2,,true,mapped,x\n"
			"0x0,8,,false,not_present,x\n"
			"0xa,6,,false,not_captured,x\n");
	end(&f);
}

Test(dump, range_around_torn_pages)
{
	static struct fake_space fake;
	static uint8_t back[FAKE_SIZE];
	struct fixture f;
	struct dump_file *file;

	for (size_t i = 0; i < FAKE_SIZE; i++)
		fake.bytes[i] = (uint8_t)(i * 7 + 1);
	fake_show(&fake, FAKE_BASE, FAKE_BASE + 0x1800);
	fake_show(&fake, FAKE_BASE + 0x3400, FAKE_BASE + 0x5000);
	begin_plain(&f);
	file = open_file(&f, "x");
	cr_assert_null(dump_range(file, 0x200, fake_open(&fake), FAKE_BASE + 0x10, 0x4ff0));
	cr_assert_null(dump_end(file));
	cr_expect_eq(f.diag.partial, 1);
	cr_expect_eq(content("x", back, sizeof(back)), 0x51f0);
	for (size_t i = 0; i < 0x51f0; i++) {
		size_t at = i + 0x10 - 0x200;
		bool there = i >= 0x200 && (at < 0x1800 || at >= 0x3400);

		cr_assert_eq(back[i], there ? fake.bytes[at] : 0, "%zx", i);
	}
	expect_rows(&f, "offset,length,address,present,state,file\n"
			"0x200,6128,0xffff800000010010,true,mapped,x\n"
			"0x19f0,7168,0xffff800000011800,false,not_captured,x\n"
			"0x35f0,7168,0xffff800000013400,true,mapped,x\n");
	fake_close(&fake);
	end(&f);
}

Test(dump, limits)
{
	struct fixture f;
	struct dump_file *file;

	begin_plain(&f);
	file = open_file(&f, "x");
	expect_error(dump_gap(file, DUMP_MAX_SIZE, nowhere, 1, "x"), ERROR_LIMIT, "x: ");
	expect_error(dump_gap(file, 1, nowhere, UINT64_MAX, "x"), ERROR_LIMIT, "limit");
	expect_error(dump_gap(file, UINT64_MAX, nowhere, 2, "x"), ERROR_LIMIT, "limit");
	dump_file_cleanup(&file);
	cr_expect_null(file);
	cr_expect_neq(access("x", F_OK), 0, "an unfinished file is removed");
	end(&f);
}

Test(dump, existing_files_are_kept)
{
	struct dump_file *file = NULL;
	struct fixture f;

	begin_plain(&f);
	cr_assert_null(dump_end(open_file(&f, "x")));
	expect_error(dump_begin(&f.dump, "x", nowhere, &file), ERROR_OS, "--force");
	cr_expect_null(file);
	/* a link is a file that exists, too, wherever it leads */
	cr_assert_eq(symlink("nowhere", "link"), 0);
	expect_error(dump_begin(&f.dump, "link", nowhere, &file), ERROR_OS, "link");
	cr_expect_neq(access("nowhere", F_OK), 0);
	end(&f);
}

Test(dump, force_replaces_the_file_but_not_where_a_link_leads)
{
	static const char *const words[] = { "--force" };
	struct dump_file *file;
	struct fixture f;
	uint8_t back[8];

	begin(&f, words, 1);
	file = open_file(&f, "target");
	cr_assert_null(dump_bytes(file, 0, nowhere, (const uint8_t *)"old", 3, "mapped"));
	cr_assert_null(dump_end(file));
	cr_assert_eq(symlink("target", "link"), 0);
	cr_assert_null(dump_end(open_file(&f, "link")));
	cr_expect_eq(content("target", back, sizeof(back)), 3);
	cr_expect_eq(content("link", back, sizeof(back)), 0);
	cr_assert_null(dump_end(open_file(&f, "target")));
	cr_expect_eq(content("target", back, sizeof(back)), 0);
	end(&f);
}

Test(dump, never_over_the_snapshot_or_a_folder)
{
	static const char *const words[] = { "--force" };
	struct dump_file *file = NULL;
	struct fixture f;

	begin(&f, words, 1);
	expect_error(dump_begin(&f.dump, "evidence", nowhere, &file), ERROR_USAGE, "snapshot");
	cr_assert_eq(link("evidence", "other-name"), 0);
	expect_error(dump_begin(&f.dump, "other-name", nowhere, &file), ERROR_USAGE, "snapshot");
	cr_assert_eq(mkdir("folder", 0700), 0);
	expect_error(dump_begin(&f.dump, "folder", nowhere, &file), ERROR_USAGE, "regular");
	end(&f);
}

Test(dump, never_over_a_page_file)
{
	static const char *const words[] = { "--force", "--pagefile", "1=pages" };
	struct dump_file *file = NULL;
	struct fixture f;
	FILE *pages;

	begin(&f, words, 3);
	cr_assert_not_null(pages = fopen("pages", "w"));
	fclose(pages);
	expect_error(dump_begin(&f.dump, "pages", nowhere, &file), ERROR_USAGE, "page file");
	cr_assert_null(dump_end(open_file(&f, "others")));
	end(&f);
}

Test(dump, output_is_one_file)
{
	static const char *const words[] = { "-o", "here.bin" };
	struct dump_file *file = NULL;
	struct fixture f;

	begin(&f, words, 2);
	cr_assert_null(dump_end(open_file(&f, "proposed")));
	cr_expect_eq(access("here.bin", F_OK), 0);
	expect_error(dump_begin(&f.dump, "second", nowhere, &file), ERROR_USAGE, "folder");
	end(&f);
}

Test(dump, output_is_a_folder)
{
	static const char *const words[] = { "-o", "new/" };
	struct fixture f;

	begin(&f, words, 2);
	cr_assert_null(dump_end(open_file(&f, "a")));
	cr_assert_null(dump_end(open_file(&f, "../b")));
	cr_expect_eq(access("new/a", F_OK), 0);
	cr_expect_eq(access("new/b", F_OK), 0);
	end(&f);
}

Test(dump, output_cannot_be_written)
{
	static const char *const words[] = { "-o", "no/such/file" };
	struct dump_file *file = NULL;
	struct fixture f;

	begin(&f, words, 2);
	expect_error(dump_begin(&f.dump, "a", nowhere, &file), ERROR_OS, "no/such/file");
	end(&f);
}
