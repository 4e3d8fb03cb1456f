/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/program.h"
#include "cli/terminal.h"

static void write_error(const char *text)
{
	/* Nothing is left to do if even this fails. */
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(STATUS_FAILED);
}

static void write_hex(uint64_t value)
{
	char text[] = "0x0000000000000000";

	for (size_t i = sizeof(text) - 2; i >= 2; i--, value >>= 4)
		text[i] = "0123456789abcdef"[value & 0xf];
	write_error(text);
}

/* A mapped snapshot that shrank, or whose disk fails, shows as SIGBUS. Async-signal-safe. */
static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
	const char *path;
	uint64_t offset;

	(void)context;
	if (!file_of_address(info->si_addr, &path, &offset)) {
		/* Not ours: once more, with the default action, on return. */
		signal(signal_number, SIG_DFL);
		return;
	}
	write_error("ntscope: ");
	write_error(path);
	write_error(": cannot read at offset ");
	write_hex(offset);
	write_error(": the file was cut or its disk fails\n");
	_exit(STATUS_FAILED);
}

int main(int argc, char **argv)
{
	const struct sigaction bus = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };
	const bool is_terminal = isatty(STDOUT_FILENO);
	const struct program_io io = {
		.in = stdin,
		.out = stdout,
		.err = stderr,
		.out_is_terminal = is_terminal,
		.out_width = terminal_width(STDOUT_FILENO),
		.out_color = terminal_has_color(is_terminal),
	};

	sigaction(SIGBUS, &bus, NULL);
	/* A closed pipe is then an error of a write, which ends the listing in good order. */
	signal(SIGPIPE, SIG_IGN);
	return (int)program_run(argc, argv, &io);
}
