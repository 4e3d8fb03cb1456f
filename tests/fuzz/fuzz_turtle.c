/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "formats/aff4/graph.h"
#include "formats/aff4/turtle.h"
#include "fuzz.h"
#include "fuzz_file.h"

enum { MAX_INPUT = 64 << 10 };

static struct error *see(void *arg, const struct turtle_triple *t)
{
	uint64_t *count = arg;

	fuzz_check(strlen(t->subject) < IRI_MAX && strlen(t->predicate) < IRI_MAX);
	fuzz_check(strlen(t->datatype) < IRI_MAX && strlen(t->object) <= TURTLE_MAX_LITERAL);
	fuzz_check(t->line > 0);
	++*count;
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aff4_graph graph = { 0 };
	uint64_t count = 0;
	struct error *err;

	if (size > MAX_INPUT)
		return 0;
	err = turtle_parse((const char *)data, size, see, &count);
	fuzz_check(count <= size);
	error_destroy(err);
	err = aff4_graph_read(&graph, (const char *)data, size);
	fuzz_check(graph.count <= count);
	for (size_t i = 0; i < graph.count; i++)
		fuzz_check(aff4_graph_find(&graph, graph.objects[i].uri) == &graph.objects[i]);
	error_destroy(err);
	aff4_graph_deinit(&graph);
	return 0;
}
