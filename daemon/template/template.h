/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: a booted, ready, frozen instance, from whose memory and state later ones are made (vmm/README.md, "Freeze and clone"). A clone does
 * not boot: it goes on where the template listens, under addresses, random numbers and a clock of its own. Some are loaded ahead and
 * wait, paused, for the run that takes one.
 *
 *                 templates_want()        it is ready, asked what its image says (exercise.h), frozen, its files are in place, and one clone was tried
 *   template ---------------------> WARMING ---------------------------------------------> READY
 *                                     |   ^                                                  |
 *                  it can not be made |   | its files can not be used (another monitor, libOS, CPU; damaged), when next wanted
 *                                     v   |                                                  |
 *                                   FAILED <-------------------------------------------------+
 *          any --template_remove(), its image is gone--> gone
 *
 *   shell    shell_new()            it is prepared         PUT /snapshot/load            templates_take()
 *          ------------> PREPARING ----------------> LOADING ----------------> LOADED ----------------> the instance's
 *
 * What a clone can not be given is what the template has read already: a template is that of an image's content, command line, environment
 * and memory. A run that differs in one of these, has volumes, vsock, a trace or an address of its own, or finds no shell loaded, boots.
 *
 * On disk: STATE_DIR/template/ID/{record.json,state,memory,workset}, made under ID.new and renamed when all is there; ID.new is removed by
 * the next manager.
 */
#ifndef DAEMON_TEMPLATE_TEMPLATE_H
#define DAEMON_TEMPLATE_TEMPLATE_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define TEMPLATES_MAX     64
#define TEMPLATE_ID_BYTES 17 /* 16 hexadecimal digits */

enum template_state { TEMPLATE_WARMING, TEMPLATE_READY, TEMPLATE_FAILED };
extern const char *const template_state_names[]; /* NULL behind the last */

struct core;
struct instance;
struct run_spec;
struct shell;
struct template;
struct template_waiter;
struct templates;

struct template_figures {
	const char *id, *image, *digest, *command, *reason; /* reason: "" */
	enum template_state state;
	unsigned memory_mib, target, loaded;
	uint64_t hits, misses,
		failures; /* misses: runs that would have been clones, had one been loaded */
	uint64_t bytes;   /* of the disk */
	struct timespec created;
};

/* With those of the folder that can be used still; others are made anew. 0 or -errno with err. */
int templates_new(struct core *core, struct templates **templates, struct err *err);
/* Lets all shells go and makes no more. NULL is fine. */
void templates_stop(struct templates *templates);
void templates_free(struct templates *templates); /* NULL is fine; the files stay */

/* A template of what this would run. *template is borrowed. 0, or -errno with err: -EINVAL of this there can be none, -E2BIG there are
 * too many, or why its instance could not be started. */
int templates_want(struct templates *templates, const struct run_spec *spec,
	struct template **template, struct err *err);
/* core->hurrying has become 0: clones may be loaded soon. */
void templates_calm(struct templates *templates);
/* An instance of an image has become ready: where so configured, later ones are to be clones. */
void templates_hear(struct templates *templates, const struct instance *inst);
/* Images have changed: templates of those that are gone go too. */
void templates_images_changed(struct templates *templates);
void template_remove(struct template *template);

struct template *templates_find(const struct templates *templates, const char *id); /* NULL */
struct template *templates_first(const struct templates *templates);
struct template *template_next(const struct template *template);
void template_figures(const struct template *template, struct template_figures *figures);

/* Calls fn once, from the loop: it is READY or FAILED, or gone (template NULL). NULL without memory. */
typedef void template_wait_fn(void *arg, const struct template *template);
struct template_waiter *template_wait(struct template *template, template_wait_fn *fn, void *arg);
void template_wait_cancel(struct template_waiter *waiter);

/* A loaded shell for this instance, without an owner; NULL: it has to boot. */
struct shell *templates_take(struct templates *templates, const struct instance *inst);
/* A shell that was taken could not be started. */
void templates_blame(struct templates *templates, const struct instance *inst, const char *why);

#endif
