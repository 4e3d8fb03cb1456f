/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_KERNEL_TABLES_CODE_NAMES_H
#define WINDOWS_KERNEL_TABLES_CODE_NAMES_H

#include "windows/modules/place.h"
#include "windows/symbols/type_info.h"

/*
 * Names for the code that kernel tables point to: the module that an address is in, and the symbol
 * or export where one is known. Not safe across threads: exports are read when first asked for.
 */
struct code_exports;
struct code_names {
	struct kernel *k; /* borrowed */
	struct arena arena;
	struct place_book places;
	struct symbol_index *symbols; /* of exactly this kernel; NULL: none */
	bool sparse; /* the symbols are but a few of all: they name what they hit */
	struct code_exports *exports; /* of each module in places.modules */
};

struct code_place {
	const char *module;	/* NULL: in none that is or was loaded, or its name is absent */
	bool in_module;		/* the address is in a loaded module */
	bool unloaded;		/* it is where a module was that is unloaded */
	bool in_driver;		/* in no listed module, but in a driver object's image */
	uint64_t base, offset;	/* of the module; of the address in it */
	const char *symbol;	/* NULL: unknown */
	uint64_t symbol_offset; /* of the address to the symbol */
};

/* What is missing of the module lists goes to the kernel's diag. */
MUST_CHECK struct error *code_names_read(struct kernel *k, struct code_names *ret);
void code_names_deinit(struct code_names *names); /* a zeroed one is fine */

/*
 * Where va is. Of several symbols at one address the first that begins with `prefer` (NULL: no
 * preference) is told. Strings live as long as names.
 */
MUST_CHECK struct error *code_find(struct code_names *names, uint64_t va, const char *prefer,
				   struct code_place *ret);
/* "NtClose", "KeBugCheckEx+0x10"; *ret NULL where no symbol is known. */
MUST_CHECK struct error *code_symbol_text(struct arena *a, const struct code_place *place,
					  const char **ret);
/* "ntoskrnl.exe!NtClose+0x10", "disk.sys+0x4010", "unloaded dam.sys+0x10",
 * "driver \Driver\hidden+0x10", "0xffff...": in none. */
MUST_CHECK struct error *code_text(struct arena *a, const struct code_place *place, uint64_t va,
				   const char **ret);

#endif
