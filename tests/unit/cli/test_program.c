/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "cli/program.h"
#include "tests/memfile.h"

/*
 * The program from its words to its streams, on a raw snapshot of six pages:
 *
 *	0x1000 PML4 -> 0x2000 PDPT -> 0x3000 PD -> 0x4000 PT
 *	va 0x0000 -> 0x5000, user, no execute: "hello" and zeros
 *	va 0x1000 -> 0x9000, beyond the snapshot
 *	va 0x2000 -> nothing
 *	va 0x200000 -> a table at 0x8000, beyond the snapshot
 */
enum { IMAGE_PAGES = 6, IMAGE_SIZE = IMAGE_PAGES << 12, MAX_WORDS = 16 };

static char image_path[MEMFILE_PATH_SIZE];
static int image_fd;

static void set_up(void)
{
	static uint8_t image[IMAGE_SIZE];

	store_u64(image + 0x1000, 0x2007);
	store_u64(image + 0x2000, 0x3007);
	store_u64(image + 0x3000, 0x4007);
	store_u64(image + 0x3008, 0x8007);
	store_u64(image + 0x4000, UINT64_C(0x8000000000005005));
	store_u64(image + 0x4008, 0x9003);
	memcpy(image + 0x5000, "hello", 5);
	image_fd = memfile_create(image, sizeof(image), image_path);
}

static void tear_down(void)
{
	close(image_fd);
}

TestSuite(program, .init = set_up, .fini = tear_down);

struct result {
	enum exit_status status;
	char *out, *err;
	size_t out_size, err_size;
};

/* Words separated by one space; "@" is the snapshot. */
static struct result run(const char *line, const char *input)
{
	struct result r = { 0 };
	char name[] = "ntscope";
	char *copy = strdup(line), *save = NULL, *words[MAX_WORDS] = { name };
	size_t input_size = strlen(input);
	struct program_io io = {
		.in = input_size ? fmemopen((void *)(uintptr_t)input, input_size, "r")
				 : fopen("/dev/null", "r"),
		.out = open_memstream(&r.out, &r.out_size),
		.err = open_memstream(&r.err, &r.err_size),
	};
	int count = 1;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		words[count++] = strcmp(w, "@") == 0 ? image_path : w;
	r.status = program_run(count, words, &io);
	fclose(io.in);
	fclose(io.out);
	fclose(io.err);
	free(copy);
	return r;
}

static void expect_run(const char *line, const char *input, enum exit_status status,
		       const char *out, const char *err_part)
{
	struct result r = run(line, input);

	cr_expect_eq(r.status, status, "%s: status %d: %s", line, (int)r.status, r.err);
	cr_expect_str_eq(r.out, out);
	if (err_part)
		cr_expect(strstr(r.err, err_part), "%s: '%s' is not in: %s", line, err_part, r.err);
	else
		cr_expect_str_eq(r.err, "");
	free(r.out);
	free(r.err);
}

