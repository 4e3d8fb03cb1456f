/* SPDX-License-Identifier: MIT */
#include "windows/objects/object_manager.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/cursor.h"
#include "fake_objects.h"

/* Bodies of the objects that the tests put; each has 0x100 bytes, its name before it. */
enum {
	A = 0x3100,
	B = 0x3300,
	C = 0x3500,
	D = 0x3700,
	TEXT = 0x3c00,
	OTHER_PAGE = 0x5100,
	TORN = 0x6000 + 0x20,		  /* its type is on page 6, its name on page 5 */
	TORN_BEFORE_TYPE = 0x6000 + 0x10, /* its type is on page 5 */
};

struct fixture {
	struct fake_objects *f;
	struct object_manager *om;
	struct arena arena;
};

static struct fake_objects *begin(void)
{
	struct fake_objects *f = malloc(sizeof(*f));

	cr_assert(f);
	fake_objects_init(f);
	return f;
}

static struct fixture open_with(struct fake_objects *f, int absent_page)
{
	struct fixture x = { .f = f };

	fake_objects_open(f, absent_page);
	cr_assert_null(object_manager_open(&f->kernel, &x.om));
	arena_init(&x.arena, 0);
	return x;
}

static void end(struct fixture *x)
{
	object_manager_close(x->om);
	arena_deinit(&x->arena);
	fake_objects_close(x->f);
	free(x->f);
}

static void expect_path(struct fixture *x, uint32_t rva, const char *path)
{
	struct fault fault;
	const char *got = object_path(x->om, fake_at(rva), &x->arena, &fault);

	if (path)
		cr_expect(got && strcmp(got, path) == 0, "%s instead of %s", got, path);
	else
		cr_expect_null(got);
}

static void expect_description(struct fixture *x, uint32_t rva, const char *type, const char *name)
{
	struct object_info info;
	struct fault fault;
	const char *got;

	cr_assert_eq(object_read(x->om, fake_at(rva), &x->arena, &info), OBJECT_READ);
	cr_expect_str_eq(info.type, type);
	got = object_describe(x->om, &info, &x->arena, &fault);
	if (name)
		cr_expect(got && strcmp(got, name) == 0, "%s instead of %s", got, name);
	else
		cr_expect_null(got);
}

Test(object_manager, header)
{
	struct fake_objects *f = begin();
	struct object_info info;
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_EVENT, "Signal", FAKE_ROOT);
	f->bytes[A - FAKE_HEADER_SIZE + 0x1b] = 0x12;
	x = open_with(f, -1);
	cr_assert_eq(object_read(x.om, fake_at(A), &x.arena, &info), OBJECT_READ);
	cr_expect_eq(info.header, fake_at(A - FAKE_HEADER_SIZE));
	cr_expect_str_eq(info.type, "Event");
	cr_expect_eq(info.type_index.value, FAKE_TYPE_EVENT);
	cr_expect_str_eq(info.name, "Signal");
	cr_expect_eq(info.directory, fake_at(FAKE_ROOT));
	cr_expect_eq(info.pointer_count.value, 3);
	cr_expect_eq(info.handle_count.value, 1);
	cr_expect_eq(info.flags.value, 0x12);
	cr_expect_eq(info.fault.va, 0);
	cr_expect(object_is(x.om, fake_at(A), "Event"));
	cr_expect_not(object_is(x.om, fake_at(A), "File"));
	end(&x);
}

/* Creator and name headers: the name's is the farther one. */
Test(object_manager, name_behind_creator_header)
{
	struct fake_objects *f = begin();
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_EVENT, "Wrong", FAKE_ROOT);
	f->bytes[A - FAKE_HEADER_SIZE + 0x1a] = 3;
	fake_put(f, A - FAKE_HEADER_SIZE - 0x40, fake_at(FAKE_ROOT));
	fake_put_string(f, A - FAKE_HEADER_SIZE - 0x40 + 8, TEXT, "Right");
	x = open_with(f, -1);
	expect_path(&x, A, "\\Right");
	end(&x);
}

