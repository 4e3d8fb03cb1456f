/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/progress.h"

/* What a terminal on stderr gets to see while work() runs. */
static size_t on_terminal(void (*work)(void), char *buf, size_t size)
{
	struct pollfd pfd = { .events = POLLIN };
	int master, slave, saved = dup(STDERR_FILENO);
	size_t used = 0;

	if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
		cr_skip_test("no pseudo-terminals here");
	dup2(slave, STDERR_FILENO);
	work();
	dup2(saved, STDERR_FILENO);
	pfd.fd = master;
	while (used < size - 1 && poll(&pfd, 1, 100) == 1) {
		ssize_t n = read(master, buf + used, size - 1 - used);

		if (n <= 0)
			break;
		used += (size_t)n;
	}
	buf[used] = '\0';
	close(master);
	close(slave);
	close(saved);
	return used;
}

static void sleep_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

static void run(bool quiet)
{
	struct progress p;

	progress_begin(&p, "scanning", 200, quiet);
	for (int i = 0; i < 50; i++)
		progress_add(&p, 1);
	sleep_ms(120);
	for (int i = 0; i < 50; i++)
		progress_add(&p, 1);
	progress_end(&p);
	progress_end(&p);
}

static void run_shown(void)
{
	run(false);
}

static void run_quiet(void)
{
	run(true);
}

static void run_short(void)
{
	struct progress p;

	progress_begin(&p, "scanning", 1, false);
	progress_add(&p, 1);
	progress_end(&p);
}

static void run_past_total(void)
{
	struct progress p;

	progress_begin(&p, "scanning", 0, false);
	sleep_ms(120);
	progress_add(&p, 1);
	progress_end(&p);
}

Test(progress, one_line_then_erased)
{
	char buf[256];

	on_terminal(run_shown, buf, sizeof(buf));
	cr_assert_str_eq(buf, "\r\033[Kscanning 26%\r\033[K");
}

Test(progress, silent_when_quiet_or_done_at_once)
{
	char buf[256];

	cr_assert_eq(on_terminal(run_quiet, buf, sizeof(buf)), 0);
	cr_assert_eq(on_terminal(run_short, buf, sizeof(buf)), 0);
}

Test(progress, a_total_of_zero_is_fine)
{
	char buf[256];

	on_terminal(run_past_total, buf, sizeof(buf));
	cr_assert_str_eq(buf, "\r\033[Kscanning 0%\r\033[K");
}

Test(progress, silent_where_stderr_is_no_terminal)
{
	int saved = dup(STDERR_FILENO), fds[2];
	char buf[16];

	cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
	dup2(fds[1], STDERR_FILENO);
	run_shown();
	dup2(saved, STDERR_FILENO);
	cr_assert_lt(read(fds[0], buf, sizeof(buf)), 0);
	close(saved);
	close(fds[0]);
	close(fds[1]);
}
