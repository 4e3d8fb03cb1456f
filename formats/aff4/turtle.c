/* SPDX-License-Identifier: MIT */
#include "formats/aff4/turtle.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define RDF_TYPE    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
#define XSD_INTEGER "http://www.w3.org/2001/XMLSchema#integer"
#define XSD_DECIMAL "http://www.w3.org/2001/XMLSchema#decimal"
#define XSD_BOOLEAN "http://www.w3.org/2001/XMLSchema#boolean"

struct prefix {
	char *name, *iri; /* owned */
};

struct parser {
	const char *at, *end;
	unsigned line;
	turtle_fn *fn;
	void *arg;
	struct prefix *prefixes; /* of TURTLE_MAX_PREFIXES */
	size_t num_prefixes;
	char base[IRI_MAX];
	char raw[IRI_MAX]; /* an IRI as it is written */
	char subject[IRI_MAX], predicate[IRI_MAX], datatype[IRI_MAX], iri[IRI_MAX];
	char literal[TURTLE_MAX_LITERAL + 1];
};

static int peek(const struct parser *p)
{
	return p->at < p->end ? (unsigned char)*p->at : -1;
}

static bool looking_at(const struct parser *p, const char *s)
{
	size_t len = strlen(s);

	return (size_t)(p->end - p->at) >= len && !memcmp(p->at, s, len);
}

static struct error *expected(const struct parser *p, const char *what)
{
	int c = peek(p);

	if (c < 0)
		return error_new(ERROR_CORRUPT, "expected %s, found the end", what);
	if (c > ' ' && c < 0x7f)
		return error_new(ERROR_CORRUPT, "expected %s, found '%c'", what, c);
	return error_new(ERROR_CORRUPT, "expected %s, found byte 0x%02x", what, (unsigned)c);
}

/* White space and comments. */
static void skip(struct parser *p)
{
	bool in_comment = false;

	for (; p->at < p->end; p->at++) {
		char c = *p->at;

		if (c == '\n') {
			p->line++;
			in_comment = false;
		} else if (c == '#') {
			in_comment = true;
		} else if (!in_comment && c != ' ' && c != '\t' && c != '\r') {
			return;
		}
	}
}

/* After white space: the one byte, or an error that names it. */
static struct error *take(struct parser *p, char c, const char *what)
{
	skip(p);
	if (peek(p) != c)
		return expected(p, what);
	p->at++;
	return NULL;
}

/* Appends to a buffer of `size` bytes; false when it is full. */
static bool put(char *buf, size_t size, size_t *len, char c)
{
	if (*len + 1 >= size)
		return false;
	buf[(*len)++] = c;
	return true;
}

