/* SPDX-License-Identifier: MIT */
#include "windows/paging/pagefile.h"

#include <stdlib.h>
#include <string.h>

#include "memory/physmem.h"

/* "N=PATH", else a path as it is. */
static const char *split_word(const char *word, unsigned place, unsigned long *number_ret)
{
	size_t digits = strspn(word, "0123456789");

	*number_ret = place;
	if (!digits || word[digits] != '=')
		return word;
	*number_ret = digits <= 3 ? strtoul(word, NULL, 10) : MAX_PAGEFILES;
	return word + digits + 1;
}

const char *pagefile_word_path(const char *word)
{
	unsigned long number;

	return split_word(word, 0, &number);
}

static struct error *open_word(const char *word, unsigned place, struct pagefiles *p)
{
	unsigned long number;
	const char *path = split_word(word, place, &number);
	struct error *err;

	if (number >= MAX_PAGEFILES)
		return error_new(ERROR_USAGE, "page file '%s': expected a number of 0 to %d", word,
				 MAX_PAGEFILES - 1);
	if (p->items[number].given)
		return error_new(ERROR_USAGE, "page file '%s': number %lu is given twice", word,
				 number);
	if ((err = file_open(&p->items[number].file, path)))
		return error_wrap(err, "page file %lu", number);
	p->items[number].given = true;
	return NULL;
}

struct error *pagefiles_open(const char *const *words, size_t count, struct pagefiles *ret)
{
	struct pagefiles p = { 0 };
	struct error *err = NULL;

	if (count > MAX_PAGEFILES)
		return error_new(ERROR_USAGE, "%zu page files: expected at most %d", count,
				 MAX_PAGEFILES);
	for (size_t i = 0; i < count && !err; i++)
		err = open_word(words[i], (unsigned)i, &p);
	if (err) {
		pagefiles_close(&p);
		return err;
	}
	*ret = p;
	return NULL;
}

void pagefiles_close(struct pagefiles *p)
{
	for (size_t i = 0; i < MAX_PAGEFILES; i++) {
		if (p->items[i].given)
			file_close(&p->items[i].file);
		p->items[i].given = false;
	}
}

const uint8_t *pagefiles_page(const struct pagefiles *p, unsigned number, uint64_t offset)
{
	const struct file *file;

	if (number >= MAX_PAGEFILES || !p->items[number].given)
		return NULL;
	file = &p->items[number].file;
	if (offset > file->size || file->size - offset < PAGE_SIZE)
		return NULL;
	return file->bytes + offset;
}
