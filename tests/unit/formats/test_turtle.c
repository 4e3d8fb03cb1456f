/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/aff4/graph.h"
#include "formats/aff4/turtle.h"

/* Triples as one text: "subject predicate object^^type;", kinds of objects as <>, _, "". */
static char seen[64 << 10];

static struct error *see(void *arg, const struct turtle_triple *t)
{
	size_t len = strlen(seen);

	(void)arg;
	snprintf(seen + len, sizeof(seen) - len,
		 t->kind == TURTLE_LITERAL ? "%s %s \"%s\"%s%s;" : "%s %s %s%s%s;", t->subject,
		 t->predicate, t->object, t->datatype[0] ? "^^" : "", t->datatype);
	return NULL;
}

static struct error *parse(const char *text)
{
	seen[0] = '\0';
	return turtle_parse(text, strlen(text), see, NULL);
}

static void expect_triples(const char *text, const char *triples)
{
	struct error *err = parse(text);

	cr_assert_null(err, "%s: %s", text, error_message(err));
	cr_expect_str_eq(seen, triples, "%s: %s", text, seen);
}

static void expect_error(const char *text, enum error_code code, const char *message)
{
	struct error *err = parse(text);

	cr_assert_not_null(err, "%s", text);
	cr_expect_eq(error_code(err), code, "%s: %s", text, error_message(err));
	cr_expect_not_null(strstr(error_message(err), message), "%s: %s", text, error_message(err));
	error_destroy(err);
}

#define RDF_TYPE "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
#define XSD	 "http://www.w3.org/2001/XMLSchema#"

Test(turtle, statements)
{
	expect_triples("", "");
	expect_triples(" # nothing\n", "");
	expect_triples("<a:s> <a:p> <a:o> .", "a:s a:p a:o;");
	expect_triples("<a:s><a:p><a:o>.", "a:s a:p a:o;");
	expect_triples("<a:s> a <a:o>, <a:q> ; <a:p> <a:r> ;; .",
		       "a:s " RDF_TYPE " a:o;a:s " RDF_TYPE " a:q;a:s a:p a:r;");
	expect_triples(
		"@prefix x: <a:> . # comment .\nx:s x:p x:o.x .\n@prefix x: <b:>.x:s x:p x:.",
		"a:s a:p a:o.x;b:s b:p b:;");
	expect_triples("PREFIX : <a:>\nprefix _x-1: <b:>\n:s :p _x-1:%41\\,b .",
		       "a:s a:p b:%41,b;");
	expect_triples("_:s <a:p> _:o.b .", "_:s a:p _:o.b;");
	expect_triples("\xef\xbb\xbf<a:s> <a:p> <a:\\u00e9\\U0001F600> .",
		       "a:s a:p a:\xc3\xa9\xf0\x9f\x98\x80;");
}

Test(turtle, literals)
{
	expect_triples("<a:s> <a:p> \"x\" , 'y' , \"\", '' .",
		       "a:s a:p \"x\";a:s a:p \"y\";a:s a:p \"\";a:s a:p \"\";");
	expect_triples("<a:s> <a:p> \"\\t\\n\\\"\\\\\\u0041\"@en-GB .", "a:s a:p \"\t\n\"\\A\";");
	expect_triples("<a:s> <a:p> \"\"\"a\n\"b\"\"c\"\"\", '''x''' .",
		       "a:s a:p \"a\n\"b\"\"c\";a:s a:p \"x\";");
	expect_triples("@prefix x: <a:> . <a:s> <a:p> \"1\"^^x:t , \"2\"^^<b:t> .",
		       "a:s a:p \"1\"^^a:t;a:s a:p \"2\"^^b:t;");
	expect_triples("<a:s> <a:p> 1, -2, +3.5e-7, .5, true, false.",
		       "a:s a:p \"1\"^^" XSD "integer;a:s a:p \"-2\"^^" XSD
		       "integer;a:s a:p \"+3.5e-7\"^^" XSD "decimal;a:s a:p \".5\"^^" XSD
		       "decimal;a:s a:p \"true\"^^" XSD "boolean;a:s a:p \"false\"^^" XSD
		       "boolean;");
	expect_triples("<a:s> <a:p> 12.", "a:s a:p \"12\"^^" XSD "integer;");
}