static size_t encode_utf8(uint32_t c, char ret[4])
{
	if (c < 0x80) {
		ret[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = (char)(0xc0 | c >> 6);
		ret[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		ret[0] = (char)(0xe0 | c >> 12);
		ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
		ret[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	ret[0] = (char)(0xf0 | c >> 18);
	ret[1] = (char)(0x80 | (c >> 12 & 0x3f));
	ret[2] = (char)(0x80 | (c >> 6 & 0x3f));
	ret[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static struct error *hex_escape(struct parser *p, unsigned digits, uint32_t *ret)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < digits; i++) {
		int c = peek(p);

		if (c < 0 || !isxdigit(c))
			return expected(p, "a hexadecimal digit");
		value = value << 4 | (uint32_t)(isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
		p->at++;
	}
	if (!value || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return error_new(ERROR_CORRUPT, "escape of U+%04X: expected a character", value);
	*ret = value;
	return NULL;
}

/* What follows a backslash; only \u and \U in IRIs. */
static struct error *escape(struct parser *p, bool in_literal, char ret[4], size_t *len_ret)
{
	static const char letters[] = "tbnrf\"'\\", values[] = "\t\b\n\r\f\"'\\";
	int c = peek(p);
	const char *letter = c > 0 ? strchr(letters, c) : NULL;
	struct error *err;
	uint32_t value = 0;

	if (c == 'u' || c == 'U') {
		p->at++;
		if ((err = hex_escape(p, c == 'u' ? 4 : 8, &value)))
			return err;
		*len_ret = encode_utf8(value, ret);
		return NULL;
	}
	if (!in_literal || !letter)
		return expected(p, "an escape");
	p->at++;
	ret[0] = values[letter - letters];
	*len_ret = 1;
	return NULL;
}

static struct error *too_long(void)
{
	return error_new(ERROR_LIMIT, "a name of more than %d bytes", IRI_MAX - 1);
}

/* <...>, resolved against the base. */
static struct error *parse_iri(struct parser *p, char ret[IRI_MAX])
{
	size_t len = 0;
	struct error *err = take(p, '<', "'<'");

	if (err)
		return err;
	while (peek(p) != '>') {
		char bytes[4] = { 0 };
		size_t n = 1;

		if (peek(p) <= ' ')
			return expected(p, "'>'");
		bytes[0] = *p->at++;
		if (bytes[0] == '\\' && (err = escape(p, false, bytes, &n)))
			return err;
		for (size_t i = 0; i < n; i++) {
			if (!put(p->raw, IRI_MAX, &len, bytes[i]))
				return too_long();
		}
	}
	p->at++;
	p->raw[len] = '\0';
	return iri_resolve(p->base, p->raw, ret);
}

static bool is_name_byte(int c)
{
	return c > 0 && (isalnum(c) || c >= 0x80 || strchr("_-:.%\\", c));
}

/* prefix:local as it is written, and where its colon is; a full stop at its end is not its own. */
static struct error *take_name(struct parser *p, size_t *len_ret, size_t *colon_ret)
{
	const char *start = p->at, *colon;
	size_t len;

	while (p->at < p->end && is_name_byte((unsigned char)*p->at)) {
		/* An escaped byte is part of the name, whatever it is. */
		p->at += *p->at == '\\' && p->end - p->at > 1 && p->at[1] > ' ' ? 2 : 1;
	}
	while (p->at > start && p->at[-1] == '.')
		p->at--;
	len = (size_t)(p->at - start);
	colon = len ? memchr(start, ':', len) : NULL;
	if (!colon) {
		p->at = start;
		return expected(p, "a name");
	}
	*len_ret = len;
	*colon_ret = (size_t)(colon - start);
	return NULL;
}

static struct prefix *find_prefix(const struct parser *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->num_prefixes; i++) {
		if (strlen(p->prefixes[i].name) == len && !memcmp(p->prefixes[i].name, name, len))
			return &p->prefixes[i];
	}
	return NULL;
}

static struct error *parse_prefixed(struct parser *p, char ret[IRI_MAX])
{
	const char *name = p->at;
	size_t name_len, colon, len;
	const struct prefix *prefix;
	struct error *err = take_name(p, &name_len, &colon);

	if (err)
		return err;
	prefix = find_prefix(p, name, colon);
	if (!prefix)
		return error_new(ERROR_CORRUPT, "prefix '%.*s:' is not declared",
				 (int)(colon < 64 ? colon : 64), name);
	len = strlen(prefix->iri);
	if (len >= IRI_MAX)
		return too_long();
	memcpy(p->raw, prefix->iri, len);
	for (size_t i = colon + 1; i < name_len; i++) {
		if (name[i] == '\\')
			continue;
		if (!put(p->raw, IRI_MAX, &len, name[i]))
			return too_long();
	}
	p->raw[len] = '\0';
	return iri_resolve("", p->raw, ret);
}

static struct error *parse_blank(struct parser *p, char ret[IRI_MAX])
{
	const char *start = p->at;
	size_t len, colon;
	struct error *err = take_name(p, &len, &colon);

	if (err)
		return err;
	if (len >= IRI_MAX)
		return too_long();
	memcpy(ret, start, len);
	ret[len] = '\0';
	return NULL;
}

/* A subject, or an object that is no literal. */
static struct error *parse_node(struct parser *p, char ret[IRI_MAX], enum turtle_kind *kind_ret)
{
	skip(p);
	*kind_ret = TURTLE_IRI;
	if (peek(p) == '<')
		return parse_iri(p, ret);
	if (peek(p) == '[' || peek(p) == '(')
		return error_new(ERROR_UNSUPPORTED, "%s: expected names, as AFF4 writers emit them",
				 peek(p) == '[' ? "a blank node" : "a collection");
	if (!looking_at(p, "_:"))
		return parse_prefixed(p, ret);
	*kind_ret = TURTLE_BLANK;
	return parse_blank(p, ret);
}

static bool ends_here(const struct parser *p, const char *quote, size_t quote_len)
{
	return (size_t)(p->end - p->at) >= quote_len && !memcmp(p->at, quote, quote_len);
}

static struct error *parse_quoted(struct parser *p)
{
	const char *quote = p->at;
	size_t len = 0, quote_len = 1;
	struct error *err;

	/* Three quotes open a long one, two are an empty short one. */
	if (p->end - p->at >= 3 && quote[1] == quote[0] && quote[2] == quote[0])
		quote_len = 3;
	p->at += quote_len;
	while (!ends_here(p, quote, quote_len)) {
		char bytes[4] = { 0 };
		size_t n = 1;

		if (peek(p) < 0 || (quote_len == 1 && peek(p) == '\n'))
			return expected(p, "the end of a string");
		p->line += *p->at == '\n';
		bytes[0] = *p->at++;
		if (bytes[0] == '\\' && (err = escape(p, true, bytes, &n)))
			return err;
		for (size_t i = 0; i < n; i++)
			(void)put(p->literal, sizeof(p->literal), &len, bytes[i]);
	}
	p->at += quote_len;
	p->literal[len] = '\0';
	return NULL;
}

/* @language or ^^type after a string; neither is an error. */
static struct error *parse_datatype(struct parser *p)
{
	enum turtle_kind kind;

	if (peek(p) == '@') {
		for (p->at++; peek(p) > 0 && (isalnum(peek(p)) || peek(p) == '-'); p->at++)
			;
		return NULL;
	}
	if (!looking_at(p, "^^"))
		return NULL;
	p->at += 2;
	return parse_node(p, p->datatype, &kind);
}

static bool at_number(const struct parser *p)
{
	const char *c = p->at;

	if (c < p->end && (*c == '+' || *c == '-'))
		c++;
	if (c < p->end && *c == '.')
		c++;
	return c < p->end && isdigit((unsigned char)*c);
}

static void parse_number(struct parser *p)
{
	size_t len = 0;
	bool is_integer = true;

	while (peek(p) > 0 && (isdigit(peek(p)) || strchr("+-.eE", peek(p)))) {
		/* The full stop of the sentence? */
		if (peek(p) == '.' && (p->end - p->at < 2 || !isdigit((unsigned char)p->at[1])))
			break;
		is_integer = is_integer && !strchr(".eE", peek(p));
		(void)put(p->literal, sizeof(p->literal), &len, *p->at++);
	}
	p->literal[len] = '\0';
	strcpy(p->datatype, is_integer ? XSD_INTEGER : XSD_DECIMAL);
}

static bool parse_boolean(struct parser *p)
{
	static const char *const words[] = { "true", "false" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t len = strlen(words[i]);

		if (!looking_at(p, words[i]) ||
		    ((size_t)(p->end - p->at) > len && is_name_byte((unsigned char)p->at[len]) &&
		     p->at[len] != '.'))
			continue;
		p->at += len;
		strcpy(p->literal, words[i]);
		strcpy(p->datatype, XSD_BOOLEAN);
		return true;
	}
	return false;
}

static struct error *parse_object(struct parser *p)
{
	struct turtle_triple t = {
		.subject = p->subject,
		.predicate = p->predicate,
		.kind = TURTLE_LITERAL,
		.object = p->literal,
		.datatype = p->datatype,
	};
	struct error *err = NULL;
	int c;

	skip(p);
	c = peek(p);
	p->datatype[0] = '\0';
	if (c == '"' || c == '\'') {
		if (!(err = parse_quoted(p)))
			err = parse_datatype(p);
	} else if (at_number(p)) {
		parse_number(p);
	} else if (!parse_boolean(p)) {
		t.object = p->iri;
		err = parse_node(p, p->iri, &t.kind);
	}
	t.line = p->line;
	return err ? err : p->fn(p->arg, &t);
}

static struct error *parse_predicate(struct parser *p)
{
	enum turtle_kind kind;
	struct error *err;

	skip(p);
	if (peek(p) == 'a' && (p->end - p->at < 2 || !is_name_byte((unsigned char)p->at[1]))) {
		p->at++;
		strcpy(p->predicate, RDF_TYPE);
		return NULL;
	}
	if ((err = parse_node(p, p->predicate, &kind)))
		return err;
	return kind == TURTLE_IRI ? NULL : expected(p, "an IRI as predicate");
}

/* predicate object, object ; predicate object . */
static struct error *parse_predicates(struct parser *p)
{
	struct error *err;

	for (;;) {
		if ((err = parse_predicate(p)))
			return err;
		for (;;) {
			if ((err = parse_object(p)))
				return err;
			skip(p);
			if (peek(p) != ',')
				break;
			p->at++;
		}
		if (peek(p) == '.') {
			p->at++;
			return NULL;
		}
		if (peek(p) != ';')
			return expected(p, "',', ';' or '.'");
		while (peek(p) == ';') {
			p->at++;
			skip(p);
		}
		if (peek(p) == '.') {
			p->at++;
			return NULL;
		}
	}
}

static struct error *set_prefix(struct parser *p, const char *name, size_t len, const char *iri)
{
	struct prefix *prefix = find_prefix(p, name, len);

	if (!prefix) {
		if (p->num_prefixes == TURTLE_MAX_PREFIXES)
			return error_new(ERROR_LIMIT, "more than %d prefixes", TURTLE_MAX_PREFIXES);
		prefix = &p->prefixes[p->num_prefixes];
		if (!(prefix->name = strndup(name, len)))
			return &error_no_memory;
		p->num_prefixes++;
	}
	free(prefix->iri);
	prefix->iri = strdup(iri);
	return prefix->iri ? NULL : &error_no_memory;
}

static struct error *parse_prefix(struct parser *p)
{
	const char *name;
	size_t len, colon;
	struct error *err;

	skip(p);
	name = p->at;
	if ((err = take_name(p, &len, &colon)))
		return err;
	if (colon + 1 != len)
		return error_new(ERROR_CORRUPT, "prefix: expected a name that ends in ':'");
	if (colon >= IRI_MAX)
		return too_long();
	/* What it stands for keeps its slash at the end. */
	if ((err = parse_iri(p, p->iri)))
		return err;
	if (p->raw[0] && p->raw[strlen(p->raw) - 1] == '/' && strlen(p->iri) < IRI_MAX - 1)
		strcat(p->iri, "/");
	return set_prefix(p, name, colon, p->iri);
}

static bool take_word(struct parser *p, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(p->end - p->at) <= len || strncasecmp(p->at, word, len) ||
	    !isspace((unsigned char)p->at[len]))
		return false;
	p->at += len;
	return true;
}

/* @prefix and @base end in a full stop, PREFIX and BASE do not. */
static struct error *parse_statement(struct parser *p)
{
	bool dotted = peek(p) == '@';
	enum turtle_kind kind;
	struct error *err;

	if (dotted)
		p->at++;
	if (take_word(p, "prefix")) {
		err = parse_prefix(p);
	} else if (take_word(p, "base")) {
		if (!(err = parse_iri(p, p->iri)))
			strcpy(p->base, p->iri);
	} else if (dotted) {
		return expected(p, "'prefix' or 'base'");
	} else {
		if ((err = parse_node(p, p->subject, &kind)))
			return err;
		return parse_predicates(p);
	}
	if (!err && dotted)
		err = take(p, '.', "'.'");
	return err;
}

static struct error *parse_all(struct parser *p)
{
	struct error *err;

	if (looking_at(p, "\xef\xbb\xbf"))
		p->at += 3;
	for (;;) {
		skip(p);
		if (peek(p) < 0)
			return NULL;
		if ((err = parse_statement(p)))
			return error_wrap(err, "line %u", p->line);
	}
}

struct error *turtle_parse(const char *text, size_t len, turtle_fn *fn, void *arg)
{
	struct parser *p = calloc(1, sizeof(*p));
	struct error *err = &error_no_memory;

	if (!p)
		return err;
	p->at = text;
	p->end = text + len;
	p->line = 1;
	p->fn = fn;
	p->arg = arg;
	p->prefixes = calloc(TURTLE_MAX_PREFIXES, sizeof(*p->prefixes));
	if (p->prefixes)
		err = parse_all(p);
	for (size_t i = 0; i < p->num_prefixes; i++) {
		free(p->prefixes[i].name);
		free(p->prefixes[i].iri);
	}
	free(p->prefixes);
	free(p);
	return err;
}
