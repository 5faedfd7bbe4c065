/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM writes: a FIFO that the monitor has as stdout and stderr, read by the loop and written to a file of
 * bounded size (console_file.h). Until a file is given the
 * bytes stay in memory, the first CONSOLE_EARLY_BYTES of them.
 *
 * The FIFO has a name, and the monitor holds it for reading too: when the manager is killed, nothing that the monitor
 * writes ends it, and the next manager takes the FIFO up again, with the bytes that are in it (console_adopt()). Lost are
 * those of a monitor that ends while there is no manager: a FIFO that nobody holds is empty.
 */
#ifndef DAEMON_CONSOLE_H
#define DAEMON_CONSOLE_H

#include "daemon/console_file.h"
#include "lib/buf.h"
#include "lib/err.h"

#include <stdbool.h>

#define CONSOLE_FOLDER_MODE                                                                        \
	0711 /* a host program that runs as another user may have its folder in it */
#define CONSOLE_EARLY_BYTES (64 * KIB)
#define CONSOLE_LAST_BYTES  256 /* of the last line are kept in memory */

struct loop;
struct console;
struct console_follower;

/* These bytes are in the file now, if it took them. data NULL: that was all; the follower is gone then. */
typedef void console_fn(void *arg, const char *data, size_t len);

/* Makes the FIFO. *write_fd is for the child; the caller closes it. 0 or -errno. */
int console_new(struct loop *loop, const char *fifo, struct console **console, int *write_fd);
/* Takes up the FIFO and the file of a VM that an earlier manager started. 0 or -errno. */
int console_adopt(struct loop *loop, const char *fifo, const char *file, struct console **console);
/* Ends all followers. NULL is fine. */
void console_free(struct console *console);
/* From now on bytes go to this file (absolute), which is made with the first of them, its folder too. 0 or -ENOMEM. */
int console_set_file(struct console *console, const char *path);
/* What is written from now on may come after the folder has been removed: it is not made again. */
void console_make_no_folder(struct console *console);
/* The writer is gone: takes what is left in the pipe and closes it; followers are told the end. */
void console_finish(struct console *console);
/* The last complete line that is not empty, without its line feed; "" when there is none. Of a long one the last CONSOLE_LAST_BYTES - 1. */
const char *console_last_line(const struct console *console);

/* Hears all bytes from now on. NULL without memory. */
struct console_follower *console_follow(struct console *console, console_fn *fn, void *arg);
void console_unfollow(struct console_follower *follower);

#endif
