/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage: the pictures of tasks. POST /upload/{id} with a file part "image"; GET /download/{id} gives the result if there
 * is one, else the input. ?kind=input|result says which; an upload without it is the input when there is
 * none yet, else the result (so the original master and worker, who cannot say it, get what they mean).
 *
 * Uploads are synced by threads, two at a time, so that others are served meanwhile and share a commit of the file system; none is answered
 * before it is on the disk (blob.h). A picture is checked as a whole before its first byte is sent: one that is damaged is an error, not
 * a picture. A small one is read once and sent from memory: as a unikernel, each operation on a file of a volume is a message to the host.
 */
#include "services/common/image_form.h"
#include "services/common/offload.h"
#include "services/common/service.h"
#include "services/storage/blob.h"

#include "lib/log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define HTML "text/html; charset=utf-8"

#define SYNC_THREADS                                                                               \
	2 /* a disk that is on its way with one commit takes what came meanwhile with the next */

/* An upload while its form is read. */
struct upload {
	struct storage *st;
	struct blob_writer *w; /* NULL: no file part so far, or it was refused */
	bool in_image;         /* the part being read is the file */
	uint64_t expect;       /* bytes of the whole form; 0: not told */
};

/* A picture on its way to the disk; it gets there whether its client waits or not. */
struct saving {
	struct offload_job job; /* first */
	struct storage *st;
	struct httpd_req *req; /* NULL: gone */
	struct blob_writer *w;
	enum blob_kind kind;
	char id[BLOB_ID_BYTES];
	int result;
	struct saving *prev, *next; /* in st->savings */
};

struct storage {
	struct service *s;
	struct blob_dir *dir;
	struct offload *threads; /* of syncs */
	struct saving *savings;
	char temporary[32]; /* our own folder, removed at the end; "" when one was given */
	int64_t max_bytes;
	uint64_t uploads, rejected, damaged;
};

static struct storage *storage_of(const struct httpd_req *req)
{
	return service_of(req)->data;
}

static void upload_free(void *data)
{
	struct upload *u = data;

	blob_end(u->w);
	free(u);
}

static int refuse(struct httpd_req *req, int r)
{
	storage_of(req)->rejected++;
	log_debug("an upload is refused", "task=\"%s\" error=%d", httpd_param(req, "id"), -r);
	if (r == -EBADMSG)
		httpd_reply(req, 415, HTML, "Image is not a PNG or JPEG", 26);
	else if (r == -EMSGSIZE)
		httpd_reply(req, 413, HTML, "Image is too large", 18);
	else if (r == -ENOSPC)
		httpd_reply(req, 507, HTML, "No space left", 13);
	else {
		log_error("an upload fails", "task=\"%s\" error=%d", httpd_param(req, "id"), -r);
		httpd_reply(req, 500, HTML, "Image cannot be stored", 22);
	}
	return r;
}

static void not_found(struct httpd_req *req)
{
	httpd_reply(req, 404, HTML, "Image not found", 15);
}

/* 0: as asked, 1: to be decided, -1: nonsense. */
static int kind_of(const struct httpd_req *req, enum blob_kind *kind)
{
	const char *s = httpd_query(req, "kind");

	if (!s)
		return 1;
	*kind = strcmp(s, "result") == 0 ? BLOB_RESULT : BLOB_INPUT;
	return strcmp(s, "result") == 0 || strcmp(s, "input") == 0 ? 0 : -1;
}

static void on_upload_begin(struct httpd_req *req)
{
	struct upload *u;
	enum blob_kind kind;

	if (!blob_id_good(httpd_param(req, "id"))) {
		not_found(req);
		return;
	}
	if (kind_of(req, &kind) < 0) {
		httpd_reply(req, 400, HTML, "kind must be input or result", 28);
		return;
	}
	if (httpd_content_length(req) > storage_of(req)->max_bytes + (int64_t)IMAGE_FORM_OVERHEAD) {
		refuse(req, -EMSGSIZE);
		return;
	}
	u = calloc(1, sizeof(*u));
	if (!u) {
		refuse(req, -ENOMEM);
		return;
	}
	u->st = storage_of(req);
	if (httpd_content_length(req) > 0)
		u->expect = (uint64_t)httpd_content_length(req);
	httpd_set_data(req, u, upload_free);
}

static int on_part(
	struct httpd_req *req, const struct httpd_part *part, const void *data, size_t len)
{
	struct upload *u = httpd_data(req);
	int r = 0;

	if (part->offset == 0) {
		u->in_image = image_form_is_file(part) && !u->w;
		if (u->in_image && !(len == 0 && part->filename && !*part->filename))
			r = blob_begin(u->st->dir, (uint64_t)u->st->max_bytes, u->expect, &u->w);
	}
	if (r == 0 && u->in_image && u->w)
		r = blob_write(u->w, data, len);
	return r < 0 ? refuse(req, r) : 0;
}

/* --- on the way to the disk ------------------------------------------------------------------------------------------ */
static void on_gone(struct httpd_req *req)
{
	struct saving *s = httpd_data(req);

	s->req = NULL;
}

