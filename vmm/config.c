/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/config_impl.h"

#include "lib/err.h"
#include "lib/jsonx.h"
#include "lib/util.h"
#include "vmm/virtio/net.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define CONFIG_FILE_MAX_BYTES (64 * KIB)
#define CONFIG_DEPTH_MAX      8u
#define ARGS_MAX_BYTES        16384u
#define MEM_MIB_MAX           (1024 * 1024)
#define MTU_DEFAULT           1500u

void config_init(struct config *config)
{
	*config = (struct config){
		.vcpus = 1,
		.mem_mib = 128,
		.window_mib = CONFIG_WINDOW_MIB,
		.tap_fd = -1,
		.mtu = MTU_DEFAULT,
		.vsock = {.listen_fd = -1, .folder_fd = -1},
		.snapshot = {.state_fd = -1, .mem_fd = -1, .files_fd = -1},
	};
}

void config_fini(struct config *config)
{
	free(config->libos);
	free(config->image);
	free(config->args);
	free(config->workset);
	free(config->iface);
	free(config->tap);
	config_drives_fini(config);
	config_volumes_fini(config);
	config_vsock_fini(config, false);
	config_snapshot_fini(config);
	if (config->tap_fd >= 0)
		close(config->tap_fd);
	config_init(config);
}

