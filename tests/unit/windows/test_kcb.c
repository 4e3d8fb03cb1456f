/* SPDX-License-Identifier: MIT */
#include "windows/registry/kcb.h"

#include "base/cursor.h"
#include "fake_space.h"

/* A layout of our own; the fields of a KCB, of a name block, of a key object's body. */
enum {
	AT_PARENT = 0,
	AT_NAME_BLOCK = 8,
	AT_HIVE = 16,
	AT_CELL = 24,
	AT_FLAGS = 0, /* Compressed is bit 0 */
	AT_LENGTH = 8,
	AT_NAME = 10,
	AT_KCB = 8,
	NUM_KCBS = 3,
};
/* Each on a page of its own. */
#define KCB(i)	 (FAKE_BASE + 0x1000 * (uint64_t)(i))
#define BLOCK(i) (KCB(i) + 0x100)
#define BODY	 (FAKE_BASE + 0x7000)

struct sample {
	struct fake_space f;
	struct kernel kernel;
	struct kcb_reader reader;
	struct arena arena;
	struct fault fault;
	char *path;
};

static void put_name(struct sample *s, unsigned i, const char *name, bool compressed)
{
	uint8_t *block = s->f.bytes + (BLOCK(i) - FAKE_BASE);
	size_t len = strlen(name);

	store_u32(block + AT_FLAGS, compressed ? 0x7 : 0x6);
	store_u16(block + AT_LENGTH, (uint16_t)(compressed ? len : 2 * len));
	for (size_t at = 0; at < len; at++) {
		if (compressed)
			block[AT_NAME + at] = (uint8_t)name[at];
		else
			store_u16(block + AT_NAME + 2 * at, (uint8_t)name[at]);
	}
}

static void set_field(struct sample *s, unsigned field, uint32_t offset, uint32_t size)
{
	s->reader.fields[field] = (struct field){ .offset = offset, .size = size, .present = true };
}

/* KCB 2 is \REGISTRY\MACHINE\SAM. */
static void sample_init(struct sample *s)
{
	static const char *const names[NUM_KCBS] = { "REGISTRY", "MACHINE", "SAM" };

	memset(s, 0, sizeof(*s));
	arena_init(&s->arena, 0);
	s->reader.k = &s->kernel;
	set_field(s, KCB_PARENT, AT_PARENT, 8);
	set_field(s, KCB_NAME_BLOCK, AT_NAME_BLOCK, 8);
	set_field(s, KCB_HIVE, AT_HIVE, 8);
	set_field(s, KCB_CELL, AT_CELL, 4);
	set_field(s, KCB_NAME_COMPRESSED, AT_FLAGS, 4);
	s->reader.fields[KCB_NAME_COMPRESSED].bit_size = 1;
	set_field(s, KCB_NAME_LENGTH, AT_LENGTH, 2);
	set_field(s, KCB_NAME, AT_NAME, 2);
	set_field(s, KCB_OF_BODY, AT_KCB, 8);
	for (unsigned i = 0; i < NUM_KCBS; i++) {
		fake_put_u64(&s->f, KCB(i) + AT_PARENT, i ? KCB(i - 1) : 0);
		fake_put_u64(&s->f, KCB(i) + AT_NAME_BLOCK, BLOCK(i));
		fake_put_u64(&s->f, KCB(i) + AT_HIVE, 0xffff800012340000);
		fake_put_u64(&s->f, KCB(i) + AT_CELL, 0x20 + i);
		put_name(s, i, names[i], i != 1);
	}
	fake_put_u64(&s->f, BODY + AT_KCB, KCB(2));
}

static bool read_path(struct sample *s, uint64_t kcb)
{
	s->kernel.space = fake_open(&s->f);
	return registry_kcb_path(&s->reader, &s->arena, kcb, &s->path, &s->fault);
}

static void sample_close(struct sample *s)
{
	fake_close(&s->f);
	arena_deinit(&s->arena);
}

Test(kcb, path)
{
	struct sample s;

	sample_init(&s);
	cr_assert(read_path(&s, KCB(2)));
	cr_expect_str_eq(s.path, "\\REGISTRY\\MACHINE\\SAM");
	sample_close(&s);
}

Test(kcb, of_a_key_object)
{
	struct sample s;
	uint64_t kcb, hive;
	uint32_t cell;

	sample_init(&s);
	s.kernel.space = fake_open(&s.f);
	cr_assert(registry_key_body_kcb(&s.reader, BODY, &kcb, &s.fault));
	cr_expect_eq(kcb, KCB(2));
	cr_assert(registry_kcb_key(&s.reader, kcb, &hive, &cell, &s.fault));
	cr_expect_eq(hive, 0xffff800012340000);
	cr_expect_eq(cell, 0x22);
	cr_expect_not(registry_key_body_kcb(&s.reader, FAKE_BASE - 0x1000, &kcb, &s.fault));
	cr_expect_not(registry_kcb_key(&s.reader, FAKE_BASE - 0x1000, &hive, &cell, &s.fault));
	sample_close(&s);
}

Test(kcb, name_is_not_ascii)
{
	struct sample s;

	sample_init(&s);
	put_name(&s, 2, "\xe9", true);
	cr_assert(read_path(&s, KCB(2)));
	cr_expect_str_eq(s.path, "\\REGISTRY\\MACHINE\\\xc3\xa9");
	sample_close(&s);
}

Test(kcb, own_parent)
{
	struct sample s;

	sample_init(&s);
	fake_put_u64(&s.f, KCB(1) + AT_PARENT, KCB(1));
	cr_expect_not(read_path(&s, KCB(2)));
	cr_expect_eq(s.fault.va, KCB(1));
	sample_close(&s);
}

Test(kcb, ring_of_parents)
{
	struct sample s;

	sample_init(&s);
	fake_put_u64(&s.f, KCB(0) + AT_PARENT, KCB(2));
	cr_expect_not(read_path(&s, KCB(2)));
	sample_close(&s);
}

Test(kcb, absent_parent)
{
	struct sample s;

	sample_init(&s);
	fake_show(&s.f, FAKE_BASE + 0x1000, FAKE_BASE + FAKE_SIZE);
	cr_expect_not(read_path(&s, KCB(2)));
	cr_expect_eq(s.fault.va, KCB(0) + AT_NAME_BLOCK);
	cr_expect_eq(s.fault.state, VA_NOT_CAPTURED);
	sample_close(&s);
}

Test(kcb, names_that_cannot_be)
{
	static const uint16_t lengths[] = { 0, 513, 0xffff };

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct sample s;

		sample_init(&s);
		store_u16(s.f.bytes + (BLOCK(1) - FAKE_BASE) + AT_LENGTH, lengths[i]);
		cr_expect_not(read_path(&s, KCB(2)));
		cr_expect_eq(s.fault.va, BLOCK(1));
		sample_close(&s);
	}
}

Test(kcb, layout_not_known)
{
	struct sample s;

	sample_init(&s);
	s.reader.fields[KCB_NAME_BLOCK].present = false;
	cr_expect_not(read_path(&s, KCB(2)));
	cr_expect_eq(s.fault.va, 0);
	sample_close(&s);
}
