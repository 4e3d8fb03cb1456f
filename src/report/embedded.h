/* SPDX-License-Identifier: MIT */
#ifndef REPORT_EMBEDDED_H
#define REPORT_EMBEDDED_H

/* The files beside this one, as the build put them into the program; they end in NUL. */
extern const char report_html[]; /* the page, with {{places}} for what differs */
extern const char report_css[];
extern const char report_js[];

#endif
