/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/text.h"
#include "fuzz.h"
#include "tests/unit/windows/fake_user.h"

/*
 * A process whose PEB, parameters, environment and loader lists are whole, with some of its bytes
 * changed, so that a mutation reaches the structures: {u8 view, u8 absent pages} and then changes
 * {u16 offset, u8 length 1-8, bytes}.
 */
enum { MAX_INPUT = 1 << 10, HEADER = 2, CHANGE_HEAD = 3 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void must(struct error *err)
{
	check(!err);
}

static void apply_changes(struct fake_user *f, const uint8_t *data, size_t size)
{
	while (size > CHANGE_HEAD) {
		size_t offset = load_u16(data), len = (data[2] & 7u) + 1u;

		data += CHANGE_HEAD;
		size -= CHANGE_HEAD;
		if (len > size)
			len = size;
		if (offset < FAKE_USER_SIZE && len <= FAKE_USER_SIZE - offset)
			memcpy(f->bytes + offset, data, len);
		data += len;
		size -= len;
	}
}

static void check_text(const char *s)
{
	check(!s || text_is_utf8(s));
}

static void check_modules(const struct user_process *u)
{
	struct user_module_list list;

	must(user_modules_read(u, &list));
	check(list.count <= NUM_USER_VIEWS * 2 * NUM_LOADER_LISTS * (size_t)MAX_USER_MODULES);
	for (size_t i = 0; i < list.count; i++) {
		const struct user_module *m = &list.items[i];
		bool listed = false;

		check(m->base.present && m->base.value % PAGE_SIZE == 0);
		for (unsigned j = 0; j < NUM_LOADER_LISTS; j++)
			listed = listed || m->in_list[j].value;
		check(listed);
		for (size_t j = 0; j < i; j++)
			check(list.items[j].entry != m->entry || list.items[j].view != m->view);
		check_text(m->name);
		check_text(m->path);
	}
	user_modules_deinit(&list);
}

static void check_view(const struct user_process *u, enum user_view view, struct arena *a)
{
	struct user_environment environment;
	struct user_parameters p;

	must(user_parameters_read(u, view, a, &p));
	check(p.peb.present || !p.va.present);
	for (size_t i = 0; i < NUM_USER_STRINGS; i++)
		check_text(p.strings[i]);
	must(user_environment_read(u, view, a, &environment));
	for (size_t i = 0; i < environment.count; i++) {
		const struct user_variable *v = &environment.items[i];

		check(v->name && *v->name);
		check_text(v->name);
		check_text(v->value);
		check(i == 0 || v[-1].va < v->va);
	}
}

static void check_process(struct space *s, const struct fake_user *f, bool exited)
{
	struct process process = { .eprocess = FAKE_EPROCESS, .exit_time = { exited, exited } };
	struct kernel kernel = { .space = s };
	struct user_reader reader = { .k = &kernel };
	struct user_process user;
	struct arena arena;
	struct diag diag;

	diag_init(&diag, NULL, NULL);
	kernel.diag = &diag;
	arena_init(&arena, 0);
	memcpy(reader.fields, f->fields, sizeof(reader.fields));
	user_process_init(&user, &reader, &process, s);
	check_modules(&user);
	for (unsigned view = 0; view < NUM_USER_VIEWS; view++)
		check_view(&user, (enum user_view)view, &arena);
	check(!exited || !diag.partial);
	arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_user fake;
	struct file file = { .fd = -1, .bytes = fake.bytes, .size = FAKE_USER_SIZE };
	struct virtmem *mem;
	struct space *s;

	if (size < HEADER || size > MAX_INPUT)
		return 0;
	fake_user_build(&fake, data[0] & 1 ? USER_WOW64 : USER_NATIVE);
	apply_changes(&fake, data + HEADER, size - HEADER);
	must(virtmem_create(&mem));
	for (size_t i = 0; i < FAKE_USER_SIZE / PAGE_SIZE; i++) {
		if (!(data[1] >> i & 1))
			must(virtmem_add(mem, FAKE_USER_BASE + i * PAGE_SIZE, PAGE_SIZE, &file,
					 i * PAGE_SIZE));
	}
	must(virtmem_seal(mem));
	must(space_create_virtual(mem, &s));
	check_process(s, &fake, data[0] & 2);
	space_destroy(s);
	virtmem_destroy(mem);
	return 0;
}