Test(object_manager, what_is_no_object)
{
	struct fake_objects *f = begin();
	struct object_info info;
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_END, NULL, 0); /* an index that no type has */
	fake_put_object(f, B, FAKE_TYPE_EVENT, NULL, 0);
	f->bytes[FAKE_TYPES + FAKE_TYPE_DEVICE * 0x100 + 0x28] = 99; /* not its place */
	fake_put_object(f, C, FAKE_TYPE_DEVICE, NULL, 0);
	fake_put_object(f, D, FAKE_TYPE_EVENT, NULL, 0);
	fake_put(f, D - FAKE_HEADER_SIZE, 0x4141414141414141); /* references */
	x = open_with(f, 5);
	cr_expect_eq(object_read(x.om, fake_at(D), &x.arena, &info), OBJECT_INVALID);
	cr_expect_eq(object_read(x.om, fake_at(A), &x.arena, &info), OBJECT_INVALID);
	cr_expect_eq(object_read(x.om, fake_at(B), &x.arena, &info), OBJECT_READ);
	cr_expect_null(info.name);
	cr_expect_eq(object_read(x.om, fake_at(C), &x.arena, &info), OBJECT_INVALID);
	cr_expect_eq(object_read(x.om, fake_at(OTHER_PAGE), &x.arena, &info), OBJECT_ABSENT);
	cr_expect_eq(info.fault.va, fake_at(OTHER_PAGE) - FAKE_HEADER_SIZE + 0x18);
	cr_expect_eq(object_read(x.om, 0x1234560, &x.arena, &info), OBJECT_INVALID);
	cr_expect_eq(object_read(x.om, 0, &x.arena, &info), OBJECT_INVALID);
	cr_expect_eq(object_read(x.om, UINT64_MAX, &x.arena, &info), OBJECT_ABSENT);
	end(&x);
}

/* The header begins on an absent page: what is on the next one still counts. */
Test(object_manager, torn_header)
{
	struct fake_objects *f = begin();
	struct object_info info;
	struct fixture x;

	fake_put_object(f, TORN, FAKE_TYPE_EVENT, "Torn", FAKE_ROOT);
	fake_put_object(f, TORN_BEFORE_TYPE, FAKE_TYPE_EVENT, NULL, 0);
	x = open_with(f, 5);
	cr_assert_eq(object_read(x.om, fake_at(TORN), &x.arena, &info), OBJECT_READ);
	cr_expect_str_eq(info.type, "Event");
	cr_expect_not(info.pointer_count.present);
	cr_expect_null(info.name);
	cr_expect_neq(info.fault.va, 0);
	cr_expect_eq(object_read(x.om, fake_at(TORN_BEFORE_TYPE), &x.arena, &info), OBJECT_ABSENT);
	end(&x);
}

Test(object_manager, paths)
{
	struct fake_objects *f = begin();
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_DIRECTORY, "Sessions", FAKE_ROOT);
	fake_put_object(f, B, FAKE_TYPE_DIRECTORY, "1", A);
	fake_put_object(f, C, FAKE_TYPE_EVENT, "Ready", B);
	fake_put_object(f, D, FAKE_TYPE_EVENT, "Alone", 0);
	x = open_with(f, -1);
	for (int again = 0; again < 2; again++) {
		expect_path(&x, FAKE_ROOT, "\\");
		expect_path(&x, C, "\\Sessions\\1\\Ready");
		expect_path(&x, A, "\\Sessions");
		expect_path(&x, B, "\\Sessions\\1");
		expect_path(&x, D, "Alone");
	}
	end(&x);
}

