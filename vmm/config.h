/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM is made of, and the JSON bodies that say so: Firecracker's, one function per resource, and a file with all of
 * them. The parser is strict: unknown fields, wrong types and values out of range are errors with Firecracker's sentences.
 */
#ifndef VMM_CONFIG_H
#define VMM_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct err;

#define CONFIG_ID_MAX      64u
#define CONFIG_MEM_MIB_MIN 4u
#define CONFIG_WINDOW_MIB  64u

#define CONFIG_DRIVES_MAX 8u

/* A drive is opened when it is configured, as Firecracker does: what can not be opened is refused there. */
struct config_drive {
	char id[CONFIG_ID_MAX + 1];
	char *path; /* owned */
	int fd;     /* owned */
	bool root, read_only, flush;
};

#define CONFIG_VOLUMES_MAX 8u
#define CONFIG_TAG_MAX     7u

/* A folder of the host for the guest, opened when it is configured. */
struct config_volume {
	char tag[CONFIG_TAG_MAX + 1];
	char *path; /* owned */
	int fd;     /* owned, O_PATH */
	bool read_only;
};

/* Sockets between guest and host. The socket that host programs connect to is made when it is configured, as Firecracker does. */
struct config_vsock {
	uint32_t cid;             /* of the guest; 0: there is no such device */
	char *path;               /* owned; the socket's */
	char *name;               /* owned; its name in the folder */
	int listen_fd, folder_fd; /* owned; the folder: O_PATH */
};

/* Where a snapshot of this VM may be written to: opened with the start (vmm/config_snapshot.c). */
struct config_snapshot {
	char *state_path, *mem_path; /* owned; NULL: not given */
	int state_fd, mem_fd;        /* owned; -1: none */
	int files_fd; /* owned by the process; socket over which files are passed; -1: none */
};

struct config {
	uint32_t vcpus, mem_mib, window_mib;
	bool huge_pages; /* transparent huge pages for the guest's RAM */
	char *libos;     /* owned path of libOS or kernel; NULL: not set */
	unsigned boot;   /* enum boot_kind; 0: what the kernel's notes say */
	char *image;     /* owned path; NULL: no image */
	char *args;      /* owned; NULL: none */
	char *workset;   /* owned path of the working set (vmm/workset.h); NULL: none */
	char *iface;     /* owned id of the one network interface; NULL: none */
	char *tap;       /* owned name of the tap; NULL: tap_fd */
	int tap_fd;      /* owned until the VM takes it; -1: none */
	bool have_mac;
	uint8_t mac[6];
	uint16_t mtu;
	bool rng; /* a virtio-rng device */
	unsigned ndrives;
	struct config_drive drive[CONFIG_DRIVES_MAX]; /* the root drive first */
	unsigned nvolumes;
	struct config_volume volume[CONFIG_VOLUMES_MAX];
	struct config_vsock vsock;
	struct config_snapshot snapshot;
};

void config_init(struct config *config);
void config_fini(struct config *config);

/* Bodies of PUT (and, with patch, PATCH) /machine-config, PUT /boot-source, PUT /network-interfaces/{id}. The
 * configuration is unchanged on failure (-EINVAL). */
int config_machine(struct config *config, const json_t *body, bool patch, struct err *err);
int config_boot(struct config *config, const json_t *body, struct err *err);
int config_net(struct config *config, const char *id, const json_t *body, struct err *err);

/* Body of PUT /drives/{id} (vmm/config_drive.c; path_id NULL: part of a larger body), and a list of such bodies (NULL: none). A
 * known id is replaced. */
int config_drive(struct config *config, const char *path_id, const json_t *body, struct err *err);
int config_drives(struct config *config, const json_t *list, struct err *err);
void config_drives_fini(struct config *config);
json_t *config_drives_json(const struct config *config);

/* Volumes (vmm/config_volume.c): a list of {tag, path_on_host, is_read_only}, NULL: none. A known tag is replaced. 0 or -errno. */
int config_volumes(struct config *config, const json_t *list, struct err *err);
/* TAG=FOLDER[:ro]. */
int config_volume_option(struct config *config, const char *text, struct err *err);
void config_volumes_fini(struct config *config);
json_t *config_volumes_json(const struct config *config);

/* Body of PUT /vsock (vmm/config_vsock.c): guest_cid, uds_path, vsock_id, which is of no meaning any more. A second one replaces the
 * first. 0 or -errno. */
int config_vsock(struct config *config, const json_t *body, struct err *err);
/* CID:PATH. */
int config_vsock_option(struct config *config, const char *text, struct err *err);
/* unlinks: the socket's name goes too. */
void config_vsock_fini(struct config *config, bool unlinks);
json_t *config_vsock_json(const struct config *config); /* NULL: there is none */

/* Body of PUT /entropy. */
int config_entropy(struct config *config, const json_t *body, struct err *err);

/* Body of PUT /uigniter/start: image_path, boot_args, guest_mac, drives (a list of bodies of /drives/{id}), volumes, vsock
 * (the body of /vsock), snapshot (snapshot_path, mem_file_path: what a later /snapshot/create writes), all optional. */
int config_start(struct config *config, const json_t *body, struct err *err);
/* The same for a VM that a snapshot was loaded into: boot_args and guest_mac only. */
int config_start_loaded(struct config *config, const json_t *body, struct err *err);
/* image_path, boot_args and guest_mac of a larger body. */
int config_identity(struct config *config, const json_t *body, struct err *err);

/* Body of PUT /snapshot/create: both paths, or none: then those of the start, or (anonymous) memory that the caller makes. */
struct snapshot_files {
	int state_fd, mem_fd;
	bool owned, anonymous;
	bool resume; /* the machine goes on while they are written */
};
/* ... or "passed_files": TEXT, of at most SNAPSHOT_TOKEN_BYTES: then the two descriptors that came with this text at files_fd,
 * state first. What came before with another text is closed. 0, -ENOENT none has come, or another -errno, with err. */
#define SNAPSHOT_TOKEN_BYTES 64
int snapshot_files_receive(
	int files_fd, const char *token, struct snapshot_files *files, struct err *err);
int config_snapshot_files(struct config *config, const json_t *body, struct err *err);
int config_snapshot_create(const struct config *config, const json_t *body,
	struct snapshot_files *out, struct err *err);
void snapshot_files_close(struct snapshot_files *files);
void config_snapshot_fini(struct config *config);

/* Body of PUT /snapshot/load; strings are borrowed from it. prepared: there is a shell, its interface can not be changed. */
struct snapshot_load_request {
	const char *state, *memory;
	bool resume, verify;
};
int config_snapshot_load(struct config *config, const json_t *body, bool prepared,
	struct snapshot_load_request *out, struct err *err);

/* A whole configuration, as Firecracker's --config-file has it. */
int config_load(struct config *config, const json_t *root, struct err *err);
int config_load_file(struct config *config, const char *path, struct err *err);

/* GET /machine-config and /vm/config; new references. */
json_t *config_machine_json(const struct config *config);
json_t *config_json(const struct config *config);

/* "aa:bb:cc:dd:ee:ff", not a group address. 0 or -EINVAL. */
int config_parse_mac(const char *text, uint8_t mac[6]);

/* Replaces an owned string by a copy of value (NULL: none). 0 or -ENOMEM. */
int config_set(char **field, const char *value);

#endif
