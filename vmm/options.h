/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of uvmm: one table, from which --help is printed too. */
#ifndef VMM_OPTIONS_H
#define VMM_OPTIONS_H

#include "lib/log.h"
#include "vmm/config.h"

struct err;

struct options {
	struct config config;
	const char *id; /* borrowed from argv, as the other strings */
	const char *api_sock;
	int api_fd; /* -1: none */
	bool no_api;
	bool start;          /* at once, without a request */
	bool prepare;        /* a shell, before the first request */
	bool bare;           /* ... not that: a snapshot will come */
	const char *console; /* path; NULL or "-": standard output */
	uint64_t console_max_bytes;
	const char *report; /* path */
	int report_fd;      /* -1: none */
	int64_t grace_ms;
	enum log_level log_level;
	bool help, version;
	const char *verify; /* STATE:MEMORY of a snapshot to check; NULL: none */
	bool seal;          /* ... and to write through to the disk before */
};

/* 0, or -EINVAL with the sentence. What it keeps is kept until the process ends. */
int options_parse(int argc, char **argv, struct options *options, struct err *err);
void options_help(void);

/* A row of the table for the manual; arg is NULL when no value is taken. */
struct options_row {
	const char *name, *arg, *help;
};

/* The row i; false: there are no more. */
bool options_row(size_t i, struct options_row *row);

#endif
