/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of nftables, in tables of our own only (FILTER_TABLE), made when something asks for them and removed at the end:
 *
 *   table bridge   instances of a network of their own reach each other and the bridge, not instances of other networks; also
 *                  not through the bridge's address, should the host forward
 *   table ip       with NAT: what leaves by another interface gets the host's address; nothing new comes in
 *
 * RUN_DIR/nft says that tables of ours may be there, so that a manager which takes over from one that was killed replaces
 * them. It does so in one step (filter_live()), when it knows who belongs where: at no moment are they open.
 */
#ifndef DAEMON_NETWORK_FILTER_H
#define DAEMON_NETWORK_FILTER_H

#include "daemon/network/netns.h"
#include "daemon/network/subnet.h"

#define FILTER_TABLE "uigniter"

struct filter;

struct filter_config {
	const struct netns *ns;
	const char *run_dir, *bridge; /* name of the interface; borrowed */
	struct subnet subnet;
	bool nat;
};

/* 0 or -ENOMEM. Nothing is changed yet. */
int filter_new(const struct filter_config *config, struct filter **filter);
/* Puts the rules in force that are wanted now, in place of all that an earlier manager left. 0 or -errno with err. */
int filter_live(struct filter *filter, struct err *err);
/* Removes tables and marker; keep: leaves them for the next manager. NULL is fine. */
void filter_free(struct filter *filter, bool keep);

/* The port belongs to the network (a name as name_is_valid() has it). Before filter_live() this is only noted. 0 or -errno with err. */
int filter_join(struct filter *filter, const char *network, const char *port, struct err *err);
/* It belongs to none any more; one that never did is fine. */
void filter_leave(struct filter *filter, const char *port);

#endif
