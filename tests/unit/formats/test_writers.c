/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "formats/writers/stream.h"
#include "writer_fake.h"

static struct writer_fake *f;

static void setup(void)
{
	f = fake_create();
}

static void teardown(void)
{
	fake_destroy(f);
}

TestSuite(writers, .init = setup, .fini = teardown, .timeout = 60);

static struct snapshot *read_back(const char *format)
{
	struct snapshot *s;

	fake_must(snapshot_open(f->path, &(struct snapshot_options){ .format = format }, &f->diag,
				&s));
	return s;
}

static void expect_round_trip(const struct format_writer *writer)
{
	struct snapshot *s;

	fake_must(fake_write(f, writer));
	cr_expect_eq(f->lost, 0);
	s = read_back(writer->format);
	fake_expect_subset(f->mem, s->mem);
	if (!(writer->flags & WRITER_FILLS_HOLES))
		fake_expect_subset(s->mem, f->mem);
	snapshot_close(s);
}

/* More than a chunk of the stream, with pieces of two chunks and of many pages in one. */
static void add_machine(uint64_t part)
{
	fake_add_run(f, 0, 0x9f000, 0);
	fake_add_run(f, 0x100000, 0x1000, 0xa0000);
	fake_add_run(f, 0x102000, 0x1000, 0xa1000);
	fake_add_run(f, 0x200000, 0x123000 + part, 0xa2000);
	fake_add_run(f, 0x1000000 + part, 0x8000 - part, 0x200000);
}

Test(writers, every_format_holds_whole_pages)
{
	add_machine(0);
	for (size_t i = 0; i < num_writers; i++) {
		if (writer_registry[i]->flags & WRITER_WANTS_KERNEL)
			continue;
		expect_round_trip(writer_registry[i]);
		unlink(f->path);
	}
}

Test(writers, some_formats_hold_parts_of_pages)
{
	static const struct format_writer *const writers[] = { &raw_writer, &elf_writer,
							       &lime_writer };

	add_machine(0x123);
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
		expect_round_trip(writers[i]);
		unlink(f->path);
	}
}

Test(writers, parts_of_pages_are_left_out_where_they_have_no_place)
{
	struct snapshot *s;
	uint8_t byte;

	add_machine(0x123);
	fake_must(fake_write(f, &kdump_writer));
	s = read_back("kdump");
	fake_expect_subset(s->mem, f->mem);
	cr_expect_eq(physmem_read(s->mem, 0x200000 + 0x123000, &byte, 1), 0);
	cr_expect_eq(physmem_read(s->mem, 0x1000123, &byte, 1), 0);
	cr_expect_eq(physmem_read(s->mem, 0x1001000, &byte, 1), 1);
	snapshot_close(s);
}

/* The same bytes, whatever the number of threads, also of what they compress. */
Test(writers, threads_change_nothing)
{
	struct output_result one;
	uint8_t memory[SHA256_SIZE];

	add_machine(0);
	for (size_t i = 0; i < num_writers; i++) {
		if (writer_registry[i]->flags & WRITER_WANTS_KERNEL)
			continue;
		f->threads = 1;
		fake_must(fake_write(f, writer_registry[i]));
		one = f->result;
		memcpy(memory, f->memory_sha256, sizeof(memory));
		unlink(f->path);
		f->threads = 5;
		fake_must(fake_write(f, writer_registry[i]));
		cr_expect_eq(one.size, f->result.size);
		cr_expect_arr_eq(one.sha256, f->result.sha256, SHA256_SIZE, "%s",
				 writer_registry[i]->name);
		cr_expect_arr_eq(memory, f->memory_sha256, SHA256_SIZE);
		unlink(f->path);
	}
}

