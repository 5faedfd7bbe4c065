/* SPDX-License-Identifier: Apache-2.0 */
#include "services/db/db.h"

static void tasks_metrics(struct db *db, struct buf *out)
{
	static const struct {
		enum task_state state;
		const char *labels;
	} states[] = {
		{TASK_CREATED, "state=\"created\""},
		{TASK_READY, "state=\"ready\""},
		{TASK_DELAYED, "state=\"delayed\""},
		{TASK_LEASED, "state=\"leased\""},
		{TASK_FINISHED, "state=\"finished\""},
		{TASK_DEAD, "state=\"dead\""},
	};
	int64_t counts[TASK_STATES];
	bool up = queue_counts(db->queue, counts) == 0;

	metrics_gauge(out, "queue_backend_up", "Whether the database answers.", up);
	if (!up)
		return;
	metrics_head(out, "tasks", "gauge", "Tasks by state.");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		metrics_sample(out, "tasks", states[i].labels,
			counts[states[i].state + 1] < 0 ? 0
							: (uint64_t)counts[states[i].state + 1]);
	metrics_head(out, "tasks_oldest_ready_seconds", "gauge",
		"How long the ready task that has waited longest has done so.");
	buf_printf(out, "micro_tasks_oldest_ready_seconds %.3f\n",
		(double)queue_oldest_ms(db->queue, db_now_ms(db)) / 1e3);
}

void db_metrics(struct service *s, struct buf *out)
{
	struct db *db = s->data;
	struct queue_stats n = queue_stats(db->queue);

	tasks_metrics(db, out);
	metrics_gauge(out, "queue_waiters", "Clients that wait for a task.", db->waiters.count);
	metrics_gauge(out, "queue_watchers", "Clients that wait for the end of a task.",
		db->watchers.count);
	metrics_counter(out, "tasks_created_total", "Tasks created.", n.created);
	metrics_counter(out, "tasks_leased_total", "Leases given.", n.leased);
	metrics_counter(out, "tasks_finished_total", "Tasks finished.", n.finished);
	metrics_counter(out, "tasks_failed_total", "Tasks given back by workers.", n.failed);
	metrics_counter(out, "tasks_died_total", "Tasks that became dead letters.", n.died);
	metrics_counter(out, "leases_expired_total", "Leases that ran out.", n.expired);
	metrics_counter(out, "tasks_conflict_total", "Requests refused with 409.", db->stale);
	metrics_counter(out, "queue_scan_steps_total", "Rows stepped over for want of an index.",
		queue_scan_steps(db->queue));
	metrics_counter(out, "queue_commits_total", "Transactions committed.", n.commits);
	metrics_counter(out, "queue_rollbacks_total", "Transactions undone.", n.rollbacks);
}