static void saving_free(struct saving *s)
{
	if (s->prev)
		s->prev->next = s->next;
	else
		s->st->savings = s->next;
	if (s->next)
		s->next->prev = s->prev;
	blob_end(s->w);
	service_worked(s->st->s);
	free(s);
}

static void sync_picture(struct offload_job *job)
{
	struct saving *s = (struct saving *)job;

	s->result = blob_sync(s->w);
}

static void saved(struct saving *s)
{
	if (s->result == 0) {
		s->st->uploads++;
		log_debug("picture stored", "task=%s kind=%s", s->id,
			s->kind == BLOB_INPUT ? "input" : "result");
	}
	if (s->result < 0)
		blob_unname(s->w, s->id, s->kind);
	if (s->req && s->result == 0)
		httpd_reply(s->req, 200, NULL, NULL, 0);
	else if (s->req)
		refuse(s->req, s->result);
	saving_free(s);
}

static void on_synced(struct offload_job *job)
{
	struct saving *s = (struct saving *)job;
	bool named = blob_named(s->w);

	if (s->result == 0 && !named)
		s->result = blob_name(s->w, s->id, s->kind);
	if (s->result == 0 && !named)
		offload_add(s->st->threads, &s->job); /* once more, for the name */
	else
		saved(s);
}

static void on_upload(struct httpd_req *req)
{
	struct upload *u = httpd_data(req);
	struct storage *st = u->st;
	const char *id = httpd_param(req, "id");
	enum blob_kind kind = BLOB_INPUT;
	struct saving *s;
	int r, given = kind_of(req, &kind);

	if (!u->w) {
		httpd_reply(req, 400, HTML, "Image not found", 15);
		return;
	}
	s = calloc(1, sizeof(*s));
	r = s ? blob_seal(u->w) : -ENOMEM;
	if (r == 0)
		r = blob_name_free(u->w, id, kind);
	if (r == -EEXIST && given == 1) {
		kind = BLOB_RESULT;
		r = blob_name_free(u->w, id, kind);
	}
	if (r < 0 && r != -EEXIST) {
		free(s);
		refuse(req, r);
		return;
	}
	*s = (struct saving){.job = {.work = sync_picture, .done = on_synced},
		.st = st,
		.req = req,
		.kind = kind,
		.next = st->savings};
	s->w = steal_ptr(&u->w);
	snprintf(s->id, sizeof(s->id), "%s", id);
	if (s->next)
		s->next->prev = s;
	st->savings = s;
	upload_free(u);
	httpd_set_data(req, s, NULL);
	httpd_defer(req, on_gone);
	offload_add(st->threads, &s->job);
}

/* --- downloads ------------------------------------------------------------------------------------------------------- */
/* What an upload without ?kind may mean is what a download without it gets: the result, else the input. */
static int read_picture(const struct httpd_req *req, enum blob_kind *kind, struct blob_info *info)
{
	struct storage *st = storage_of(req);
	const char *id = httpd_param(req, "id");
	int r, given;

	*kind = BLOB_RESULT;
	given = kind_of(req, kind);
	if (given < 0 || !blob_id_good(id))
		return -ENOENT;
	r = blob_read(st->dir, id, *kind, info);
	if (r != -ENOENT || given == 0)
		return r;
	*kind = BLOB_INPUT;
	return blob_read(st->dir, id, *kind, info);
}

static void not_readable(struct httpd_req *req, enum blob_kind kind, int r)
{
	storage_of(req)->damaged += r == -EBADMSG;
	log_error(r == -EBADMSG ? "a picture is damaged" : "a picture cannot be read",
		"task=%s kind=%s error=%d", httpd_param(req, "id"),
		kind == BLOB_RESULT ? "result" : "input", -r);
	if (r == -EBADMSG)
		httpd_reply(req, 500, HTML, "Image is damaged", 16);
	else
		httpd_reply(req, 500, HTML, "Image cannot be read", 20);
}

/* A picture that is sent from memory. */
struct sending {
	struct storage *st;
	struct blob_info info;
};

static void sending_free(void *data)
{
	struct sending *s = data;

	blob_read_end(s->st->dir, &s->info);
	service_worked(s->st->s);
	free(s);
}

static void send_picture(struct httpd_req *req, struct blob_info *info, const char *type)
{
	struct storage *st = storage_of(req);
	struct sending *s;

	if (!info->data) {
		httpd_reply_file_part(req, info->fd, info->bytes, type);
		return;
	}
	s = malloc(sizeof(*s));
	if (!s) {
		blob_read_end(st->dir, info);
		httpd_reply_error(req, 500, "out of memory");
		return;
	}
	*s = (struct sending){.st = st, .info = *info};
	httpd_set_data(req, s, sending_free);
	httpd_reply_file_data(req, &s->info.st, s->info.data, s->info.bytes, type);
}

