/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When acknowledgements go out that carry no data. lwIP sends one as soon as a second segment has come, and one more when the program has
 * read: each is a frame. Here what is due waits until the program has had its turn, because its answer or the
 * opened window then goes with it: until nothing can run, or for some 100 us. lwIP's own timer is behind that.
 */
#ifndef LIBOS_NET_TCP_ACK_H
#define LIBOS_NET_TCP_ACK_H

#include <lwip/tcp.h>

#include <stdbool.h>

struct tcp_sock;

/* In place of tcp_output() at the end of lwIP's tcp_input(). */
err_t net_input_output(struct tcp_pcb *pcb);
/* The program has read n bytes: opens the window, and tells the peer at once if it had less than half of it. */
void tcp_ack_read(struct tcp_sock *t, uint32_t n);
/* The socket lets go of its pcb. */
void tcp_ack_forget(struct tcp_sock *t);
/* Sends what is due: all, or (old) what has been for long. */
void tcp_ack_flush(void);
void tcp_ack_flush_old(void);

#endif
