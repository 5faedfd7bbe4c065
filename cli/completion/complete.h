/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What could stand where the cursor is, by the command table (cli/command.h): commands, options, values of choices, and
 * which names of objects or files. The scripts of the shells only ask (`uigniter completion words`) and show. Pure: whoever
 * calls it asks the manager for the names. Words are a person's unfinished line: anything may be in them.
 */
#ifndef CLI_COMPLETION_COMPLETE_H
#define CLI_COMPLETION_COMPLETE_H

#include "lib/buf.h"

/* Kinds of names that could stand there, too. */
enum complete_names {
	COMPLETE_FILES = 1,
	COMPLETE_INSTANCES = 2,
	COMPLETE_IMAGES = 4,
	COMPLETE_APPS = 8,
	COMPLETE_PROFILES = 16,
	COMPLETE_SNAPSHOTS = 32,
};

struct completion {
	struct buf lines;  /* "WORD" or "WORD<tab>DESCRIPTION", each ended by a newline */
	unsigned names;    /* of enum complete_names */
	const char *value; /* what of the last word is the name so far; into words */
	const char *host;  /* -H of the words, or NULL; into words */
};

/* words: what stands behind "uigniter", n >= 1; the last one is the word at the cursor, perhaps empty. 0 or -ENOMEM; *completion
 * is to be given to complete_fini() in both cases. */
int complete_words(size_t n, char *const words[], struct completion *completion);
void complete_fini(struct completion *completion);

/* The scripts that `uigniter completion bash`, `zsh` and `fish` print. */
extern const char completion_bash[], completion_zsh[], completion_fish[];

#endif
