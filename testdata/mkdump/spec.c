/* SPDX-License-Identifier: MIT */
#include "spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t put_utf8(char *to, unsigned long c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	to[0] = (char)(0xe0 | c >> 12);
	to[1] = (char)(0x80 | (c >> 6 & 0x3f));
	to[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* One escape after the backslash at *from: \xNN is a byte, \uNNNN a character. */
static bool put_escape(const char **from, char **to)
{
	static const struct {
		char letter, byte;
	} plain[] = { { '\\', '\\' }, { '"', '"' }, { 'n', '\n' }, { 't', '\t' }, { '0', 0 } };
	size_t digits = **from == 'x' ? 2 : **from == 'u' ? 4 : 0;
	char hex[8] = "";
	unsigned long c;

	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (**from == plain[i].letter) {
			*(*to)++ = plain[i].byte;
			(*from)++;
			return true;
		}
	}
	for (size_t i = 0; i < digits; i++) {
		if (!isxdigit((unsigned char)(*from)[1 + i]))
			return false;
		hex[i] = (*from)[1 + i];
	}
	if (!digits)
		return false;
	c = strtoul(hex, NULL, 16);
	if (digits == 2)
		*(*to)++ = (char)c;
	else
		*to += put_utf8(*to, c);
	*from += 1 + digits;
	return true;
}

/* Decodes quoted text in place (it never grows); *from is after the opening quote. */
static struct error *take_quoted(char **from, struct token *t)
{
	const char *p = *from;
	char *to = *from;

	t->text = *from;
	t->quoted = true;
	while (*p && *p != '"') {
		if (*p != '\\') {
			*to++ = *p++;
			continue;
		}
		p++;
		if (!put_escape(&p, &to))
			return error_new(ERROR_USAGE, "unknown escape '\\%c'", *p);
	}
	if (*p != '"')
		return error_new(ERROR_USAGE, "text without its closing quote");
	*from += p + 1 - *from;
	t->len = (size_t)(to - t->text);
	*to = 0;
	return NULL;
}

static struct error *split(char *line, struct token *tokens, size_t *num_ret)
{
	size_t n = 0;

	for (;;) {
		struct error *err;

		line += strspn(line, " \t\r\n");
		if (!*line || *line == '#')
			break;
		if (n == SPEC_MAX_TOKENS)
			return error_new(ERROR_LIMIT, "more than %d words", SPEC_MAX_TOKENS);
		tokens[n] = (struct token){ .text = line };
		if (*line == '"') {
			line++;
			if ((err = take_quoted(&line, &tokens[n])))
				return err;
		} else {
			tokens[n].len = strcspn(line, " \t\r\n");
			line += tokens[n].len;
			if (*line)
				*line++ = 0;
		}
		n++;
	}
	*num_ret = n;
	return NULL;
}

static struct name *find_name(const struct spec *s, const char *text, size_t len)
{
	for (size_t i = 0; i < s->num_names; i++) {
		if (strncmp(s->names[i].text, text, len) == 0 && !s->names[i].text[len])
			return &s->names[i];
	}
	return NULL;
}

struct error *spec_define(struct spec *s, const struct token *t, uint64_t value)
{
	struct name *name = find_name(s, t->text, t->len);
	struct error *err;
	char *text;

	if (name && !s->writing)
		return error_new(ERROR_USAGE, "'%s' is defined already", t->text);
	if (name && name->value != value)
		return error_new(ERROR_USAGE, "'%s' depends on a name that comes after it",
				 t->text);
	if (name)
		return NULL;
	err = array_reserve(&s->names, &s->cap_names, s->num_names + 1, sizeof(*s->names),
			    SPEC_MAX_NAMES, "names");
	if (err)
		return err;
	text = strdup(t->text);
	if (!text)
		return &error_no_memory;
	s->names[s->num_names++] = (struct name){ .text = text, .value = value };
	return NULL;
}

/* One term of an expression at *p, of len bytes in *len_ret. */
static struct error *term_value(const struct spec *s, const char *p, size_t len, uint64_t *ret)
{
	const struct name *name;
	char *end;