/* As it is documented: the bounds of each run, then its bytes. */
Test(writers, the_memory_hash_can_be_taken_by_anyone)
{
	uint8_t bounds[16], sum[SHA256_SIZE];
	struct sha256 s;

	fake_add_run(f, 0x1000, 0x80000, 0);
	fake_add_run(f, 0x100010, 0x20, 0x80000);
	f->patch = (struct write_patch){
		.pa = 0x2000,
		.bytes = (const uint8_t *)"patched",
		.len = 7,
	};
	fake_must(fake_write(f, &elf_writer));
	sha256_init(&s);
	store_u64(bounds, 0x1000);
	store_u64(bounds + 8, 0x81000);
	sha256_add(&s, bounds, sizeof(bounds));
	sha256_add(&s, f->bytes, 0x80000);
	store_u64(bounds, 0x100010);
	store_u64(bounds + 8, 0x100030);
	sha256_add(&s, bounds, sizeof(bounds));
	sha256_add(&s, f->bytes + 0x80000, 0x20);
	sha256_end(&s, sum);
	cr_expect_arr_eq(sum, f->memory_sha256, SHA256_SIZE);
}

static void expect_file_sum(void)
{
	uint8_t sum[SHA256_SIZE];
	struct sha256 s;
	struct file file;

	fake_must(file_open(&file, f->path));
	cr_expect_eq(file.size, f->result.size);
	sha256_init(&s);
	sha256_add(&s, file.bytes, (size_t)file.size);
	sha256_end(&s, sum);
	cr_expect_arr_eq(sum, f->result.sha256, SHA256_SIZE);
	file_close(&file);
}

Test(writers, the_output_hash_is_that_of_the_file)
{
	add_machine(0);
	for (size_t i = 0; i < num_writers; i++) {
		if (writer_registry[i]->flags & WRITER_WANTS_KERNEL)
			continue;
		fake_must(fake_write(f, writer_registry[i]));
		expect_file_sum();
		unlink(f->path);
	}
	f->lz4 = true;
	fake_must(fake_write(f, &raw_writer));
	expect_file_sum();
}

Test(writers, patches_are_written)
{
	static const uint8_t patch[0x1800] = { 1, 2, 3, [0x17ff] = 9 };
	struct snapshot *s;
	uint8_t got[0x1800];

	add_machine(0);
	/* over the seam of two chunks of the stream */
	f->patch = (struct write_patch){
		.pa = STREAM_CHUNK_SIZE - 0x800,
		.bytes = patch,
		.len = sizeof(patch),
	};
	for (size_t i = 0; i < num_writers; i++) {
		if (writer_registry[i]->flags & WRITER_WANTS_KERNEL)
			continue;
		fake_must(fake_write(f, writer_registry[i]));
		s = read_back(writer_registry[i]->format);
		cr_assert_eq(physmem_read(s->mem, f->patch.pa, got, sizeof(got)), sizeof(got));
		cr_expect_arr_eq(got, patch, sizeof(got));
		snapshot_close(s);
		unlink(f->path);
	}
}

/* A source whose pages hold their number, but for one that cannot be decoded. */
static struct error *number_page(void *arg, uint64_t gfn, const uint8_t **ret, void **pin)
{
	const struct writer_fake *fake = arg;
	uint8_t *page;

	if (gfn == fake->bad_gfn)
		return error_new(ERROR_CORRUPT, "page 0x%lx is damaged", (long)gfn);
	page = malloc(PAGE_SIZE);
	memset(page, (int)gfn & 0xff, PAGE_SIZE);
	*ret = *pin = page;
	return NULL;
}

static void number_release(void *arg, void *pin)
{
	(void)arg;
	free(pin);
}

static bool number_next(void *arg, uint64_t gfn, uint64_t *first, uint64_t *last)
{
	(void)arg;
	*first = gfn < 0x100 ? 0x100 : gfn;
	*last = 0x1ff;
	return gfn <= 0x1ff;
}

static const struct page_source_ops numbers = {
	.page = number_page,
	.release = number_release,
	.next = number_next,
};

