/* SPDX-License-Identifier: MIT */
/* Compiled and linked for Windows; see the CMakeLists.txt beside it. */
#include "pdb_structures.h"

struct sample_object sample_head;
struct sample_long sample_large;
static struct sample_link sample_hidden;

int sample_entry(void);

int sample_entry(void)
{
	sample_hidden.next = &sample_head.links;
	return sample_hidden.previous != 0;
}
