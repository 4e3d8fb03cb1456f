/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "fake_user.h"

enum { ALL_PAGES = FAKE_USER_SIZE / PAGE_SIZE };

/* A fake process as a reader sees it; pages may be left out. */
struct world {
	struct fake_user fake;
	bool absent[ALL_PAGES];
	struct file file;
	struct virtmem *mem;
	struct kernel kernel;
	struct diag diag;
	struct user_reader reader;
	struct process process;
	struct user_process user;
	struct arena arena;
};

static struct world *world_new(enum user_view view)
{
	struct world *w = calloc(1, sizeof(*w));

	cr_assert(w);
	fake_user_build(&w->fake, view);
	return w;
}

static void world_open(struct world *w)
{
	w->file = (struct file){ .fd = -1, .bytes = w->fake.bytes, .size = FAKE_USER_SIZE };
	cr_assert_null(virtmem_create(&w->mem));
	for (size_t i = 0; i < ALL_PAGES; i++) {
		if (!w->absent[i])
			cr_assert_null(virtmem_add(w->mem, FAKE_USER_BASE + i * PAGE_SIZE,
						   PAGE_SIZE, &w->file, i * PAGE_SIZE));
	}
	cr_assert_null(virtmem_seal(w->mem));
	cr_assert_null(space_create_virtual(w->mem, &w->kernel.space));
	diag_init(&w->diag, NULL, NULL);
	arena_init(&w->arena, 0);
	w->kernel.diag = &w->diag;
	w->reader.k = &w->kernel;
	memcpy(w->reader.fields, w->fake.fields, sizeof(w->reader.fields));
	w->process.eprocess = FAKE_EPROCESS;
	user_process_init(&w->user, &w->reader, &w->process, w->kernel.space);
}

static void world_free(struct world *w)
{
	space_destroy(w->kernel.space);
	virtmem_destroy(w->mem);
	arena_deinit(&w->arena);
	free(w);
}

static struct user_module_list read_modules(struct world *w)
{
	struct user_module_list list;

	world_open(w);
	cr_assert_null(user_modules_read(&w->user, &list));
	return list;
}

/* Those modules, in this order, whole. */
static void expect_modules(const struct user_module_list *list, const int *expected, size_t count)
{
	cr_assert_eq(list->count, count, "%zu modules", list->count);
	for (size_t i = 0; i < count; i++) {
		const struct user_module *m = &list->items[i];

		cr_expect_eq(m->entry, FAKE_MODULE(expected[i]), "module %zu", i);
		cr_expect_eq(m->base.value, FAKE_MODULE_BASE(expected[i]));
	}
}

static const int all[] = { 0, 1, 2, 3 };

static void finish(struct world *w, struct user_module_list *list)
{
	user_modules_deinit(list);
	world_free(w);
}

static const enum user_view views[] = { USER_NATIVE, USER_WOW64 };

static void check_modules(enum user_view view)
{
	struct world *w = world_new(view);
	struct user_module_list list = read_modules(w);

	expect_modules(&list, all, 4);
	for (size_t i = 0; i < list.count; i++) {
		const struct user_module *m = &list.items[i];

		cr_expect_eq(m->view, view);
		cr_expect(m->in_list[LOADER_LOAD_ORDER].value);
		cr_expect(m->in_list[LOADER_MEMORY_ORDER].value);
		cr_expect(m->in_list[LOADER_INIT_ORDER].present);
		cr_expect_eq(m->in_list[LOADER_INIT_ORDER].value, i != 0);
		cr_expect_eq(m->size.value, 0x8000);
		cr_expect_eq(m->load_time.value, 133590324301234567);
		cr_expect_eq(m->load_count, i ? 2 : -1);
		cr_expect_str_eq(m->load_reason, i ? "dynamic_load" : "unknown");
	}
	cr_expect_str_eq(list.items[1].name, "ntdll.dll");
	cr_expect_eq(w->diag.partial + w->diag.notes, 0);
	cr_expect_eq(user_module_at(&list, FAKE_MODULE_BASE(2) + 0x7fff), &list.items[2]);
	cr_expect_null(user_module_at(&list, FAKE_MODULE_BASE(2) + 0x8000));
	finish(w, &list);
}

static void check_parameters(enum user_view view)
{
	struct world *w = world_new(view);
	struct user_parameters p;

	world_open(w);
	cr_expect_eq(user_process_own_view(&w->user), view);
	cr_assert_null(user_parameters_read(&w->user, view, &w->arena, &p));
	cr_expect_eq(p.peb.value, FAKE_PEB);
	cr_expect_eq(p.image_base.value, FAKE_MODULE_BASE(0));
	cr_expect_str_eq(p.strings[USER_STRING_COMMAND_LINE], "a.exe -x");
	cr_expect_str_eq(p.strings[USER_STRING_CURRENT_DIRECTORY], "C:\\");
	cr_expect_str_eq(p.strings[USER_STRING_DLL_PATH], "");
	cr_expect_eq(w->diag.partial, 0);
	cr_assert_null(user_parameters_read(&w->user, view == USER_NATIVE ? USER_WOW64 : 0,
					    &w->arena, &p));
	cr_expect_not(p.peb.present);
	world_free(w);
}