int config_set(char **field, const char *value)
{
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static bool known(const char *const *names, const char *name)
{
	for (; *names; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

/* An object with no other fields than names (ends with NULL). */
int config_check_fields(const json_t *body, const char *const *names, struct err *err)
{
	struct err list = {0};
	const char *key;
	json_t *value;

	if (!json_is_object(body))
		return err_set(err, EINVAL, "invalid type: expected an object");
	/* jansson's iterator takes no const object, and changes nothing */
	json_object_foreach((json_t *)(uintptr_t)body, key, value)
	{
		if (known(names, key))
			continue;
		for (const char *const *n = names; *n; n++) {
			size_t len = strlen(list.msg);

			snprintf(list.msg + len, sizeof(list.msg) - len, "%s`%s`", len ? ", " : "",
				*n);
		}
		return err_set(err, EINVAL, "unknown field `%.64s`, expected one of %.300s", key,
			list.msg);
	}
	return 0;
}

int config_required(const json_t *body, const char *name, struct err *err)
{
	return json_object_get(body, name) ? 0 : err_set(err, EINVAL, "missing field `%s`", name);
}

int config_machine(struct config *config, const json_t *body, bool patch, struct err *err)
{
	static const char *const names[] = {"vcpu_count", "mem_size_mib", "smt",
		"track_dirty_pages", "huge_pages", "cpu_template", NULL};
	int64_t vcpus = config->vcpus, mem = config->mem_mib;
	const char *huge = config->huge_pages ? "Transparent" : "None", *template = "None";
	bool smt = false, track = false;
	int r = config_check_fields(body, names, err);

	if (r == 0 && !patch)
		r = config_required(body, "vcpu_count", err);
	if (r == 0 && !patch)
		r = config_required(body, "mem_size_mib", err);
	if (r < 0 || (r = jsonx_opt_int(body, "vcpu_count", 1, 32, &vcpus, err)) < 0 ||
		(r = jsonx_opt_int(
			 body, "mem_size_mib", CONFIG_MEM_MIB_MIN, MEM_MIB_MAX, &mem, err)) < 0 ||
		(r = jsonx_opt_bool(body, "smt", &smt, err)) < 0 ||
		(r = jsonx_opt_bool(body, "track_dirty_pages", &track, err)) < 0 ||
		(r = jsonx_opt_str(body, "cpu_template", 32, &template, err)) < 0 ||
		(r = jsonx_opt_str(body, "huge_pages", 32, &huge, err)) < 0)
		return r;
	if (vcpus != 1 || smt)
		return err_set(err, EINVAL, "this monitor runs one vCPU: vcpu_count 1, smt false");
	if (track || strcmp(template, "None") != 0)
		return err_set(err, EINVAL, "track_dirty_pages and cpu_template are not supported");
	if (strcmp(huge, "None") != 0 && strcmp(huge, "Transparent") != 0)
		return err_set(err, EINVAL,
			"unknown variant `%.32s`, expected one of `None`, `Transparent`", huge);
	config->vcpus = (uint32_t)vcpus;
	config->mem_mib = (uint32_t)mem;
	config->huge_pages = strcmp(huge, "Transparent") == 0;
	return 0;
}

/* Takes over both strings or neither. */
static int set_two(char **a, const char *va, char **b, const char *vb)
{
	_cleanup_free_ char *first = va ? strdup(va) : NULL;

	if ((va && !first) || config_set(b, vb) < 0)
		return -ENOMEM;
	free(*a);
	*a = steal_ptr(&first);
	return 0;
}

int config_boot(struct config *config, const json_t *body, struct err *err)
{
	static const char *const names[] = {"kernel_image_path", "initrd_path", "boot_args", NULL};
	const char *kernel = NULL, *initrd = NULL, *args = NULL;
	int r = config_check_fields(body, names, err);

	if (r == 0)
		r = config_required(body, "kernel_image_path", err);
	if (r < 0 ||
		(r = jsonx_str(body, "kernel_image_path", CONFIG_PATH_MAX_BYTES, &kernel, err)) <
			0 ||
		(r = jsonx_opt_str(body, "initrd_path", CONFIG_PATH_MAX_BYTES, &initrd, err)) < 0 ||
		(r = jsonx_opt_str(body, "boot_args", ARGS_MAX_BYTES, &args, err)) < 0)
		return r;
	if (config_set(&config->libos, kernel) < 0 ||
		set_two(&config->image, initrd, &config->args, args) < 0)
		return err_set(err, ENOMEM, "out of memory");
	return 0;
}

int config_parse_mac(const char *text, uint8_t mac[6])
{
	uint8_t out[6];

	if (strlen(text) != 17)
		return -EINVAL;
	for (unsigned i = 0; i < 6; i++, text += 3) {
		char digits[3] = {text[0], text[1], '\0'};

		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) ||
			(i < 5 && text[2] != ':'))
			return -EINVAL;
		out[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	if (out[0] & 1)
		return -EINVAL;
	memcpy(mac, out, sizeof(out));
	return 0;
}

static int set_mac(struct config *config, const char *mac, struct err *err)
{
	if (!mac)
		return 0;
	if (config_parse_mac(mac, config->mac) < 0)
		return err_set(err, EINVAL, "invalid MAC address `%.32s`", mac);
	config->have_mac = true;
	return 0;
}

static bool valid_id(const char *id)
{
	size_t n = strlen(id);

	for (; *id; id++) {
		if (!isalnum((unsigned char)*id) && *id != '_')
			return false;
	}
	return n > 0 && n <= CONFIG_ID_MAX;
}

int config_check_id(const char *path_id, const char *id, struct err *err)
{
	if (!valid_id(id))
		return err_set(err, EINVAL,
			"API Resource IDs can only contain alphanumeric characters and "
			"underscores.");
	if (path_id && strcmp(path_id, id) != 0)
		return err_set(err, EINVAL,
			"The id from the path [%.64s] does not match the id from the body [%.64s]!",
			path_id, id);
	return 0;
}

static int check_iface(
	const struct config *config, const char *path_id, const char *id, struct err *err)
{
	int r = config_check_id(path_id, id, err);

	if (r < 0)
		return r;
	if (config->iface && strcmp(config->iface, id) != 0)
		return err_set(
			err, EINVAL, "this monitor has one network interface, %s", config->iface);
	return 0;
}

int config_net(struct config *config, const char *path_id, const json_t *body, struct err *err)
{
	static const char *const names[] = {"iface_id", "host_dev_name", "guest_mac", "mtu", NULL};
	const char *id = NULL, *tap = NULL, *mac = NULL;
	int64_t mtu = MTU_DEFAULT;
	int r = config_check_fields(body, names, err);

	if (r == 0)
		r = config_required(body, "iface_id", err);
	if (r == 0)
		r = config_required(body, "host_dev_name", err);
	if (r < 0 || (r = jsonx_str(body, "iface_id", CONFIG_ID_MAX, &id, err)) < 0 ||
		(r = jsonx_str(body, "host_dev_name", 15, &tap, err)) < 0 ||
		(r = jsonx_opt_str(body, "guest_mac", 32, &mac, err)) < 0 ||
		(r = jsonx_opt_int(body, "mtu", NET_MTU_MIN, NET_MTU_MAX, &mtu, err)) < 0)
		return r;
	r = check_iface(config, path_id, id, err);
	if (r == 0)
		r = set_mac(config, mac, err);
	if (r < 0)
		return r;
	config->mtu = (uint16_t)mtu;
	return set_two(&config->iface, id, &config->tap, tap) < 0
		? err_set(err, ENOMEM, "out of memory")
		: 0;
}

int config_identity(struct config *config, const json_t *body, struct err *err)
{
	const char *image = config->image, *args = config->args, *mac = NULL;
	int r;

	if ((r = jsonx_opt_str(body, "image_path", CONFIG_PATH_MAX_BYTES, &image, err)) < 0 ||
		(r = jsonx_opt_str(body, "boot_args", ARGS_MAX_BYTES, &args, err)) < 0 ||
		(r = jsonx_opt_str(body, "guest_mac", 32, &mac, err)) < 0 ||
		(r = set_mac(config, mac, err)) < 0)
		return r;
	return set_two(&config->image, image, &config->args, args) < 0
		? err_set(err, ENOMEM, "out of memory")
		: 0;
}

int config_start_loaded(struct config *config, const json_t *body, struct err *err)
{
	static const char *const names[] = {"boot_args", "guest_mac", NULL};
	int r = config_check_fields(body, names, err);

	return r < 0 ? r : config_identity(config, body, err);
}

int config_start(struct config *config, const json_t *body, struct err *err)
{
	static const char *const names[] = {"image_path", "boot_args", "guest_mac", "drives",
		"volumes", "vsock", "snapshot", NULL};
	const json_t *vsock = json_object_get(body, "vsock");
	const json_t *snapshot = json_object_get(body, "snapshot");
	int r = config_check_fields(body, names, err);

	if (r < 0 || (r = config_drives(config, json_object_get(body, "drives"), err)) < 0 ||
		(r = config_volumes(config, json_object_get(body, "volumes"), err)) < 0 ||
		(r = vsock ? config_vsock(config, vsock, err) : 0) < 0 ||
		(r = snapshot ? config_snapshot_files(config, snapshot, err) : 0) < 0)
		return r;
	return config_identity(config, body, err);
}

static int load_nets(struct config *config, const json_t *nets, struct err *err)
{
	size_t i;
	json_t *net;

	if (nets && !json_is_array(nets))
		return err_set(err, EINVAL, "network-interfaces: expected an array");
	json_array_foreach(nets, i, net)
	{
		int r = config_net(config, NULL, net, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int config_load(struct config *config, const json_t *root, struct err *err)
{
	static const char *const names[] = {"boot-source", "machine-config", "network-interfaces",
		"drives", "volumes", "entropy", "vsock", NULL};
	const json_t *machine, *boot, *vsock;
	int r = config_check_fields(root, names, err);

	if (r < 0)
		return r;
	machine = json_object_get(root, "machine-config");
	boot = json_object_get(root, "boot-source");
	vsock = json_object_get(root, "vsock");
	if (machine)
		r = config_machine(config, machine, false, err);
	if (r == 0 && boot)
		r = config_boot(config, boot, err);
	if (r == 0)
		r = config_drives(config, json_object_get(root, "drives"), err);
	if (r == 0 && json_object_get(root, "entropy"))
		r = config_entropy(config, json_object_get(root, "entropy"), err);
	if (r == 0)
		r = config_volumes(config, json_object_get(root, "volumes"), err);
	if (r == 0 && vsock)
		r = config_vsock(config, vsock, err);
	return r < 0 ? r : load_nets(config, json_object_get(root, "network-interfaces"), err);
}

static ssize_t read_file(const char *path, char *buf, size_t size, struct err *err)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return err_sys(err, errno, "%s", path);
	n = fread(buf, 1, size, f);
	if (ferror(f))
		return err_set(err, EIO, "%s: can not be read", path);
	return n == size ? err_set(err, EFBIG, "%s: above %zu bytes", path, size - 1) : (ssize_t)n;
}

int config_load_file(struct config *config, const char *path, struct err *err)
{
	_cleanup_free_ char *text = malloc(CONFIG_FILE_MAX_BYTES);
	_cleanup_json_ json_t *root = NULL;
	ssize_t n;
	int r;

	if (!text)
		return err_set(err, ENOMEM, "out of memory");
	n = read_file(path, text, CONFIG_FILE_MAX_BYTES, err);
	if (n < 0)
		return (int)n;
	r = jsonx_parse_object(text, (size_t)n, CONFIG_DEPTH_MAX, &root, err);
	if (r == 0)
		r = config_load(config, root, err);
	return r < 0 ? err_prefix(err, "%s", path) : 0;
}

json_t *config_machine_json(const struct config *c)
{
	return json_pack("{s:i, s:i, s:b, s:b, s:s}", "vcpu_count", (int)c->vcpus, "mem_size_mib",
		(int)c->mem_mib, "smt", 0, "track_dirty_pages", 0, "huge_pages",
		c->huge_pages ? "Transparent" : "None");
}

static json_t *net_json(const struct config *c)
{
	char mac[18] = "";

	if (c->have_mac)
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", c->mac[0], c->mac[1],
			c->mac[2], c->mac[3], c->mac[4], c->mac[5]);
	return json_pack("{s:s, s:s?, s:s?, s:i}", "iface_id", c->iface ? c->iface : "net0",
		"host_dev_name", c->tap, "guest_mac", c->have_mac ? mac : NULL, "mtu", (int)c->mtu);
}

json_t *config_json(const struct config *c)
{
	json_t *nets = json_array();

	if (c->tap || c->tap_fd >= 0)
		json_array_append_new(nets, net_json(c));
	return json_pack("{s:{s:s?, s:s?, s:s?}, s:o, s:o, s:o, s:o, s:o*}", "boot-source",
		"kernel_image_path", c->libos, "initrd_path", c->image, "boot_args", c->args,
		"machine-config", config_machine_json(c), "network-interfaces", nets, "drives",
		config_drives_json(c), "volumes", config_volumes_json(c), "vsock",
		config_vsock_json(c));
}