Test(program, usage_errors)
{
	static const struct {
		const char *line, *message;
	} rows[] = {
		{ "", "ntscope: which command?\nntscope: try 'ntscope help'\n" },
		{ "pss @", "unknown command 'pss'; did you mean 'ps'?" },
		{ "help pss", "unknown command 'pss'; did you mean 'ps'?" },
		{ "vtop --breif @ 0", "unknown option '--breif'; did you mean '--brief'?" },
		{ "--brief vtop @ 0", "unknown option '--brief'" },
		{ "info", "info: which snapshot?\nusage: ntscope info [OPTIONS] SNAPSHOT\n"
			  "ntscope: try 'ntscope help info'\n" },
		{ "info @ more", "info: 'more' is one argument too many" },
		{ "info ps @",
		  "several commands are joined by commas: 'ntscope info,ps SNAPSHOT'" },
		{ "@ info", "; the snapshot comes after the command: 'ntscope info " },
		{ "-f @ info", "option '--format': '" },
		{ "INFO @", "unknown command 'INFO'; did you mean 'info'?" },
		{ "registry kesy @",
		  "unknown command 'registry kesy'; did you mean 'registry keys'?" },
		{ "registry @", "unknown command 'registry'; did you mean 'registry hives'?" },
		{ "ps, @", "the name of a command is missing" },
		{ "info,dump @", "'dump' runs alone" },
		{ "info,convert @", "'convert' runs alone" },
		{ "info --limit 0 @", "option '--limit': expected at least 1, found 0" },
		{ "completion bash zsh", "completion: 'zsh' is one argument too many" },
		{ "read @", "read: ADDRESS is missing after the snapshot" },
		{ "info --format xml @", "'xml' is not text, json, jsonl or csv" },
		{ "info --columns format,frob @", "no column 'frob'" },
		{ "info --columns format, @", "no column ''" },
		{ "info --columns dtb,dtb @", "column 'dtb' is there twice" },
		{ "info --threads 9999 @", "option '--threads': at most 1024" },
		{ "vtop --dtb 0x1000 @ 0 12zz", "vtop: '12zz' is not a hexadecimal address" },
		{ "vtop --dtb 0x1000 --levels 3 @ 0", "option '--levels': 3 is not 4 or 5" },
		{ "read --physical --raw --sort -address @ 0", "option '--sort' is about rows" },
		{ "read --physical --raw -f json @ 0", "option '--format' is about rows" },
		{ "read --physical @ zz", "read: 'zz' is not a hexadecimal address" },
		{ "read --physical --length 0 @ 0", "read: 0 bytes do not fit at 0x0" },
		{ "read --physical --length 2 @ ffffffffffffffff", "do not fit" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_run(rows[i].line, "", STATUS_USAGE, "", rows[i].message);
}

Test(program, an_empty_name_is_no_snapshot)
{
	char name[] = "ntscope", command[] = "info", empty[] = "";
	char *words[] = { name, command, empty };
	char *text = NULL;
	size_t size;
	FILE *null = fopen("/dev/null", "r+"), *err = open_memstream(&text, &size);
	const struct program_io io = { .in = null, .out = null, .err = err };

	cr_expect_eq(program_run(3, words, &io), STATUS_USAGE);
	fclose(err);
	fclose(null);
	cr_expect_not_null(strstr(text, "the name of the snapshot is empty"), "%s", text);
	free(text);
}

Test(program, a_list_takes_names_alone)
{
	char name[] = "ntscope", option[] = "-c", list[] = "ps --tree";
	char *words[] = { name, option, list, image_path };
	char *text = NULL;
	size_t size;
	FILE *null = fopen("/dev/null", "r+"), *err = open_memstream(&text, &size);
	const struct program_io io = { .in = null, .out = null, .err = err };

	cr_expect_eq(program_run(4, words, &io), STATUS_USAGE);
	fclose(err);
	fclose(null);
	cr_expect_not_null(strstr(text, "'--tree' stands by itself"), "%s", text);
	free(text);
}

static ssize_t nobody_reads(void *cookie, const char *bytes, size_t size)
{
	(void)cookie;
	(void)bytes;
	(void)size;
	errno = EPIPE;
	return 0;
}

Test(program, several_end_quietly_when_nobody_reads)
{
	char name[] = "ntscope", list[] = "info,cpus", quiet[] = "-q";
	char *words[] = { name, list, image_path, quiet };
	const cookie_io_functions_t functions = { .write = nobody_reads };
	static const int modes[] = { _IONBF, _IOFBF };

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		char *text = NULL;
		size_t size;
		FILE *in = fopen("/dev/null", "r"), *out = fopencookie(NULL, "w", functions);
		FILE *err = open_memstream(&text, &size);
		const struct program_io io = { .in = in, .out = out, .err = err };

		setvbuf(out, NULL, modes[i], BUFSIZ);
		cr_expect_eq(program_run(4, words, &io), STATUS_FAILED);
		fclose(err);
		cr_expect_null(strstr(text, "cannot write"), "%s", text);
		fclose(out);
		fclose(in);
		free(text);
	}
}

Test(program, answers_about_itself)
{
	static const struct {
		const char *line, *part;
	} rows[] = {
		{ "--version", "ntscope 0" },
		{ "ps --version", "ntscope 0" },
		{ "--help", "usage: ntscope COMMAND" },
		{ "help", "usage: ntscope COMMAND" },
		{ "help vtop", "usage: ntscope vtop " },
		{ "vtop --help", "usage: ntscope vtop " },
		{ "--man", ".TH NTSCOPE 1" },
		{ "vtop --columns", "  entry_address " },
		{ "vtop --columns help @", "  entry_address " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct result r = run(rows[i].line, "");

		cr_expect_eq(r.status, STATUS_OK, "%s", rows[i].line);
		cr_expect(strstr(r.out, rows[i].part), "%s: %s", rows[i].line, r.out);
		cr_expect_str_eq(r.err, "");
		free(r.out);
		free(r.err);
	}
}

Test(program, failures)
{
	expect_run("info /no/such/file", "", STATUS_FAILED, "", "/no/such/file");
	expect_run("info --format json --input-format elf @", "", STATUS_FAILED, "", image_path);
	expect_run("ps -q @", "", STATUS_FAILED, "", image_path);
	expect_run("vtop -q @ 0", "", STATUS_FAILED, "", "no address space to use");
	expect_run("vtop -q --cpu 0 @ 0", "", STATUS_FAILED, "", "registers of 0 processors");
	expect_run("vtop -q --pid 4 @ 0", "", STATUS_FAILED, "", "option '--pid' needs the kernel");
}

Test(program, info_without_kernel_is_partial)
{
	expect_run("info -q --format csv --columns format,file_size,physical_pages,dtb @", "",
		   STATUS_PARTIAL, "format,file_size,physical_pages,dtb\nraw,24576,6,\n",
		   "partial result: 1 thing could not be read");
}

#define BRIEF "vtop -q --brief --format csv --columns va,pa,page_size,access,state,captured "

Test(program, vtop_brief)
{
	static const char head[] = "va,pa,page_size,access,state,captured\n";
	char out[512];

	snprintf(out, sizeof(out), "%s0x5,0x5005,4096,ur--,mapped,true\n", head);
	expect_run(BRIEF "--dtb 0x1000 @ 5", "", STATUS_OK, out, NULL);
	snprintf(out, sizeof(out), "%s0x2000,,4096,,not_present,\n", head);
	expect_run(BRIEF "--dtb 1000 @ 2000", "", STATUS_OK, out, NULL);
	snprintf(out, sizeof(out),
		 "%s0x1000,0x9000,4096,-rwx,not_captured,false\n"
		 "0x200000,,2097152,,table_not_captured,\n",
		 head);
	expect_run(BRIEF "--dtb 0x1000 @ 0x1000 0x200000", "", STATUS_PARTIAL, out,
		   "2 of 2 addresses end in pages that the snapshot lacks");
}

Test(program, vtop_reads_a_list)
{
	char longer[300] = "";

	expect_run(BRIEF "--dtb 0x1000 @ -", "5\n\n  0x2000  \r\n6", STATUS_OK,
		   "va,pa,page_size,access,state,captured\n"
		   "0x5,0x5005,4096,ur--,mapped,true\n0x2000,,4096,,not_present,\n"
		   "0x6,0x5006,4096,ur--,mapped,true\n",
		   NULL);
	expect_run(BRIEF "--dtb 0x1000 @ -", "zz\n5\n", STATUS_PARTIAL,
		   "va,pa,page_size,access,state,captured\n0x5,0x5005,4096,ur--,mapped,true\n",
		   "standard input: line 1: 'zz' is not a hexadecimal address");
	memset(longer, '0', 290);
	memcpy(longer + 290, "\n5\n", 4);
	expect_run(BRIEF "--dtb 0x1000 @ -", longer, STATUS_PARTIAL,
		   "va,pa,page_size,access,state,captured\n0x5,0x5005,4096,ur--,mapped,true\n",
		   "standard input: line 1: ");
	expect_run(BRIEF "--limit 1 --dtb 0x1000 @ -", "5\n6\n", STATUS_OK,
		   "va,pa,page_size,access,state,captured\n0x5,0x5005,4096,ur--,mapped,true\n",
		   NULL);
}

Test(program, vtop_steps)
{
	expect_run("vtop -q --format csv --columns level,entry_address,entry,pa,state --dtb 0x1000 "
		   "@ 200000",
		   "", STATUS_PARTIAL,
		   "level,entry_address,entry,pa,state\npml4,0x1000,0x2007,,\n"
		   "pdpt,0x2000,0x3007,,\npd,0x3008,0x8007,,\n"
		   "pt,0x8000,,,table_not_captured\n",
		   "1 of 1 addresses");
	expect_run("vtop -q --format csv --columns level,pa,state --dtb 0x1000 @ 8000000000000000",
		   "", STATUS_OK, "level,pa,state\n,,non_canonical\n", NULL);
}

Test(program, read_rows_break_at_gaps)
{
	expect_run("read -q --format csv --dtb 0x1000 --length 0x1014 @ ff8", "", STATUS_PARTIAL,
		   "address,length,bytes,text,state\n"
		   "0xff8,8,0000000000000000,........,mapped\n"
		   "0x1000,4096,,,not_captured\n"
		   "0x2000,12,,,not_present\n",
		   "4108 of 4116 bytes are not in the snapshot");
	expect_run("read --format csv --physical --length 18 @ 5003", "", STATUS_OK,
		   "address,length,bytes,text,state\n"
		   "0x5003,16,6c6f0000000000000000000000000000,lo..............,mapped\n"
		   "0x5013,2,0000,..,mapped\n",
		   NULL);
	expect_run("read --columns address,state -f csv --physical -n 1 -l 64 @ 5000", "",
		   STATUS_OK, "address,state\n0x5000,mapped\n", NULL);
}

/* A hole of 128 TiB is one step, and the top of the space is reached. */
Test(program, read_skips_holes, .timeout = 20)
{
	expect_run("read -q -f csv -C address,length,state --dtb 0x1000 --length 0x7fffffffe000 "
		   "@ 2000",
		   "", STATUS_PARTIAL,
		   "address,length,state\n0x2000,2088960,not_present\n"
		   "0x200000,2097152,table_not_captured\n"
		   "0x400000,140737484161024,not_present\n",
		   "bytes are not in the snapshot");
	expect_run("read -q -f csv -C address,length,state --dtb 0x1000 --length 16 "
		   "@ fffffffffffffff0",
		   "", STATUS_PARTIAL, "address,length,state\n0xfffffffffffffff0,16,not_present\n",
		   "16 of 16 bytes");
}

Test(program, read_raw)
{
	struct result r;

	expect_run("read --raw --physical --length 5 @ 5000", "", STATUS_OK, "hello", NULL);
	expect_run("read -q --raw --dtb 0x1000 --length 0x1001 @ 0", "", STATUS_FAILED, "",
		   "0x1000: ");
	r = run("read -q --raw --zero-absent --dtb 0x1000 --length 0x1001 @ 0", "");
	cr_expect_eq(r.status, STATUS_PARTIAL);
	cr_expect_eq(r.out_size, 0x1001);
	cr_expect(strstr(r.err, "1 of 4097 bytes are not in the snapshot and were written as "
				"zeros"));
	free(r.out);
	free(r.err);
}

Test(program, read_raw_never_overwrites)
{
	char dir[] = "/tmp/ntscope-test-XXXXXX", path[64], line[256];

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/out", dir);
	snprintf(line, sizeof(line), "read --physical --length 5 -o %s @ 5000", path);
	expect_run(line, "", STATUS_OK, "", NULL);
	expect_run(line, "", STATUS_FAILED, "", "cannot create the file");
	cr_expect_eq(unlink(path), 0);
	/* What fails leaves no empty file that stands in the way of the next try. */
	snprintf(line, sizeof(line), "read -q --dtb 0x1000 --length 0x1001 -o %s @ 0", path);
	expect_run(line, "", STATUS_FAILED, "", "0x1000: ");
	cr_expect_neq(access(path, F_OK), 0);
	rmdir(dir);
}