	if (*p == '$') {
		name = find_name(s, p + 1, len - 1);
		if (!name && s->writing)
			return error_new(ERROR_USAGE, "unknown name '%.*s'", (int)len, p);
		*ret = name ? name->value : 0;
		return NULL;
	}
	errno = 0;
	*ret = strtoull(p, &end, 0);
	if (!isdigit((unsigned char)*p) || errno || end != p + len)
		return error_new(ERROR_USAGE, "'%.*s' is not a number", (int)len, p);
	return NULL;
}

struct error *spec_value(const struct spec *s, const struct token *t, uint64_t *ret)
{
	const char *p = t->text;
	uint64_t sum = 0;
	bool minus = *p == '-';

	if (minus)
		p++;
	for (;;) {
		size_t len = strcspn(p, "+-");
		struct error *err;
		uint64_t v = 0;

		if ((err = term_value(s, p, len, &v)))
			return err;
		sum = minus ? sum - v : sum + v;
		p += len;
		if (!*p)
			break;
		minus = *p++ == '-';
	}
	*ret = sum;
	return NULL;
}

struct error *spec_put(struct spec *s, const void *bytes, size_t len)
{
	struct error *err = NULL;

	if (s->writing)
		err = image_write(s->img, s->space, s->pos, bytes, len);
	if (!err)
		s->pos += len;
	return err;
}

static const struct statement *find_statement(const char *name)
{
	const struct statement *const tables[] = { memory_statements, fact_statements };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct statement *st = tables[i]; st->name; st++) {
			if (strcmp(st->name, name) == 0)
				return st;
		}
	}
	return NULL;
}

/* "@ADDR" and "+OFFSET" in front of a statement say where its values go. */
static struct error *set_position(struct spec *s, const struct token *t)
{
	struct token expr = { .text = t->text + 1, .len = t->len - 1 };
	struct error *err;
	uint64_t v;

	if ((err = spec_value(s, &expr, &v)))
		return err;
	if (*t->text == '@')
		s->base = v;
	s->pos = *t->text == '@' ? v : s->base + v;
	return NULL;
}

static struct error *run_line(struct spec *s, char *line)
{
	const struct statement *st;
	struct token *t = s->tokens;
	struct error *err;
	size_t n = 0;

	if ((err = split(line, s->tokens, &n)))
		return err;
	if (n && !t->quoted && (*t->text == '@' || *t->text == '+')) {
		if ((err = set_position(s, t)))
			return err;
		t++;
		n--;
	}
	if (!n)
		return NULL;
	st = find_statement(t->text);
	if (!st)
		return error_new(ERROR_USAGE, "unknown statement '%s'", t->text);
	if (n - 1 < st->min || n - 1 > st->max)
		return error_new(ERROR_USAGE, "'%s' takes %zu to %zu arguments, found %zu",
				 st->name, st->min, st->max, n - 1);
	return st->run(s, t + 1, n - 1);
}

static struct error *run_pass(struct spec *s, const char *path)
{
	FILE *f = fopen(path, "re");
	struct error *err = NULL;
	size_t cap = 0, number = 0;
	char *line = NULL;

	if (!f)
		return error_os(errno, "%s", path);
	while (!err && getline(&line, &cap, f) >= 0) {
		number++;
		err = error_wrap(run_line(s, line), "%s:%zu", path, number);
	}
	if (!err && ferror(f))
		err = error_os(errno, "%s", path);
	free(line);
	fclose(f);
	return err;
}

static void spec_deinit(struct spec *s)
{
	for (size_t i = 0; i < s->num_names; i++)
		free(s->names[i].text);
	free(s->names);
	image_destroy(s->img);
}

struct error *spec_read(const char *path, struct image **ret)
{
	CLEANUP(spec_deinit) struct spec s = { 0 };
	struct error *err;

	for (int pass = 0; pass < 2; pass++) {
		image_destroy(take_ptr(s.img));
		if ((err = image_create(&s.img)))
			return err;
		s.writing = pass == 1;
		s.space = NULL;
		s.base = s.pos = s.strings = 0;
		if ((err = run_pass(&s, path)))
			return err;
	}
	if ((err = image_share_upper(s.img)))
		return error_wrap(err, "%s", path);
	*ret = take_ptr(s.img);
	return NULL;
}
