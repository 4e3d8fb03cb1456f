/* SPDX-License-Identifier: MIT */
#include "cli/batch/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double earlier(double a, double b)
{
	return a < b ? a : b;
}

/* AddressSanitizer's shadow is larger than any limit. */
#ifdef __has_feature
static const bool has_shadow_memory = __has_feature(address_sanitizer);
#elif defined(__SANITIZE_ADDRESS__)
static const bool has_shadow_memory = true;
#else
static const bool has_shadow_memory = false;
#endif

double pool_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct error *pool_scratch_file(int *ret)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	if (!folder || !*folder)
		folder = "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0) { /* a file system that cannot do that */
		snprintf(path, sizeof(path), "%s/ntscope-XXXXXX", folder);
		fd = mkostemp(path, O_APPEND | O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return error_os(errno, "cannot make a temporary file in %s (see TMPDIR)", folder);
	*ret = fd;
	return NULL;
}

void pool_init(struct pool *p, const struct pool_limits *limits, pool_fn *fn, void *arg)
{
	*p = (struct pool){ .limits = *limits, .fn = fn, .arg = arg };
	signal(SIGCHLD, SIG_DFL); /* whoever started this process may have ignored it */
	sigemptyset(&p->signals);
	sigaddset(&p->signals, SIGCHLD);
	sigaddset(&p->signals, SIGINT);
	sigaddset(&p->signals, SIGTERM);
	sigaddset(&p->signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &p->signals, &p->before);
}

void pool_deinit(struct pool *p)
{
	for (size_t i = 0; i < p->count; i++) {
		kill(-p->running[i].pid, SIGKILL);
		while (waitpid(p->running[i].pid, NULL, 0) < 0 && errno == EINTR)
			continue;
		close(p->running[i].report);
		close(p->running[i].errors);
	}
	p->count = 0;
	sigprocmask(SIG_SETMASK, &p->before, NULL);
}

static void limit(int resource, uint64_t value)
{
	struct rlimit limit;

	/* A limit that is lower already stays. */
	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0 || limit.rlim_cur <= value)
		return;
	limit.rlim_cur = limit.rlim_max = value;
	(void)setrlimit((__rlimit_resource_t)resource, &limit);
}

static void set_limits(const struct pool_limits *limits)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, limits->file_size);
	limit(RLIMIT_CPU, (uint64_t)(limits->seconds * limits->threads) + 2);
	if (!has_shadow_memory)
		limit(RLIMIT_DATA, limits->memory);
}

/* In the new process: nothing of the old one's terminal, signals and streams is left. */
static void detach(const struct pool *p, pid_t parent, int errors)
{
	int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before this was set */
		_exit(1);
	dup2(nowhere, STDIN_FILENO);
	dup2(nowhere, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); /* the write fails instead */
	sigprocmask(SIG_SETMASK, &p->before, NULL);
	sigprocmask(SIG_UNBLOCK, &p->signals, NULL);
	set_limits(&p->limits);
}

/* pipe_ends: who reads, who writes. What does not fit is dropped. */
static struct error *open_files(int *report, int pipe_ends[2])
{
	struct error *err;

	if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_os(errno, "cannot make a pipe");
	err = pool_scratch_file(report);
	if (err) {
		close(pipe_ends[0]);
		close(pipe_ends[1]);
	}
	return err;
}

struct error *pool_start(struct pool *p, size_t id)
{
	struct pool_process *process = &p->running[p->count];
	pid_t parent = getpid(), pid;
	int report, pipe_ends[2];
	struct error *err;

	if (p->count == POOL_MAX)
		return error_new(ERROR_LIMIT, "more than %d processes at a time", POOL_MAX);
	if ((err = open_files(&report, pipe_ends)))
		return err;
	pid = fork();
	if (pid == 0) {
		detach(p, parent, pipe_ends[1]);
		_exit(p->fn(p->arg, id, report));
	}
	close(pipe_ends[1]);
	if (pid < 0) {
		close(pipe_ends[0]);
		close(report);
		return error_os(errno, "cannot start a process");
	}
	setpgid(pid, pid); /* whoever comes first */
	*process = (struct pool_process){ pid, id, report, pipe_ends[0], .start = pool_clock() };
	process->term_at = process->start + p->limits.seconds;
	process->kill_at = process->term_at + POOL_GRACE_SECONDS;
	p->count++;
	return NULL;
}

/* Ends those whose time is up; returns when the next one's is. */
static double end_late(struct pool *p, double now)
{
	double next = INFINITY;

	for (size_t i = 0; i < p->count; i++) {
		struct pool_process *process = &p->running[i];

		if (now >= process->kill_at) {
			kill(-process->pid, SIGKILL);
			process->kill_at = now + POOL_GRACE_SECONDS;
		} else if (now >= process->term_at && !process->terminated) {
			kill(-process->pid, SIGTERM);
			process->terminated = true;
		}
		next = earlier(next, process->terminated ? process->kill_at : process->term_at);
	}
	return next;
}

static void read_said(int fd, char said[POOL_STDERR_MAX])
{
	size_t len = 0;
	ssize_t n;

	while (len < POOL_STDERR_MAX - 1 &&
	       (n = read(fd, said + len, POOL_STDERR_MAX - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
}

/* One that has ended, if there is one. */
static bool reap(struct pool *p, struct pool_outcome *ret)
{
	for (size_t i = 0; i < p->count; i++) {
		struct pool_process *process = &p->running[i];
		int status;

		if (waitpid(process->pid, &status, WNOHANG) != process->pid)
			continue;
		*ret = (struct pool_outcome){
			.id = process->id,
			.report = process->report,
			.timed_out = process->terminated,
			.wait_status = status,
			.seconds = pool_clock() - process->start,
		};
		read_said(process->errors, ret->said);
		close(process->errors);
		*process = p->running[--p->count];
		return true;
	}
	return false;
}

static void sleep_until_signal(struct pool *p, double seconds)
{
	const double most = seconds > 0 ? seconds : 0;
	const struct timespec timeout = {
		.tv_sec = (time_t)most,
		.tv_nsec = (long)((most - (double)(time_t)most) * 1e9),
	};
	int number = sigtimedwait(&p->signals, NULL, &timeout);

	if (number > 0 && number != SIGCHLD)
		p->stop_signal = number;
}

bool pool_wait(struct pool *p, double seconds, struct pool_outcome *ret)
{
	double now = pool_clock(), end = now + seconds;

	for (;; now = pool_clock()) {
		double next = end_late(p, now);

		if (reap(p, ret))
			return true;
		if (now >= end || p->stop_signal)
			return false;
		sleep_until_signal(p, earlier(end, next) - now);
	}
}
