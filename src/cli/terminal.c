/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

enum { MAX_WIDTH = 65535 };

unsigned terminal_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t width;

	if (!isatty(fd))
		return 0;
	if (columns && text_parse_u64(columns, &width) && width > 0 && width <= MAX_WIDTH)
		return (unsigned)width;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static bool is(const char *name, const char *value)
{
	return is_set(name) && strcmp(getenv(name), value) == 0;
}

bool terminal_has_color(bool is_terminal)
{
	if (is_set("NO_COLOR"))
		return false;
	if (is_set("CLICOLOR_FORCE") && !is("CLICOLOR_FORCE", "0"))
		return true;
	return is_terminal && !is("CLICOLOR", "0") && !is("TERM", "dumb");
}
