/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a resolver of names reads (hosts(5), resolv.conf(5)), made from the argument line: /etc/hosts with localhost and the
 * instance itself, /etc/resolv.conf with the server and the domains to search. A file that the image has, or a link in its place, stays.
 */
#ifndef LIBOS_FS_ETC_H
#define LIBOS_FS_ETC_H

struct args;

/* Does nothing for an instance that has neither name nor address. 0 or -errno. */
int etc_init(const struct args *args);
/* The same for another name or address; files that etc_init() did not make stay as they are. */
void etc_renew(const struct args *args);

#endif
