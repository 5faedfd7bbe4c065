/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that do pictures, so that the loop stays free. Jobs go in by painter_add(), come back on the loop through an
 * eventfd as they get done (with one thread: in order). A job belongs to the painter from painter_add() until its done().
 */
#ifndef SERVICES_WORKER_PAINTER_H
#define SERVICES_WORKER_PAINTER_H

#include "lib/loop.h"
#include "services/worker/paint.h"

struct painter;

#define PAINTER_THREADS_MAX 8

struct paint_job {
	struct picture_params params;
	struct buf in, out;         /* the owner frees them */
	int result;                 /* of paint_picture() */
	enum picture_format format; /* of out */
	struct err err;
	int64_t ns;
	void (*done)(struct paint_job *job); /* on the loop's thread */
	void *arg;
	struct paint_job *next; /* the painter's */
};

/* limits are those of each picture. threads: 1 to PAINTER_THREADS_MAX. */
int painter_new(struct loop *loop, const struct picture_limits *limits, unsigned int threads,
	struct painter **painter);
/* Waits for the pictures in work; jobs that are left get no done(). NULL is fine. */
void painter_free(struct painter *painter);
void painter_add(struct painter *painter, struct paint_job *job);

#endif
