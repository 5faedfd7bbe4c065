/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that do pictures (services/common/offload.h), so that the loop stays free. A job belongs to the painter from painter_add()
 * until its done().
 */
#ifndef SERVICES_WORKER_PAINTER_H
#define SERVICES_WORKER_PAINTER_H

#include "services/common/offload.h"
#include "services/worker/paint.h"

struct painter;

#define PAINTER_THREADS_MAX OFFLOAD_THREADS_MAX

struct paint_job {
	struct offload_job job;              /* first; the painter's */
	const struct picture_limits *limits; /* the painter's */
	struct picture_params params;
	struct buf in, out;         /* the owner frees them */
	int result;                 /* of paint_picture() */
	enum picture_format format; /* of out */
	struct err err;
	int64_t ns;
	void (*done)(struct paint_job *job); /* on the loop's thread */
	void *arg;
};

/* limits are those of each picture. threads: 1 to PAINTER_THREADS_MAX. */
int painter_new(struct loop *loop, const struct picture_limits *limits, unsigned int threads,
	struct painter **painter);
/* Waits for the pictures in work; jobs that are left get no done(). NULL is fine. */
void painter_free(struct painter *painter);
void painter_add(struct painter *painter, struct paint_job *job);

#endif