static void on_download(struct httpd_req *req)
{
	struct blob_info info;
	enum blob_kind kind;
	int r = read_picture(req, &kind, &info);
	bool jpeg;

	if (r == -ENOENT) {
		not_found(req);
		return;
	}
	if (r < 0) {
		not_readable(req, kind, r);
		return;
	}
	jpeg = info.type == BLOB_JPEG;
	httpd_add_headerf(req, "Content-Disposition", "attachment; filename=\"%s.%s\"",
		httpd_param(req, "id"), jpeg ? "jpg" : "png");
	httpd_add_header(req, "X-Kind", kind == BLOB_RESULT ? "result" : "input");
	send_picture(req, &info, jpeg ? "image/jpeg" : "image/png");
}

static void on_delete(struct httpd_req *req)
{
	const char *id = httpd_param(req, "id");
	int r = blob_id_good(id) ? blob_remove(storage_of(req)->dir, id) : -ENOENT;

	if (r == 0)
		r = blob_sync_folder(storage_of(req)->dir);
	if (r == 0) {
		log_debug("pictures removed", "task=%s", id);
		httpd_reply(req, 204, NULL, NULL, 0);
	} else if (r == -ENOENT)
		not_found(req);
	else
		httpd_reply_error(req, 500, "the picture cannot be removed");
}

static const struct httpd_route routes[] = {
	{.method = "POST",
		.pattern = "/upload/{id}",
		.begin = on_upload_begin,
		.part = on_part,
		.handler = on_upload,
		.body_max = UINT64_MAX / 4},
	{.method = "GET", .pattern = "/download/{id}", .handler = on_download},
	{.method = "DELETE", .pattern = "/download/{id}", .handler = on_delete},
};

static int storage_start(struct service *s, struct err *err)
{
	struct storage *st = calloc(1, sizeof(*st));
	const char *path = env_str("MICRO_STORAGE_DIR");
	int64_t quota, memory;
	int r;

	s->data = st;
	if (!st || offload_new(s->loop, SYNC_THREADS, &st->threads) < 0)
		return err_set(err, ENOMEM, "out of memory");
	st->s = s;
	if (env_int("MICRO_STORAGE_MAX_BYTES", 100, INT64_C(1) << 40, 16 * MIB, &st->max_bytes,
		    err) < 0 ||
		env_int("MICRO_STORAGE_QUOTA_BYTES", 0, INT64_C(1) << 50, INT64_C(4) << 30, &quota,
			err) < 0 ||
		env_int("MICRO_STORAGE_MEMORY_BYTES", 0, INT64_C(1) << 40, BLOB_MEMORY_BYTES,
			&memory, err) < 0)
		return -EINVAL;
	if (!path) {
		mkdir("/tmp", 01777);
		strcpy(st->temporary, "/tmp/micro-storage-XXXXXX");
		path = mkdtemp(st->temporary);
		if (!path) {
			st->temporary[0] = '\0';
			return err_sys(err, errno, "cannot make a temporary folder");
		}
		log_warn("the pictures are temporary", "path=%s remedy=\"set MICRO_STORAGE_DIR\"",
			path);
	}
	r = blob_open(path, (uint64_t)quota, &st->dir, err);
	if (r == 0)
		blob_set_memory(st->dir, (size_t)memory);
	return r;
}

static void storage_stop(struct service *s)
{
	struct storage *st = s->data;

	if (!st)
		return;
	offload_free(st->threads);
	while (st->savings)
		saving_free(st->savings);
	if (st->temporary[0] && st->dir)
		blob_clear(st->dir);
	blob_close(st->dir);
	if (st->temporary[0])
		rmdir(st->temporary);
	free(st);
}

static void storage_metrics(struct service *s, struct buf *out)
{
	struct storage *st = s->data;

	metrics_gauge(out, "storage_pictures", "Pictures held.", blob_count(st->dir));
	metrics_gauge(out, "storage_bytes", "Bytes of pictures held.", blob_bytes(st->dir));
	metrics_counter(out, "storage_uploads_total", "Pictures stored.", st->uploads);
	metrics_counter(out, "storage_rejected_total", "Uploads refused.", st->rejected);
	metrics_counter(out, "storage_damaged_total",
		"Pictures asked for whose bytes are not those that were stored.", st->damaged);
}

int main(int argc, char **argv)
{
	static const struct env_help env[] = {
		{"MICRO_STORAGE_DIR", "folder of the pictures (default: a temporary one)"},
		{"MICRO_STORAGE_MAX_BYTES", "of one picture (default 16777216)"},
		{"MICRO_STORAGE_QUOTA_BYTES", "of all pictures (default 4294967296)"},
		{"MICRO_STORAGE_MEMORY_BYTES",
			"for small pictures on their way in and out, read and written in one go "
			"(default 16777216; 0: in pieces)"},
		{0},
	};
	static const struct service_spec spec = {
		.name = "storage",
		.summary = "Pictures of tasks, input and result.",
		.port_env = "MICRO_STORAGE_PORT",
		.port = 9002,
		.key = "storageendpoint",
		.takes_registry = true,
		.env = env,
		.routes = routes,
		.route_count = ARRAY_SIZE(routes),
		.conn_memory_bytes = 128 * KIB, /* pictures, in few pieces */
		.keeps_memory = true,
		.start = storage_start,
		.stop = storage_stop,
		.metrics = storage_metrics,
		.error = image_form_error,
	};

	return service_main(&spec, argc, argv);
}