static struct user_environment read_environment(struct world *w)
{
	struct user_environment environment;

	world_open(w);
	cr_assert_null(user_environment_read(&w->user, user_process_own_view(&w->user), &w->arena,
					     &environment));
	return environment;
}

static void expect_variable(const struct user_environment *e, size_t index, const char *name,
			    const char *value)
{
	cr_assert_lt(index, e->count);
	cr_expect_str_eq(e->items[index].name, name);
	if (value)
		cr_expect_str_eq(e->items[index].value, value);
	else
		cr_expect_null(e->items[index].value);
}

static void check_environment(enum user_view view)
{
	struct world *w = world_new(view);
	struct user_environment e = read_environment(w);

	cr_expect_eq(e.count, 5);
	expect_variable(&e, 0, "A", "1");
	expect_variable(&e, 1, "=C:", "C:\\");
	expect_variable(&e, 2, "B", "");
	expect_variable(&e, 3, "C", NULL);
	expect_variable(&e, 4, "Path", "x;y");
	cr_expect_eq(e.items[1].va, FAKE_ENVIRONMENT + 8);
	cr_expect_eq(w->diag.partial, 0);
	world_free(w);
}

Test(user_process, both_views)
{
	for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
		check_modules(views[i]);
		check_parameters(views[i]);
		check_environment(views[i]);
	}
}

/* The kernel's own record leads to the 32-bit PEB since Windows 10. */
Test(user_process, wow64_peb_through_the_kernel)
{
	struct world *w = world_new(USER_WOW64);

	world_open(w);
	cr_expect_eq(w->user.peb[USER_WOW64].value, FAKE_PEB);
	cr_expect_not(w->user.peb[USER_NATIVE].present);
	fake_user_put(&w->fake, FAKE_EPROCESS + 8, UINT64_C(0xffff900000000000), 8);
	user_process_init(&w->user, &w->reader, &w->process, w->kernel.space);
	cr_expect_not(w->user.peb[USER_WOW64].present);
	cr_expect_eq(w->diag.partial, 1);
	world_free(w);
}

Test(user_process, without_a_space_or_a_peb)
{
	struct world *w = world_new(USER_NATIVE);
	struct user_module_list list;
	struct user_environment environment;

	fake_user_put(&w->fake, FAKE_EPROCESS, 0, 8);
	list = read_modules(w);
	cr_expect_eq(list.count, 0);
	user_modules_deinit(&list);
	cr_assert_null(user_environment_read(&w->user, USER_NATIVE, &w->arena, &environment));
	cr_expect_eq(environment.count, 0);
	user_process_init(&w->user, &w->reader, &w->process, NULL);
	cr_assert_null(user_modules_read(&w->user, &list));
	cr_expect_eq(list.count, 0);
	cr_expect_eq(w->diag.partial, 0);
	finish(w, &list);
}

static void expect_same_field(const struct field *a, const struct field *b, unsigned id)
{
	cr_expect_eq(a->present, b->present, "%s", user_field_rows[id].name);
	cr_expect_eq(a->offset, b->offset, "%s", user_field_rows[id].name);
	cr_expect_eq(a->size, b->size, "%s", user_field_rows[id].name);
}

/* Without symbols: what all builds share, as 19041 has it; nothing that came with a build. */
Test(user_process, layout_without_symbols)
{
	static struct field fields[NUM_USER_VIEWS][user_num_fields];
	static struct field whole[NUM_USER_VIEWS][user_num_fields];
	static const struct field none;

	memcpy(whole[USER_NATIVE], fake_user_fields, sizeof(fake_user_fields));
	user_layout_complete(whole[USER_NATIVE], whole[USER_WOW64]);
	user_layout_complete(fields[USER_NATIVE], fields[USER_WOW64]);
	for (unsigned i = USER_PEB_LDR; i < user_num_fields; i++) {
		bool varies = i == USER_MODULE_LOAD_TIME || i == USER_MODULE_LOAD_REASON ||
			      i == USER_MODULE_DDAG_NODE || i == USER_DDAG_LOAD_COUNT;

		for (unsigned view = 0; view < NUM_USER_VIEWS; view++)
			expect_same_field(&fields[view][i], varies ? &none : &whole[view][i], i);
	}
}