Test(turtle, names_below_a_base)
{
	/* as WinPmem writes them: github.com/google/rekall, "The Pmem Memory acquisition suite" */
	expect_triples("@base <aff4://4928> .\n</Physical/data> <a:p> <> , <x> .",
		       "aff4://4928/Physical/data a:p aff4://4928;"
		       "aff4://4928/Physical/data a:p aff4://4928/x;");
	expect_triples("BASE <a:b>\n<c> <d> <e> .", "a:c a:d a:e;");
}

Test(turtle, mistakes_have_lines)
{
	expect_error("<a:s> <a:p>\n\n<a:o>", ERROR_CORRUPT,
		     "line 3: expected ',', ';' or '.', found the end");
	expect_error("<a:s> <a:p> .", ERROR_CORRUPT, "line 1: expected a name, found '.'");
	expect_error("\n<a:s> x:p <a:o> .", ERROR_CORRUPT, "line 2: prefix 'x:' is not declared");
	expect_error("<a:s", ERROR_CORRUPT, "expected '>', found the end");
	expect_error("<a:s> <a:p> \"x\ny\" .", ERROR_CORRUPT, "the end of a string");
	expect_error("<a:s> <a:p> \"\\q\" .", ERROR_CORRUPT, "expected an escape, found 'q'");
	expect_error("<a:s> <a:p> \"\\ud800\" .", ERROR_CORRUPT, "escape of U+D800");
	expect_error("<a:s> <a:p> \"\\u12", ERROR_CORRUPT, "a hexadecimal digit, found the end");
	expect_error("<a:s> _:b <a:o> .", ERROR_CORRUPT, "an IRI as predicate");
	expect_error("@nothing <a:b> .", ERROR_CORRUPT, "'prefix' or 'base'");
	expect_error("@prefix x <a:b> .", ERROR_CORRUPT, "expected a name");
	expect_error("<a:s> <a:p> [ <a:q> 1 ] .", ERROR_UNSUPPORTED, "a blank node");
	expect_error("<a:s> <a:p> (1 2) .", ERROR_UNSUPPORTED, "a collection");
	expect_error("<a:s>\x01", ERROR_CORRUPT, "found byte 0x01");
}

Test(turtle, what_is_too_long_is_cut_or_refused)
{
	size_t len = 100 << 10;
	char *text = malloc(len + 64);

	cr_assert_not_null(text);
	memset(text, 'x', len + 64);
	memcpy(text, "<a:s> <a:p> \"", 13);
	strcpy(text + len, "\" .");
	cr_expect_null(parse(text));
	text[0] = '<';
	memset(text + 1, 'x', len);
	strcpy(text + len, "> <a:p> 1 .");
	expect_error(text, ERROR_LIMIT, "more than 4095 bytes");
	text[0] = 'x';
	strcpy(text + len, ":> <a:p> 1 .");
	expect_error(text, ERROR_CORRUPT, "is not declared");
	free(text);
	text = calloc(1, 400 * 32);
	cr_assert_not_null(text);
	for (unsigned i = 0; i < 400; i++)
		sprintf(text + strlen(text), "PREFIX p%u: <a:>\n", i);
	expect_error(text, ERROR_LIMIT, "line 257: more than 256 prefixes");
	free(text);
}

