/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "windows/pe/tables.h"

/*
 * unwind_tool FILE: the unwind data of an image file as llvm-readobj --unwind words it, a line a
 * function. The file is read at offsets as if they were RVAs, so sections are mapped first.
 */
static struct space *space;

static void must(struct error *err)
{
	if (!err)
		return;
	fprintf(stderr, "unwind_tool: %s\n", error_message(err));
	exit(1);
}

static bool read_memory(void *arg, uint64_t va, void *buf, size_t len)
{
	(void)arg;
	return space_try_read(space, va, buf, len, NULL);
}

static void print_code(const struct unwind_info *info, const struct unwind_code *code)
{
	static const char *const ops[] = {
		"PUSH_NONVOL", "ALLOC_LARGE",	  "ALLOC_SMALL",    "SET_FPREG",
		"SAVE_NONVOL", "SAVE_NONVOL_FAR", "EPILOG",	    "SPARE",
		"SAVE_XMM128", "SAVE_XMM128_FAR", "PUSH_MACHFRAME",
	};
	static const char *const registers[] = {
		"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
		"R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15",
	};

	printf(" 0x%02X:%s", code->offset, ops[code->op]);
	switch (code->op) {
	case UNWIND_PUSH_NONVOL:
		printf(",reg=%s", registers[code->reg]);
		break;
	case UNWIND_ALLOC_LARGE:
	case UNWIND_ALLOC_SMALL:
		printf(",size=%u", code->value);
		break;
	case UNWIND_SET_FPREG:
		printf(",reg=%s,offset=0x%X", registers[info->frame_register], info->frame_offset);
		break;
	case UNWIND_SAVE_NONVOL:
	case UNWIND_SAVE_NONVOL_FAR:
		printf(",reg=%s,offset=0x%X", registers[code->reg], code->value);
		break;
	case UNWIND_SAVE_XMM128:
	case UNWIND_SAVE_XMM128_FAR:
		printf(",reg=XMM%u,offset=0x%X", code->reg, code->value);
		break;
	case UNWIND_PUSH_MACHFRAME:
		printf(",errcode=%s", code->value ? "yes" : "no");
		break;
	default:
		break;
	}
}

static void print_function(const struct pe_image *pe, const struct runtime_function *fn)
{
	const struct unwind_image image = { .base = pe->base, .read = read_memory };
	struct unwind_info info;

	printf("0x%" PRIX64 " 0x%" PRIX64, pe->base + fn->begin, pe->base + fn->end);
	if (unwind_info_read(&image, fn->info, &info) != UNWIND_OK) {
		printf(" unreadable\n");
		return;
	}
	printf(" version=%u flags=0x%X prolog=%u", info.version, info.flags, info.prolog_size);
	for (unsigned i = 0; i < info.num_codes; i++)
		print_code(&info, &info.codes[i]);
	if (info.flags & UNWIND_CHAINED)
		printf(" chained=0x%" PRIX64, pe->base + info.chained.begin);
	printf("\n");
}

int main(int argc, char **argv)
{
	struct pe_image flat, pe;
	struct virtmem *mem;
	struct file file;

	if (argc != 2)
		return 2;
	must(file_open(&file, argv[1]));
	must(virtmem_create(&mem));
	must(virtmem_add(mem, 0, file.size, &file, 0));
	must(virtmem_seal(mem));
	must(space_create_virtual(mem, &space));
	must(pe_read(space, 0, &flat));
	space_destroy(space);
	virtmem_destroy(mem);

	must(virtmem_create(&mem));
	must(virtmem_add(mem, flat.image_base, flat.size_of_headers, &file, 0));
	for (unsigned i = 0; i < flat.num_sections; i++)
		must(virtmem_add(mem, flat.image_base + flat.sections[i].rva,
				 flat.sections[i].raw_size, &file, flat.sections[i].raw_offset));
	must(virtmem_seal(mem));
	must(space_create_virtual(mem, &space));
	must(pe_read(space, flat.image_base, &pe));
	for (uint64_t rva = 0; rva < pe.size_of_image; rva++) {
		struct runtime_function fn;

		if (pe_find_function(space, &pe, (uint32_t)rva, &fn) != FUNCTION_FOUND)
			continue;
		print_function(&pe, &fn);
		rva = fn.end > rva ? fn.end - 1 : rva;
	}
	space_destroy(space);
	virtmem_destroy(mem);
	file_close(&file);
	return 0;
}
