/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration of lwIP 2.1.3 for the libOS: raw API, single-threaded, no timers of its own (net/tick.c drives
 * them), memory from kmalloc. Windows and buffers are maxima: the sockets set smaller limits per connection.
 */
#ifndef LIBOS_NET_PORT_LWIPOPTS_H
#define LIBOS_NET_PORT_LWIPOPTS_H

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS          0
#define LWIP_SOCKET          0
#define LWIP_NETCONN         0
#define LWIP_RAW             0
#define LWIP_STATS           0

/* Memory: everything from kmalloc, pcbs and segments included. */
#define MEM_LIBC_MALLOC          1
#define MEMP_MEM_MALLOC          1
#define MEM_ALIGNMENT            8
#define LWIP_PBUF_REF_T          u32_t
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define PBUF_LINK_HLEN           14

/* Room for the header of virtio-net: a large segment is sent where it lies. */
#define PBUF_LINK_ENCAPSULATION_HLEN 12

#define LWIP_IPV4                     1
#define IP_REASSEMBLY                 1
#define IP_FRAG                       1
#define IP_REASS_MAX_PBUFS            128
#define MEMP_NUM_REASSDATA            16
#define IP_SOF_BROADCAST              1
#define IP_SOF_BROADCAST_RECV         0
#define LWIP_ICMP                     1
#define LWIP_BROADCAST_PING           0
#define LWIP_MULTICAST_PING           0
#define LWIP_ARP                      1
#define ARP_TABLE_SIZE                32
#define ARP_QUEUEING                  1
#define ARP_QUEUE_LEN                 8
#define ETHARP_SUPPORT_STATIC_ENTRIES 1
#define ETHARP_TRUST_IP_MAC           0
#define LWIP_DHCP                     0
#define LWIP_DNS                      0
#define LWIP_IGMP                     0
#define LWIP_MULTICAST_TX_OPTIONS     1

/* IPv6. Neighbours and routes are net/nd6.c's, groups net/group6.c's; nobody has routers announced, nor addresses made up. There is one
 * link, so that link-local addresses need no zone. */
#define LWIP_IPV6                       1
#define LWIP_IPV6_NUM_ADDRESSES         2 /* link-local, and the one that was given */
#define LWIP_IPV6_SCOPES                0
#define LWIP_IPV6_REASS                 1
#define LWIP_IPV6_FRAG                  1
#define IPV6_FRAG_COPYHEADER            1
#define LWIP_ICMP6                      1
#define LWIP_IPV6_MLD                   0
#define LWIP_IPV6_AUTOCONFIG            0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS   0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT   0
#define LWIP_IPV6_ADDRESS_LIFETIMES     0
#define LWIP_IPV6_DHCP6                 0
#define LWIP_ND6_QUEUEING               0
#define LWIP_ND6_ALLOW_RA_UPDATES       0
#define LWIP_ND6_TCP_REACHABILITY_HINTS 0

/* Interfaces. */
#define LWIP_HAVE_LOOPIF             1
#define LWIP_NETIF_LOOPBACK          1
#define LWIP_LOOPBACK_MAX_PBUFS      0
#define LWIP_NETIF_TX_SINGLE_PBUF    0
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHKSUM                  net_chksum
#define LWIP_CHECKSUM_ON_COPY        0

#define LWIP_UDP             1
#define LWIP_NETBUF_RECVINFO 0
#define LWIP_UDPLITE         0

/* TCP. */
#define LWIP_TCP                 1
#define TCP_MSS                  1460
#define LWIP_WND_SCALE           1
#define TCP_RCV_SCALE            6
#define TCP_WND                  (1024 * 1024)
#define TCP_SND_BUF              (1024 * 1024)
#define TCP_SND_QUEUELEN         65000
#define TCP_SNDLOWAT             (32 * 1024)
#define TCP_SNDQUEUELOWAT        60000
#define TCP_WND_UPDATE_THRESHOLD 0xffffffffu /* net/tcp_ack.c tells of the window */
#define TCP_OVERSIZE             TCP_MSS
#define TCP_QUEUE_OOSEQ          1
#define TCP_OOSEQ_MAX_BYTES      (1024 * 1024)
#define TCP_OOSEQ_MAX_PBUFS      1024
#define LWIP_TCP_SACK_OUT        1
#define LWIP_TCP_MAX_SACK_NUM    4
#define LWIP_TCP_TIMESTAMPS      0
#define LWIP_TCP_KEEPALIVE       1
#define TCP_LISTEN_BACKLOG       0 /* net/tcp_listen.c counts: lwIP's own is 8 bits */
#define SO_REUSE                 1
#define TCP_TMR_INTERVAL         50    /* ms: delayed ACK; twice that is a retransmission tick */
#define TCP_MSL                  1000u /* ms: TIME_WAIT is two of them */
#define TCP_MAXRTX               12
#define TCP_SYNMAXRTX            6
#define LWIP_TCP_RTO_TIME        1000 /* ms, before there is a measurement (RFC 6298) */
#define LWIP_TCP_PCB_NUM_EXT_ARGS                                                                  \
	2 /* demux.c: predecessor in lwIP's list, successor in the hash chain */
#define LWIP_DISABLE_TCP_SANITY_CHECKS  1
#define LWIP_DISABLE_MEMP_SANITY_CHECKS 1

#define LWIP_HOOK_FILENAME "libos/net/port/hooks.h"

#endif
