/* SPDX-License-Identifier: Apache-2.0 */
#include "services/worker/painter.h"

#include <errno.h>
#include <stdlib.h>

struct painter {
	struct picture_limits limits;
	struct offload *threads;
};

static void paint(struct offload_job *work)
{
	struct paint_job *job = (struct paint_job *)work;
	int64_t start = loop_now_ns();

	job->result = paint_picture(job->in.data, job->in.len, &job->params, job->limits, &job->out,
		&job->format, &job->err);
	job->ns = loop_now_ns() - start;
}

static void on_painted(struct offload_job *work)
{
	struct paint_job *job = (struct paint_job *)work;

	job->done(job);
}

int painter_new(struct loop *loop, const struct picture_limits *limits, unsigned int threads,
	struct painter **out)
{
	struct painter *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->limits = *limits;
	r = offload_new(loop, threads, &p->threads);
	if (r < 0) {
		free(p);
		return r;
	}
	*out = p;
	return 0;
}

void painter_free(struct painter *p)
{
	if (!p)
		return;
	offload_free(p->threads);
	free(p);
}

void painter_add(struct painter *p, struct paint_job *job)
{
	job->limits = &p->limits;
	job->job.work = paint;
	job->job.done = on_painted;
	offload_add(p->threads, &job->job);
}
