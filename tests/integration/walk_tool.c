/* SPDX-License-Identifier: MIT */
/*
 * Answers questions about an image's page tables, for walk_images.py:
 *
 *	walk_tool IMAGE LEVELS SOFT [PA LENGTH OFFSET]...
 *
 * SOFT is "hardware" or Windows' InvalidPteMask in hexadecimal. With runs the image is read as
 * they say, without them its format is found out. Questions come on stdin, numbers in hex:
 *
 *	w ROOT VA	state, pa or -, page size, access bits, last entry or -
 *	n ROOT VA	all ranges from VA on: start, last, state, pa or -, page size, access
 *			bits, repeat; then "end"
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/format.h"
#include "windows/paging/pte.h"

enum { MAX_RANGES = 1 << 20 };

struct tool {
	struct physmem *mem;
	unsigned levels;
	const struct soft_pte_ops *soft;
	struct windows_pte_config config;
	struct space *space;
};

static void check(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "walk_tool: %s\n", error_message(err));
	exit(1);
}

static void print_pa(bool has_pa, uint64_t pa)
{
	if (has_pa)
		printf(" %" PRIx64, pa);
	else
		printf(" -");
}

static void answer_walk(struct space *s, uint64_t va)
{
	const struct walk_step *last;
	struct walk w;
	uint64_t pa = 0;

	space_walk(s, va, &w);
	last = w.num_steps ? &w.steps[w.num_steps - 1] : NULL;
	if (space_translate(s, va, &pa) != w.state || (w.has_pa && pa != w.pa))
		printf("translate and walk differ: ");
	printf("%s", va_state_name(w.state));
	print_pa(w.has_pa, w.pa);
	printf(" %" PRIx64 " %x", w.page_size, w.access);
	print_pa(last && last->captured, last ? last->entry : 0);
	printf("\n");
}

static void answer_next(struct space *s, uint64_t va)
{
	struct va_range r;

	for (size_t i = 0; i < MAX_RANGES && space_next(s, va, &r); i++) {
		printf("%" PRIx64 " %" PRIx64 " %s", r.start, r.last, va_state_name(r.state));
		print_pa(r.has_pa, r.pa);
		printf(" %" PRIx64 " %x %" PRIx64 "\n", r.page_size, r.access, r.repeat);
		va = r.last + 1;
		if (!va)
			break;
	}
	printf("end\n");
}

static void answer(struct tool *t, char question, uint64_t root, uint64_t va)
{
	if (!t->space || t->space->root != dtb_to_root(root)) {
		space_destroy(t->space);
		check(space_create_amd64(t->mem, root, t->levels, t->soft, &t->config, &t->space));
	}
	if (question == 'w')
		answer_walk(t->space, va);
	else
		answer_next(t->space, va);
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 16);
}

int main(int argc, char **argv)
{
	struct tool t = { 0 };
	struct snapshot *snap = NULL;
	struct file file = { 0 };
	struct diag diag;
	uint64_t root, va;
	char question;

	if (argc < 4)
		return 2;
	t.levels = (unsigned)number(argv[2]);
	if (strcmp(argv[3], "hardware")) {
		t.soft = &windows_soft_pte;
		t.config.known = true;
		t.config.invalid_pte_mask = number(argv[3]);
	}
	diag_init(&diag, NULL, NULL);
	if (argc == 4) {
		check(snapshot_open(argv[1], NULL, &diag, &snap));
		t.mem = snap->mem;
	} else {
		check(file_open(&file, argv[1]));
		check(physmem_create(&t.mem));
		for (int i = 4; i + 2 < argc; i += 3)
			check(physmem_add_file(t.mem, number(argv[i]), number(argv[i + 1]), &file,
					       number(argv[i + 2])));
		check(physmem_seal(t.mem));
	}
	while (scanf(" %c %" SCNx64 " %" SCNx64, &question, &root, &va) == 3)
		answer(&t, question, root, va);
	space_destroy(t.space);
	if (snap)
		snapshot_close(snap);
	else
		physmem_destroy(t.mem);
	file_close(&file);
	return 0;
}
