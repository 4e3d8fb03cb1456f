/* SPDX-License-Identifier: MIT */
#include "formats/aff4/iri.h"

#include <ctype.h>
#include <string.h>

/* Length of "scheme:"; 0 when there is none. */
static size_t scheme_length(const char *s)
{
	size_t n = 0;

	if (!isalpha((unsigned char)s[0]))
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '+' || s[n] == '-' || s[n] == '.')
		n++;
	return s[n] == ':' ? n + 1 : 0;
}

/* Length of "//authority"; 0 when there is none. */
static size_t authority_length(const char *s)
{
	return s[0] == '/' && s[1] == '/' ? 2 + strcspn(s + 2, "/?#") : 0;
}

struct text {
	char *bytes; /* of IRI_MAX */
	size_t len;
	bool full;
};

static void append(struct text *t, const char *s, size_t len)
{
	if (len >= IRI_MAX - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->bytes + t->len, s, len);
	t->len += len;
}

/* Appends a path, and takes out what "." and ".." segments take back. */
static void append_path(struct text *t, const char *path, size_t len)
{
	size_t root = t->len, pos = 0;

	while (pos < len) {
		const char *segment = path + pos;
		size_t n = segment[0] == '/';
		bool is_last;

		while (pos + n < len && segment[n] != '/')
			n++;
		pos += n;
		is_last = pos == len;
		if (n == 2 && !memcmp(segment, "/.", 2)) {
			append(t, "/", is_last);
		} else if (n == 3 && !memcmp(segment, "/..", 3)) {
			while (t->len > root && t->bytes[--t->len] != '/')
				;
			append(t, "/", is_last);
		} else {
			append(t, segment, n);
		}
	}
}

/* The base's path up to its last slash, then the reference's. */
static void append_merged(struct text *t, const char *base_path, bool has_authority,
			  const char *path, size_t len)
{
	char merged[2 * IRI_MAX];
	size_t base_len = strcspn(base_path, "?#"), n = 0;

	while (base_len && base_path[base_len - 1] != '/')
		base_len--;
	if (base_len >= IRI_MAX || len >= IRI_MAX - 1) {
		t->full = true;
		return;
	}
	if (!base_len && has_authority)
		merged[n++] = '/';
	memcpy(merged + n, base_path, base_len);
	memcpy(merged + n + base_len, path, len);
	append_path(t, merged, n + base_len + len);
}

static void resolve(struct text *t, const char *base, const char *reference)
{
	size_t scheme = scheme_length(base), authority = authority_length(base + scheme);
	const char *base_path = base + scheme + authority;
	size_t path_len = strcspn(reference, "?#");

	if (scheme_length(reference) || !scheme) {
		append(t, reference, strlen(reference));
		return;
	}
	append(t, base, scheme);
	if (authority_length(reference)) {
		append(t, reference, strlen(reference));
		return;
	}
	append(t, base + scheme, authority);
	if (!path_len)
		append(t, base_path, strcspn(base_path, reference[0] == '?' ? "?#" : "#"));
	else if (reference[0] == '/')
		append_path(t, reference, path_len);
	else
		append_merged(t, base_path, authority != 0, reference, path_len);
	append(t, reference + path_len, strlen(reference + path_len));
}

struct error *iri_resolve(const char *base, const char *reference, char ret[IRI_MAX])
{
	struct text t = { .bytes = ret };
	size_t root;

	resolve(&t, base, reference);
	if (t.full)
		return error_new(ERROR_LIMIT, "a name of more than %d bytes", IRI_MAX - 1);
	ret[t.len] = '\0';
	root = scheme_length(ret);
	root += authority_length(ret + root);
	while (t.len > root && ret[t.len - 1] == '/')
		ret[--t.len] = '\0';
	return NULL;
}