/* Absent pages of an exited process are no loss. */
Test(user_process, exited)
{
	struct world *w = world_new(USER_NATIVE);
	struct user_module_list list;

	w->process.exit_time = opt_u64(1);
	w->absent[2] = w->absent[3] = true;
	list = read_modules(w);
	cr_expect_eq(w->diag.partial + w->diag.notes, 0);
	finish(w, &list);
}

Test(user_process, absent_record)
{
	static const int left[] = { 0, 1, 3 };
	struct world *w = world_new(USER_NATIVE);
	struct user_module_list list;

	w->absent[3] = true; /* module 2 */
	list = read_modules(w);
	expect_modules(&list, left, 3);
	cr_expect(list.items[2].in_list[LOADER_LOAD_ORDER].value);
	cr_expect_eq(w->diag.partial, 1);
	finish(w, &list);
}

/* What no list reaches any more is not known to be in none. */
Test(user_process, two_absent_records)
{
	static const int left[] = { 0, 3 };
	struct world *w = world_new(USER_NATIVE);
	struct user_module_list list;

	w->absent[2] = w->absent[3] = true; /* modules 1 and 2 */
	list = read_modules(w);
	expect_modules(&list, left, 2);
	finish(w, &list);
}

struct damage {
	const char *what;
	unsigned from, to; /* link fields of module 1 and of its target */
	int target;	   /* module; -1: the address `value` */
	uint64_t value;
};
static const struct damage damages[] = {
	{ "self", USER_MODULE_MEMORY_LINKS, USER_MODULE_MEMORY_LINKS, 1, 0 },
	{ "back", USER_MODULE_MEMORY_LINKS, USER_MODULE_MEMORY_LINKS, 0, 0 },
	{ "skip", USER_MODULE_MEMORY_LINKS, USER_MODULE_MEMORY_LINKS, 3, 0 },
	{ "other list", USER_MODULE_MEMORY_LINKS, USER_MODULE_LOAD_LINKS, 2, 0 },
	{ "other list of init", USER_MODULE_INIT_LINKS, USER_MODULE_MEMORY_LINKS, 3, 0 },
	{ "dangling", USER_MODULE_LOAD_LINKS, 0, -1, 0x31337000 },
	{ "zero", USER_MODULE_LOAD_LINKS, 0, -1, 0 },
	{ "odd", USER_MODULE_INIT_LINKS, 0, -1, FAKE_USER_BASE + 0x1003 },
};

/* One link broken, whatever it says then: nothing is lost, nothing invented. */
Test(user_process, one_bad_link)
{
	for (size_t i = 0; i < ARRAY_SIZE(damages) * ARRAY_SIZE(views); i++) {
		const struct damage *d = &damages[i / ARRAY_SIZE(views)];
		struct world *w = world_new(views[i % ARRAY_SIZE(views)]);
		struct user_module_list list;
		uint64_t target = d->value;

		if (d->target >= 0)
			target = fake_user_at(&w->fake, FAKE_MODULE(d->target), d->to);
		fake_user_put(&w->fake, fake_user_at(&w->fake, FAKE_MODULE(1), d->from), target,
			      w->fake.view == USER_WOW64 ? 4 : 8);
		list = read_modules(w);
		cr_log_info("%s", d->what);
		expect_modules(&list, all, 4);
		cr_expect_geq(w->diag.notes + w->diag.partial, 1, "%s", d->what);
		finish(w, &list);
	}
}

/* A list that is gone costs only its own column. */
Test(user_process, lost_lists)
{
	static const unsigned heads[] = { USER_LDR_LOAD_LIST, USER_LDR_MEMORY_LIST,
					  USER_LDR_INIT_LIST };

	for (unsigned lost = 0; lost < NUM_LOADER_LISTS; lost++) {
		struct world *w = world_new(USER_NATIVE);
		struct user_module_list list;
		uint64_t head = fake_user_at(&w->fake, FAKE_LDR, heads[lost]);

		fake_user_put(&w->fake, head, 0, 8);
		fake_user_put(&w->fake, head + 8, 0, 8);
		list = read_modules(w);
		expect_modules(&list, all, 4);
		for (size_t i = 0; i < list.count; i++) {
			for (unsigned j = 0; j < NUM_LOADER_LISTS; j++)
				cr_expect_eq(list.items[i].in_list[j].present, j != lost);
		}
		cr_expect_eq(w->diag.partial, 1);
		finish(w, &list);
	}
}

Test(user_process, erased_base)
{
	struct world *w = world_new(USER_NATIVE);
	struct user_module_list list;

	fake_user_set(&w->fake, FAKE_MODULE(2), USER_MODULE_BASE, 0);
	fake_user_set(&w->fake, FAKE_MODULE(3), USER_MODULE_BASE, 0x12345);
	list = read_modules(w);
	cr_assert_eq(list.count, 3, "a name tells that it is one");
	cr_expect_eq(list.items[2].base.value, 0);
	cr_expect_str_eq(list.items[2].name, "k.dll");
	cr_expect_eq(w->diag.partial, 1);
	finish(w, &list);
}