Test(writers, pages_that_cannot_be_decoded_are_lost_and_can_be_left_out)
{
	struct write_memory all = { 0 }, m = { 0 };
	struct page_set lost = { 0 }, again = { 0 };
	struct snapshot *s;
	uint8_t byte = 0;

	f->bad_gfn = 0x123;
	fake_must(physmem_add_source(f->mem, 0x100, 0x100, &numbers, f));
	fake_must(physmem_seal(f->mem));
	fake_must(write_memory_init(f->mem, f->cache, &all));
	fake_must(page_set_init(&all, f->cache, &lost));
	fake_must(fake_write_once(f, &lime_writer, &all, &lost));
	cr_expect_eq(lost.count, 1);
	cr_expect(page_set_has(&lost, 0x123fff));
	cr_expect(!page_set_has(&lost, 0x124000));
	unlink(f->path);
	fake_must(write_memory_filter(&all, &lost, false, false, f->cache, &m));
	cr_assert_eq(m.count, 2);
	cr_expect_eq(m.runs[0].end, 0x123000);
	cr_expect_eq(m.runs[1].start, 0x124000);
	fake_must(page_set_init(&m, f->cache, &again));
	fake_must(fake_write_once(f, &lime_writer, &m, &again));
	cr_expect_eq(again.count, 0);
	s = read_back("lime");
	cr_expect_eq(physmem_read(s->mem, 0x123000, &byte, 1), 0);
	cr_expect_eq(physmem_read(s->mem, 0x124000, &byte, 1), 1);
	cr_expect_eq(byte, 0x24);
	snapshot_close(s);
	page_set_deinit(&again);
	page_set_deinit(&lost);
	write_memory_deinit(&m);
	write_memory_deinit(&all);
}

/* One byte in every other page: more segments than a header of 16 bits counts. */
Test(writers, elf_counts_segments_beyond_its_header)
{
	enum { RUNS = 0x10010 };
	struct snapshot *s;
	uint8_t byte;

	for (uint64_t i = 0; i < RUNS; i++)
		fake_add_run(f, i * 2 * PAGE_SIZE, 1, i);
	fake_must(fake_write(f, &elf_writer));
	s = read_back("elf");
	cr_expect_eq(physmem_num_runs(s->mem), (size_t)RUNS);
	cr_assert_eq(physmem_read(s->mem, (RUNS - 1) * UINT64_C(2) * PAGE_SIZE, &byte, 1), 1);
	cr_expect_eq(byte, f->bytes[RUNS - 1]);
	snapshot_close(s);
}

Test(writers, lime_counts_no_runs)
{
	enum { RUNS = 0x10010 };
	struct snapshot *s;

	for (uint64_t i = 0; i < RUNS; i++)
		fake_add_run(f, i * 2 * PAGE_SIZE + i % PAGE_SIZE, 1, i);
	fake_must(fake_write(f, &lime_writer));
	s = read_back("lime");
	fake_expect_subset(f->mem, s->mem);
	snapshot_close(s);
}

Test(writers, the_top_of_the_address_space)
{
	fake_add_run(f, 0x1000, 0x2000, 0);
	fake_add_run(f, PHYSMEM_MAX_END - 0x1000, 0x1000, 0x3000);
	expect_round_trip(&elf_writer);
	unlink(f->path);
	expect_round_trip(&lime_writer);
}

Test(writers, raw_refuses_a_file_of_nothing)
{
	struct error *err;

	fake_add_run(f, 0x1000, 0x2000, 0);
	fake_add_run(f, UINT64_C(1) << 44, 0x1000, 0x3000);
	err = fake_write(f, &raw_writer);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT, "%s", error_message(err));
	error_destroy(err);
	cr_expect_neq(access(f->path, F_OK), 0);
}

Test(writers, kdump_refuses_bitmaps_of_nothing)
{
	struct error *err;

	fake_add_run(f, PHYSMEM_MAX_END - 0x1000, 0x1000, 0x3000);
	err = fake_write(f, &kdump_writer);
	cr_assert_not_null(err);
	cr_expect_eq(error_code(err), ERROR_LIMIT, "%s", error_message(err));
	error_destroy(err);
}

Test(writers, kdump_makes_up_no_processor)
{
	enum { NUM_CPUS_AT = 460 };
	struct snapshot *s;

	add_machine(0);
	fake_must(fake_write(f, &kdump_writer));
	s = read_back("kdump");
	cr_assert(s->file.size > NUM_CPUS_AT);
	cr_expect_eq(load_u32(s->file.bytes + NUM_CPUS_AT), 0);
	cr_expect_eq(s->info.num_cpus, 0);
	snapshot_close(s);
}