Test(object_manager, directories_in_a_loop)
{
	struct fake_objects *f = begin();
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_DIRECTORY, "A", B);
	fake_put_object(f, B, FAKE_TYPE_DIRECTORY, "B", A);
	fake_put_object(f, C, FAKE_TYPE_EVENT, "C", A);
	fake_put_object(f, D, FAKE_TYPE_DIRECTORY, "D", D);
	x = open_with(f, -1);
	expect_path(&x, C, "C");
	expect_path(&x, D, "D");
	end(&x);
}

Test(object_manager, directories_that_are_not_there)
{
	struct fake_objects *f = begin();
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_EVENT, "A", OTHER_PAGE);
	fake_put_object(f, OTHER_PAGE, FAKE_TYPE_DIRECTORY, "Gone", FAKE_ROOT);
	fake_put_object(f, B, FAKE_TYPE_EVENT, "B", C); /* which is no directory */
	fake_put_object(f, C, FAKE_TYPE_EVENT, "C", FAKE_ROOT);
	x = open_with(f, 5);
	expect_path(&x, A, "A");
	expect_path(&x, B, "B");
	expect_path(&x, OTHER_PAGE, NULL);
	end(&x);
}

Test(object_manager, absent_name_is_told)
{
	struct fake_objects *f = begin();
	struct object_info info;
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_EVENT, "Far", FAKE_ROOT);
	fake_put_string(f, A - FAKE_HEADER_SIZE - FAKE_NAME_INFO_SIZE + 8, OTHER_PAGE, "Far");
	fake_put_object(f, B, FAKE_TYPE_EVENT, "Odd", FAKE_ROOT);
	store_u16(f->bytes + B - FAKE_HEADER_SIZE - FAKE_NAME_INFO_SIZE + 8, 3);
	x = open_with(f, 5);
	cr_assert_eq(object_read(x.om, fake_at(A), &x.arena, &info), OBJECT_READ);
	cr_expect_null(info.name);
	cr_expect_eq(info.fault.va, fake_at(OTHER_PAGE));
	cr_assert_eq(object_read(x.om, fake_at(B), &x.arena, &info), OBJECT_READ);
	cr_expect_null(info.name);
	cr_expect_eq(info.fault.state, VA_MAPPED);
	end(&x);
}

Test(object_manager, files)
{
	struct fake_objects *f = begin();
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_DEVICE, "Volume", FAKE_ROOT);
	fake_put_object(f, B, FAKE_TYPE_FILE, NULL, 0);
	fake_put(f, B + 8, fake_at(A));
	fake_put_string(f, B + 0x18, TEXT, "\\Windows");
	fake_put_object(f, C, FAKE_TYPE_FILE, NULL, 0); /* relative to B */
	fake_put(f, C + 8, fake_at(A));
	fake_put(f, C + 0x10, fake_at(B));
	fake_put_string(f, C + 0x18, TEXT + 0x40, "win.ini");
	fake_put_object(f, D, FAKE_TYPE_FILE, NULL, 0); /* the device itself */
	fake_put(f, D + 8, fake_at(A));
	x = open_with(f, -1);
	expect_description(&x, B, "File", "\\Volume\\Windows");
	expect_description(&x, C, "File", "\\Volume\\Windows\\win.ini");
	expect_description(&x, D, "File", "\\Volume");
	end(&x);
}

Test(object_manager, files_of_broken_chains)
{
	struct fake_objects *f = begin();
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_FILE, NULL, 0); /* relative to itself */
	fake_put(f, A + 0x10, fake_at(A));
	fake_put_string(f, A + 0x18, TEXT, "x");
	fake_put_object(f, B, FAKE_TYPE_FILE, NULL, 0); /* to what is a file no more */
	fake_put(f, B + 0x10, fake_at(C));
	fake_put_string(f, B + 0x18, TEXT, "x");
	fake_put_object(f, C, FAKE_TYPE_EVENT, NULL, 0);
	fake_put_object(f, D, FAKE_TYPE_FILE, NULL, 0); /* a name that is absent */
	fake_put_string(f, D + 0x18, OTHER_PAGE, "gone");
	x = open_with(f, 5);
	expect_description(&x, A, "File", "x\\x\\x\\x\\x\\x\\x\\x\\x\\x\\x\\x\\x\\x\\x\\x\\x");
	expect_description(&x, B, "File", "x");
	expect_description(&x, D, "File", NULL);
	end(&x);
}