Test(user_process, environment_of_any_size)
{
	static const struct {
		uint64_t size;
		size_t count;
	} rows[] = { { 0, 5 }, { UINT64_MAX, 5 }, { 7, 0 }, { 8, 1 }, { 9, 1 }, { 26, 2 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world *w = world_new(USER_NATIVE);
		struct user_environment e;

		fake_user_set(&w->fake, FAKE_PARAMETERS, USER_ENVIRONMENT_SIZE, rows[i].size);
		e = read_environment(w);
		cr_expect_eq(e.count, rows[i].count, "size %zu: %zu", (size_t)rows[i].size,
			     e.count);
		world_free(w);
	}
}

/* Variables that lie on both sides of an absent page; those that touch it are left out. */
Test(user_process, environment_around_an_absent_page)
{
	struct world *w = world_new(USER_NATIVE);
	struct user_environment e;

	fake_user_set(&w->fake, FAKE_PARAMETERS, USER_ENVIRONMENT, FAKE_MODULE(0) - 8);
	fake_user_set(&w->fake, FAKE_PARAMETERS, USER_ENVIRONMENT_SIZE, 0x1100);
	fake_user_text(&w->fake, FAKE_MODULE(0) - 8, "A=1\0B", 5);
	fake_user_text(&w->fake, FAKE_MODULE(1), "rest\0C=3\0", 10);
	w->absent[1] = true;
	e = read_environment(w);
	cr_expect_eq(e.count, 2);
	expect_variable(&e, 0, "A", "1");
	expect_variable(&e, 1, "C", "3");
	cr_expect_eq(w->diag.partial, 1);
	world_free(w);
}

Test(user_process, endless_environment)
{
	struct world *w = world_new(USER_NATIVE);
	struct user_environment e;

	memset(w->fake.bytes + (FAKE_MODULE(1) - FAKE_USER_BASE), 'x', 0x4000);
	fake_user_set(&w->fake, FAKE_PARAMETERS, USER_ENVIRONMENT, FAKE_MODULE(1));
	fake_user_set(&w->fake, FAKE_PARAMETERS, USER_ENVIRONMENT_SIZE, 0);
	e = read_environment(w);
	cr_expect_eq(e.count, 0);
	cr_expect_eq(w->diag.partial, 1);
	world_free(w);
}

Test(user_process, parameters_before_the_loader_ran)
{
	struct world *w = world_new(USER_NATIVE);
	uint64_t at = fake_user_at(&w->fake, FAKE_PARAMETERS, USER_COMMAND_LINE) + 8;
	struct user_parameters p;

	fake_user_put(&w->fake, at,
		      load_u64(w->fake.bytes + (at - FAKE_USER_BASE)) - FAKE_PARAMETERS, 8);
	world_open(w);
	cr_assert_null(user_parameters_read(&w->user, USER_NATIVE, &w->arena, &p));
	cr_expect_str_eq(p.strings[USER_STRING_COMMAND_LINE], "a.exe -x");
	world_free(w);
}

Test(user_process, dangling_parameters)
{
	struct world *w = world_new(USER_NATIVE);
	struct user_parameters p;

	fake_user_set(&w->fake, FAKE_PEB, USER_PEB_PARAMETERS, FAKE_USER_BASE + FAKE_USER_SIZE);
	world_open(w);
	cr_assert_null(user_parameters_read(&w->user, USER_NATIVE, &w->arena, &p));
	for (size_t i = 0; i < NUM_USER_STRINGS; i++)
		cr_expect_null(p.strings[i]);
	cr_expect_not(p.flags.present);
	cr_expect_eq(w->diag.partial, 1, "one line for all of them");
	world_free(w);
}

Test(user_process, random_damage_always_ends)
{
	uint64_t state = 88172645463325252u;

	for (int round = 0; round < 300; round++) {
		struct world *w = world_new(views[round % 2]);
		struct user_module_list list;

		for (int i = 0; i < 6; i++) {
			state ^= state << 13, state ^= state >> 7, state ^= state << 17;
			fake_user_put(&w->fake,
				      FAKE_MODULE(state % FAKE_USER_MODULES) +
					      (state >> 16) % 0x30 / 8 * 8,
				      FAKE_MODULE((state >> 8) % FAKE_USER_MODULES) +
					      (state >> 32) % 0x30 / 8 * 8,
				      views[round % 2] == USER_WOW64 ? 4 : 8);
		}
		list = read_modules(w);
		for (size_t i = 0; i < list.count; i++) {
			for (size_t j = 0; j < i; j++)
				cr_expect_neq(list.items[i].entry, list.items[j].entry);
		}
		finish(w, &list);
	}
}