Test(writers, it_is_said_of_how_many_processors_the_notes_are)
{
	f->info.num_cpus = 8;
	f->info.registers = f->registers;
	f->info.num_registers = 2;
	f->registers[0].known = REGS_GENERAL | REGS_SELECTORS;
	add_machine(0);
	fake_must(fake_write(f, &elf_writer));
	cr_expect_not_null(strstr(f->messages, "the notes are of 1 of 8 processors"), "%s",
			   f->messages);
}

/* From now on calls of that number whose argument has one of these bits fail. */
static void forbid(unsigned number, size_t argument, uint32_t bits, uint32_t error)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)(offsetof(struct seccomp_data, args) + argument * 8)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(steps), steps };

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* As file systems refuse them that have no files without a name (VFAT, NFS). */
static void forbid_nameless_files(void)
{
	forbid(SYS_openat, 2, O_TMPFILE & ~O_DIRECTORY, EOPNOTSUPP);
}

/* In a program of its own: begins to write, and takes that signal; what it ended with. */
static int end_by_signal(int signal_number)
{
	int status = 0;
	pid_t id = fork();

	cr_assert_geq(id, 0);
	if (id == 0) {
		struct output *out;

		signal(signal_number, SIG_DFL);
		if (output_create(f->path, &(struct output_options){ 0 }, &out) ||
		    output_write(out, 0, "bytes", 5))
			_exit(1);
		raise(signal_number);
		_exit(0);
	}
	cr_assert_eq(waitpid(id, &status, 0), id);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

/* fake_destroy() sees that nothing is left. */
Test(writers, signals_leave_nothing_where_files_must_have_names)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	forbid_nameless_files();
	add_machine(0);
	expect_round_trip(&lime_writer);
	unlink(f->path);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		cr_expect_eq(end_by_signal(signals[i]), signals[i]);
}

/* A shell's background jobs ignore SIGINT, nohup's SIGHUP. */
Test(writers, signals_that_are_ignored_stay_ignored)
{
	struct output *out;

	forbid_nameless_files();
	signal(SIGHUP, SIG_IGN);
	fake_must(output_create(f->path, &(struct output_options){ 0 }, &out));
	raise(SIGHUP);
	output_destroy(out);
	cr_expect(signal(SIGHUP, SIG_DFL) == SIG_IGN);
}

/* NFS says so when a file is closed. fake_destroy() sees that there is no file. */
Test(writers, what_is_not_written_in_the_end_is_an_error)
{
	int status = 0;
	pid_t id = fork();

	cr_assert_geq(id, 0);
	if (id == 0) {
		struct output_result result;
		struct output *out;
		struct error *err;

		forbid(SYS_close, 0, UINT32_MAX, EIO);
		if (output_create(f->path, &(struct output_options){ 0 }, &out) ||
		    output_write(out, 0, "bytes", 5))
			_exit(1);
		err = output_finish(out, &result);
		_exit(err && error_code(err) == ERROR_OS ? 0 : 2);
	}
	cr_assert_eq(waitpid(id, &status, 0), id);
	cr_expect(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), 0);
	cr_expect_neq(access(f->path, F_OK), 0);
}

/* All is written again without it, and only then it is known how much is absent. */
Test(writers, what_is_absent_is_told_of_the_file_that_stays)
{
	f->bad_gfn = 0x123;
	fake_must(physmem_add_source(f->mem, 0x100, 0x100, &numbers, f));
	fake_must(fake_write(f, &raw_writer));
	cr_expect_eq(f->lost, 1);
	cr_expect_null(strstr(f->messages, "read as zeros"), "%s", f->messages);
}

Test(writers, a_page_of_many_runs_is_one_page)
{
	struct write_memory m;

	fake_add_run(f, 0x1800, 0x900, 0);
	fake_add_run(f, 0x2200, 0x10, 0x1000);
	fake_add_run(f, 0x2300, 0x1000, 0x2000);
	fake_must(physmem_seal(f->mem));
	fake_must(write_memory_init(f->mem, f->cache, &m));
	cr_expect_eq(m.count, 3);
	cr_expect_eq(m.slots, 2 + 1 + 2);
	cr_expect_eq(m.pages, 3);
	write_memory_deinit(&m);
}