Test(turtle, cut_at_every_length)
{
	static const char text[] =
		"@base <aff4://v> .\nPREFIX a: <b:>\n</x> a:b \"y\\u0041\"^^a:t ,"
		" '''z'''@en ; a true , 1.5 .";

	for (size_t len = 0; len < sizeof(text); len++) {
		/* on the heap, so that a byte too far is seen */
		char *copy = malloc(len + !len);
		struct error *err;

		cr_assert_not_null(copy);
		memcpy(copy, text, len);
		seen[0] = '\0';
		err = turtle_parse(copy, len, see, NULL);
		error_destroy(err);
		free(copy);
	}
}

Test(iri, resolution)
{
	/* of RFC 3986, section 5.4 */
	static const struct {
		const char *reference, *target;
	} rows[] = {
		{ "g:h", "g:h" },
		{ "g", "http://a/b/c/g" },
		{ "./g", "http://a/b/c/g" },
		{ "/g", "http://a/g" },
		{ "//g", "http://g" },
		{ "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" },
		{ "#s", "http://a/b/c/d;p?q#s" },
		{ "g;x?y#s", "http://a/b/c/g;x?y#s" },
		{ "", "http://a/b/c/d;p?q" },
		{ "..", "http://a/b" },
		{ "../g", "http://a/b/g" },
		{ "../..", "http://a" },
		{ "../../../g", "http://a/g" },
		{ "/./g", "http://a/g" },
		{ "/../g", "http://a/g" },
		{ "g.", "http://a/b/c/g." },
		{ "..g", "http://a/b/c/..g" },
		{ "./g/.", "http://a/b/c/g" },
		{ "g/./h", "http://a/b/c/g/h" },
		{ "g/../h", "http://a/b/c/h" },
	};
	char iri[IRI_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cr_assert_null(iri_resolve("http://a/b/c/d;p?q", rows[i].reference, iri));
		cr_expect_str_eq(iri, rows[i].target, "%s: %s", rows[i].reference, iri);
	}
	cr_assert_null(iri_resolve("", "aff4://v/x//", iri));
	cr_expect_str_eq(iri, "aff4://v/x", "slashes at the end");
}

static struct aff4_graph graph;

static const struct aff4_object *describe(const char *text, const char *uri)
{
	graph = (struct aff4_graph){ 0 };
	cr_assert_null(aff4_graph_read(&graph, text, strlen(text)));
	return aff4_graph_find(&graph, uri);
}

Test(graph, both_spellings_and_two_places)
{
	const struct aff4_object *o = describe(
		"PREFIX aff4: <http://aff4.org/Schema#>\n"
		"<a:s> aff4:chunk_size 512 ; aff4:hash \"aa\"^^aff4:MD5 .\n"
		"<a:t> a aff4:Map .\n"
		"<a:s> a aff4:ImageStream ; aff4:chunksInSegment \"7\"^^<a:int> ; aff4:size 0 ;"
		" aff4:chunkSize 9 ; aff4:CompressionMethod <c:c> ; aff4:hash \"bb\"^^aff4:SHA1 ;"
		" aff4:stored \"not a number\" .\n",
		"a:s");

	cr_assert_not_null(o);
	cr_expect_eq(graph.count, 2);
	cr_expect_eq(o->types, AFF4_STREAM);
	cr_expect_eq(o->chunk_size, 512, "what comes first counts");
	cr_expect_eq(o->chunks_per_bevy, 7);
	cr_expect(o->has_size);
	cr_expect_str_eq(o->compression, "c:c");
	cr_assert(o->hashes && o->hashes->next);
	cr_expect_null(o->hashes->next->next);
	cr_expect_null(aff4_graph_find(&graph, "a:u"));
	aff4_graph_deinit(&graph);
}

Test(graph, a_number_that_is_none_is_not_said)
{
	const struct aff4_object *o = describe("PREFIX x: <http://aff4.org/Schema#>\n"
					       "<a:s> x:size \"many\" ; x:chunkSize -1 ; a x:Map .",
					       "a:s");

	cr_assert_not_null(o);
	cr_expect(!o->has_size);
	cr_expect_eq(o->chunk_size, 0);
	aff4_graph_deinit(&graph);
}
