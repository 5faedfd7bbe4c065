/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thread that does pictures, so that the loop stays free. Jobs go in by painter_add(), come back on the loop through
 * an eventfd, in order. A job belongs to the painter from painter_add() until its done().
 */
#ifndef SERVICES_WORKER_PAINTER_H
#define SERVICES_WORKER_PAINTER_H

#include "lib/loop.h"
#include "services/worker/invert.h"

struct painter;

struct paint_job {
	struct buf in, out; /* the owner frees them */
	int result;         /* of invert_png() */
	struct err err;
	int64_t ns;
	void (*done)(struct paint_job *job); /* on the loop's thread */
	void *arg;
	struct paint_job *next; /* the painter's */
};

int painter_new(struct loop *loop, const struct invert_limits *limits, struct painter **painter);
/* Waits for the picture in work; jobs that are left get no done(). NULL is fine. */
void painter_free(struct painter *painter);
void painter_add(struct painter *painter, struct paint_job *job);

#endif
