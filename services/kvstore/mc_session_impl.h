/* SPDX-License-Identifier: Apache-2.0 */
/* Between mc_session.c, which reads, and mc_store.c, which does. */
#ifndef SERVICES_KVSTORE_MC_SESSION_IMPL_H
#define SERVICES_KVSTORE_MC_SESSION_IMPL_H

#include "services/kvstore/mc_session.h"

#define MC_NO_MEMORY "SERVER_ERROR out of memory storing object\r\n"

/* Adds to the output. Without memory the session ends. */
void mc_say(struct mc_session *s, const char *text);
void mc_say_bytes(struct mc_session *s, const char *data, size_t len);
/* Whether all sessions together may hold so many bytes more. */
bool mc_fits(const struct mc_session *s, size_t bytes);

/* s->cmd with the data of s->item, which is taken when it is stored. */
void mc_store(struct mc_session *s);
/* s->cmd could not be received: what its key had before is stale. */
void mc_refused(struct mc_session *s);
/* One key of get, gets, gat, gats. NULL, or the error that ends the list. */
const char *mc_get(struct mc_session *s, const char *key, size_t len);
/* A command without data. */
void mc_run(struct mc_session *s, const struct mc_cmd *cmd);

#endif
