/* SPDX-License-Identifier: MIT */
/*
 * usage: symbols_tool FILE REFERENCE
 *
 * Compares two symbol files of one kernel: every member and every symbol that REFERENCE has must
 * be the same in FILE. Prints differences, then one line with what was compared.
 */
#include <stdio.h>
#include <string.h>

#include "windows/symbols/isf.h"
#include "windows/symbols/pdb/pdb.h"
#include "windows/symbols/type_info.h"

struct comparison {
	struct profile_source *file, *reference;
	unsigned long types, members, symbols, differences;
};

static bool same_field(const struct field *a, const struct field *b)
{
	return a->offset == b->offset && a->size == b->size && a->bit_pos == b->bit_pos &&
	       a->bit_size == b->bit_size;
}

static void compare_member(struct comparison *c, const char *type, const char *name)
{
	struct field want, got = { 0 };

	if (!c->reference->ops->field(c->reference, type, name, &want))
		return; /* a function, or of unknown type */
	c->members++;
	if (c->file->ops->field(c->file, type, name, &got) && same_field(&got, &want))
		return;
	c->differences++;
	printf("%s.%s: +%u, %u bytes, bits %u:%u; expected +%u, %u bytes, bits %u:%u\n", type, name,
	       got.offset, got.size, got.bit_pos, got.bit_size, want.offset, want.size,
	       want.bit_pos, want.bit_size);
}

static bool compare_type(void *arg, const char *name)
{
	struct comparison *c = arg;
	struct type_info info;
	struct arena arena;
	uint32_t want, got;
	struct error *err;

	if (!c->reference->ops->type_size(c->reference, name, &want))
		return true; /* an enumeration */
	c->types++;
	if (!c->file->ops->type_size(c->file, name, &got) || got != want) {
		c->differences++;
		printf("%s: expected %u bytes\n", name, want);
	}
	arena_init(&arena, 0);
	err = type_describe(c->reference, name, &arena, &info);
	for (size_t i = 0; !err && i < info.num_members; i++)
		compare_member(c, name, info.members[i].name);
	c->differences += err != NULL;
	error_destroy(err);
	arena_deinit(&arena);
	return true;
}

static bool compare_symbol(void *arg, const char *name, uint64_t want)
{
	struct comparison *c = arg;
	uint64_t got = 0;

	c->symbols++;
	if (c->file->ops->symbol(c->file, name, &got) && got == want)
		return true;
	c->differences++;
	printf("%s: 0x%llx; expected 0x%llx\n", name, (unsigned long long)got,
	       (unsigned long long)want);
	return true;
}

static struct profile_source *open_source(const char *path)
{
	struct profile_source *src = NULL;
	struct error *err = strstr(path, ".json") ? isf_open(path, &src) : pdb_open(path, &src);

	if (err)
		fprintf(stderr, "%s\n", error_message(err));
	error_destroy(err);
	return src;
}

int main(int argc, char **argv)
{
	struct comparison c = { 0 };

	if (argc != 3) {
		fprintf(stderr, "usage: symbols_tool FILE REFERENCE\n");
		return 2;
	}
	c.file = open_source(argv[1]);
	c.reference = open_source(argv[2]);
	if (c.file && c.reference) {
		type_each(c.reference, compare_type, &c);
		c.reference->ops->info->each_symbol(c.reference, compare_symbol, &c);
		printf("%lu types, %lu members, %lu symbols: %lu differences\n", c.types, c.members,
		       c.symbols, c.differences);
	}
	if (c.file)
		c.file->ops->destroy(c.file);
	if (c.reference)
		c.reference->ops->destroy(c.reference);
	return !c.types || c.differences;
}