Test(object_manager, processes_and_threads)
{
	struct fake_objects *f = begin();
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_PROCESS, NULL, 0);
	fake_put(f, A, 816);
	memcpy(f->bytes + A + 8, "notepad.exe", 12);
	fake_put_object(f, B, FAKE_TYPE_THREAD, NULL, 0);
	fake_put(f, B + 8, 820);
	fake_put(f, B + 0x10, fake_at(A));
	fake_put_object(f, C, FAKE_TYPE_THREAD, NULL, 0);
	fake_put(f, C + 8, 824);
	fake_put(f, C + 0x10, fake_at(OTHER_PAGE));
	x = open_with(f, 5);
	expect_description(&x, A, "Process", "notepad.exe (816)");
	expect_description(&x, B, "Thread", "tid 820 of notepad.exe (816)");
	expect_description(&x, C, "Thread", "tid 824");
	end(&x);
}

Test(object_manager, links)
{
	struct fake_objects *f = begin();
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_LINK, "C:", FAKE_ROOT);
	fake_put_string(f, A + 8, TEXT, "\\Device\\HarddiskVolume3");
	fake_put_object(f, B, FAKE_TYPE_LINK, "Called", FAKE_ROOT); /* by a function */
	fake_put_string(f, B + 8, TEXT, "\\Device\\HarddiskVolume3");
	f->bytes[B + 0x1c] = 0x10;
	x = open_with(f, -1);
	expect_description(&x, A, "SymbolicLink", "\\C: -> \\Device\\HarddiskVolume3");
	expect_description(&x, B, "SymbolicLink", "\\Called");
	end(&x);
}

Test(object_manager, ports)
{
	struct fake_objects *f = begin();
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_PORT, "spooler", FAKE_ROOT);
	fake_put_object(f, B, FAKE_TYPE_PORT, NULL, 0);
	fake_put(f, B, fake_at(TEXT));
	fake_put(f, TEXT, fake_at(A));
	fake_put_object(f, C, FAKE_TYPE_PORT, NULL, 0); /* connected to itself */
	fake_put(f, C, fake_at(TEXT + 8));
	fake_put(f, TEXT + 8, fake_at(C));
	x = open_with(f, -1);
	expect_description(&x, A, "ALPC Port", "\\spooler");
	expect_description(&x, B, "ALPC Port", "connected to \\spooler");
	expect_description(&x, C, "ALPC Port", NULL);
	end(&x);
}

Test(object_manager, registrations)
{
	static const uint8_t guid[] = { 0xe2, 0x2b, 0x40, 0xa0, 0x1a, 0x46, 0x1c, 0x4d,
					0xbf, 0x4c, 0x48, 0x0c, 0x1a, 0x2b, 0x3c, 0x4d };
	struct fake_objects *f = begin();
	struct fixture x;

	fake_put_object(f, A, FAKE_TYPE_REGISTRATION, NULL, 0);
	fake_put(f, A, fake_at(TEXT));
	memcpy(f->bytes + TEXT, guid, sizeof(guid));
	fake_put_object(f, B, FAKE_TYPE_REGISTRATION, NULL, 0);
	x = open_with(f, -1);
	expect_description(&x, A, "EtwRegistration", "{a0402be2-461a-4d1c-bf4c-480c1a2b3c4d}");
	expect_description(&x, B, "EtwRegistration", NULL);
	end(&x);
}

/* The debugger's data block leads to the type "Type", whose list has all types. */
static void put_type_object(struct fake_objects *f, uint32_t rva, enum fake_type number,
			    const char *name, uint32_t text)
{
	fake_put_object(f, rva, FAKE_TYPE_TYPE, NULL, 0);
	f->bytes[rva - FAKE_HEADER_SIZE + 0x1a] = 1; /* a creator header */
	fake_put_string(f, rva + 0x10, text, name);
	f->bytes[rva + 0x28] = (uint8_t)number;
}

