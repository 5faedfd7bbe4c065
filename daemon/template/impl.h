/* SPDX-License-Identifier: Apache-2.0 */
/* Between template.c (the table, and how one is made), trial.c (its working set), clones.c (loaded shells), store.c (files) and key.c (what belongs
 * together). */
#ifndef DAEMON_TEMPLATE_IMPL_H
#define DAEMON_TEMPLATE_IMPL_H

#include "daemon/image/name.h"
#include "daemon/monitor/monitor.h"
#include "daemon/template/template.h"
#include "lib/digest.h"

struct exercise;
struct exercise_spec;
struct loop_timer;
struct trial;

/* What a template is of: a clone of another key would be another program. */
struct template_key {
	char digest[DIGEST_TEXT_BYTES]; /* of the image's content */
	char *command;                  /* owned; its words as a line */
	json_t *env;                    /* owned; array of "KEY=VALUE" */
	unsigned memory_mib;
};

/* A shell on its way to be a clone. */
struct clone {
	struct template *template;
	struct shell *shell;
	bool loaded;
	struct loop_timer *late; /* until it is loaded */
	struct clone *next;
};

struct template
{
	struct templates *all;
	char id[TEMPLATE_ID_BYTES];
	struct template_key key;
	char image[IMAGE_NAME_MAX_BYTES + 1]; /* a name that it had */
	enum template_state state;
	char reason[256];
	struct timespec created;
	uint64_t bytes;
	bool verified; /* a clone has been loaded since this manager has it */
	/* while WARMING */
	struct instance *inst;
	struct instance_waiter *waiter;
	char *state_new, *memory_new; /* paths */
	struct frozen frozen_to;
	struct exercise *exercise; /* requests to it, before it is frozen */
	struct trial *trial;       /* of what was frozen */
	/* while READY */
	char *state_path, *memory_path, *workset_path;
	struct clone *clones;
	unsigned loaded, loading;
	unsigned load_failures,
		load_lacks; /* one after the other: by its files; by what the machine has no more of */
	uint64_t hits, misses, failures;
	struct template_waiter *waiters;
	struct template *next;
};

struct templates {
	struct core *core;
	char *dir;
	char host[DIGEST_TEXT_BYTES]; /* of monitor, libOS and processor (daemon/host_id.h) */
	struct template *first;
	unsigned count;
	struct loop_timer *timer; /* loads clones */
	bool stopped, images_changed;
};

#define TEMPLATE_LOAD_FAILURES_MAX 3
#define TEMPLATE_MARK                                                                              \
	"~template" /* app_mark.fn of what is run for a template: no name of a function */

/* --- key.c */
/* Of an instance that was made, or is about to be: 0, or -ENOMEM. */
int template_key_of(const struct instance *inst, struct template_key *key);
void template_key_fini(struct template_key *key);
bool template_key_equal(const struct template_key *a, const struct template_key *b);
/* Whether an instance may be a clone of it: memory aside where the run said none. */
bool template_key_serves(const struct template_key *key, const struct instance *inst);
void template_key_id(const struct template_key *key, char id[TEMPLATE_ID_BYTES]);

/* --- store.c */
/* ID.new, empty, and the paths in it. 0, or -errno with err. */
int template_store_begin(struct template *t, struct err *err);
/* From ID.new to ID, complete. 0, or -errno with err and nothing left. */
int template_store_end(struct template *t, struct err *err);
void template_store_remove(struct template *t);          /* whatever there is of it */
uint64_t template_store_bytes(const struct template *t); /* of the disk */
/* Calls fn for each record that can be used here (key and image are its to take); what else is in the folder is removed. */
typedef void template_store_fn(
	void *arg, struct template_key *key, const char *image, const struct timespec *created);
void template_store_each(struct templates *ts, template_store_fn *fn, void *arg);
int template_paths(struct template *t); /* 0 or -ENOMEM */

/* --- clones.c */
void clones_load_soon(struct templates *ts);
void clones_load(void *templates); /* loop_timer_fn */
void clones_discard(struct template *t);

/* --- trial.c */
/* A clone of what has just been frozen (t->inst, which stands there still) is tried; template_ready() follows. 0 or -ENOMEM. */
int trial_begin(struct template *t);
bool trial_wants_clone(const struct template *t);
void trial_go(struct template *t); /* one is loaded */
bool trial_is(const struct template *t, const struct instance *inst);
void trial_free(struct template *t); /* nothing when there is none */

/* --- template.c */
void template_ready(struct template *t);
void template_let_go(struct template *t); /* of the instance that was frozen, if there is one */
void template_end_instance(struct instance *inst); /* one that was run for it; NULL is fine */
json_t *template_env_of(
	const struct instance *inst); /* as a run has it; new; NULL without memory */
/* What its image says of requests to it; a GET of / where it says nothing, and false. */
bool template_exercise_of(const struct instance *inst, struct exercise_spec *spec);
void templates_drop_orphans(struct templates *ts);         /* those whose image is gone */
void template_fail(struct template *t, const char *why);   /* its files are gone then */
const char *template_image_path(const struct template *t); /* of its content; NULL: gone */

#endif
