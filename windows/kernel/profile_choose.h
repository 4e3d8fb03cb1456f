/* SPDX-License-Identifier: MIT */
#ifndef WINDOWS_PROFILE_CHOOSE_H
#define WINDOWS_PROFILE_CHOOSE_H

#include "windows/kernel/kernel.h"

/*
 * The layouts that a located kernel is read by: what profile_open() finds for it; where that is not
 * known to be this kernel's, it must hold on System and its neighbours; else what the snapshot
 * shows of its own kernel takes its place. Sets k->profile, and k->version and k->build with their
 * sources as far as they get known by it. Errors: those of profile_open() and discover_open().
 */
MUST_CHECK struct error *profile_choose(struct kernel *k, const struct profile_options *options);

#endif