static void link_types(struct fake_objects *f, uint32_t from, uint32_t to)
{
	fake_put(f, from, fake_at(to));
	fake_put(f, to + 8, fake_at(from));
}

/* torn: an RVA to overwrite with where it is itself; 0: nothing. */
static struct fixture open_with_list(struct fake_objects *f, uint32_t torn)
{
	struct fixture x = { .f = f };
	uint32_t before = FAKE_HEADER_SIZE + FAKE_CREATOR_INFO_SIZE;

	f->without_table = true;
	put_type_object(f, A, FAKE_TYPE_TYPE, "Type", TEXT);
	put_type_object(f, B, FAKE_TYPE_EVENT, "Event", TEXT + 0x40);
	link_types(f, A, A - before); /* the list's head is in the type itself */
	link_types(f, A - before, B - before);
	link_types(f, B - before, A);
	if (torn)
		fake_put(f, torn, fake_at(torn));
	fake_put(f, 0x900, fake_at(A));
	fake_put_object(f, C, FAKE_TYPE_EVENT, "Signal", FAKE_ROOT);
	fake_objects_open(f, -1);
	f->kernel.has_kdbg = true;
	f->kernel.kdbg.has[KDBG_OBP_TYPE_OBJECT_TYPE] = true;
	f->kernel.kdbg.value[KDBG_OBP_TYPE_OBJECT_TYPE] = fake_at(0x900);
	cr_assert_null(object_manager_open(&f->kernel, &x.om));
	arena_init(&x.arena, 0);
	return x;
}

Test(object_manager, types_from_a_list_with_a_loop)
{
	uint32_t before = FAKE_HEADER_SIZE + FAKE_CREATOR_INFO_SIZE;
	const uint32_t links[] = {
		A, A + 8, A - before, A - before + 8, B - before, B - before + 8
	};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		struct fixture x = open_with_list(begin(), links[i]);
		struct object_info info;

		cr_assert_eq(object_read(x.om, fake_at(C), &x.arena, &info), OBJECT_READ);
		cr_expect_str_eq(info.type, "Event", "link %zu", i);
		end(&x);
	}
}

Test(object_manager, types_from_their_list)
{
	struct fake_objects *f = begin();
	struct object_info info;
	struct fixture x;

	x = open_with_list(f, 0);
	cr_assert_eq(object_read(x.om, fake_at(C), &x.arena, &info), OBJECT_READ);
	cr_expect_str_eq(info.type, "Event");
	cr_assert_eq(object_read(x.om, fake_at(A), &x.arena, &info), OBJECT_READ);
	cr_expect_str_eq(info.type, "Type");
	end(&x);
}

Test(object_manager, without_types_names_are_still_read)
{
	struct fake_objects *f = begin();
	struct object_info info;
	struct fixture x;

	f->without_table = true;
	fake_put_object(f, A, FAKE_TYPE_EVENT, "Signal", FAKE_ROOT);
	x = open_with(f, -1);
	cr_assert_eq(object_read(x.om, fake_at(A), &x.arena, &info), OBJECT_READ);
	cr_expect_null(info.type);
	cr_expect_str_eq(info.name, "Signal");
	expect_path(&x, A, "\\Signal");
	end(&x);
}

Test(object_manager, without_layouts_nothing_is)
{
	struct fake_objects *f = begin();
	struct object_info info;
	struct fixture x;
	uint64_t body;

	f->without_layout = true;
	x = open_with(f, -1);
	cr_expect_eq(object_read(x.om, fake_at(FAKE_ROOT), &x.arena, &info), OBJECT_ABSENT);
	cr_expect_not(object_body_offset(x.om, &body));
	end(&x);
}
