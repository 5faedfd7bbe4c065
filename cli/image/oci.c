/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image/oci.h"

#include "lib/jsonx.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX    32
#define NAME_MAX_LEN 1024
#define ENTRIES_MAX  256
#define REF_NAME     "org.opencontainers.image.ref.name"

static int load(const char *what, const char *text, size_t len, json_t **root, struct err *err)
{
	if (len > OCI_JSON_MAX_BYTES)
		return err_set(err, EINVAL, "%s is larger than %d MiB", what,
			OCI_JSON_MAX_BYTES / (1024 * 1024));
	return jsonx_parse(text, len, DEPTH_MAX, root, err) ? err_prefix(err, "%s", what) : 0;
}

/* blobs/sha256/HEX of a descriptor, and its digest. */
static int blob(const json_t *descriptor, char path[OCI_PATH_BYTES], char digest[DIGEST_TEXT_BYTES],
	struct err *err)
{
	const char *text;
	int rc = jsonx_str(descriptor, "digest", NAME_MAX_LEN, &text, err);

	if (rc)
		return rc == -ENOENT ? err_set(err, EINVAL, "a descriptor has no digest") : rc;
	if (!digest_is_valid(text))
		return err_set(err, EINVAL, "\"%.80s\" is no SHA-256 digest", text);
	memcpy(digest, text, DIGEST_TEXT_BYTES);
	snprintf(path, OCI_PATH_BYTES, "blobs/sha256/%s", text + strlen(DIGEST_PREFIX));
	return 0;
}

/* A path in an archive: relative, without "..", without anything that is not a plain name. */
static int plain_path(const char *text, char path[OCI_PATH_BYTES], struct err *err)
{
	const char *s = text;

	while (*s) {
		size_t n = strcspn(s, "/");

		if (!n || *s == '.')
			break;
		s += n;
		if (!*s && strlen(text) < OCI_PATH_BYTES) {
			memcpy(path, text, strlen(text) + 1);
			return 0;
		}
		s += *s == '/';
	}
	return err_set(err, EINVAL, "\"%.80s\" is no path in an archive", text);
}

/* --- index ------------------------------------------------------------------------------------------------------ */
static bool member_is(const json_t *object, const char *key, const char *wanted)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && !strcmp(text, wanted);
}

/* One without a platform will do; one for attestations says "unknown". */
static bool is_for_us(const json_t *descriptor)
{
	const json_t *platform = json_object_get(descriptor, "platform");

	return !json_is_object(platform) ||
		(member_is(platform, "os", "linux") &&
			member_is(platform, "architecture", "amd64"));
}

static const char *ref_name(const json_t *descriptor)
{
	return json_string_value(
		json_object_get(json_object_get(descriptor, "annotations"), REF_NAME));
}

/* "name" is "name:latest". */
static bool same_reference(const char *a, const char *b)
{
	static const char latest[] = ":latest";
	size_t n = strlen(a), m = strlen(b);

	if (n > m)
		return same_reference(b, a);
	return !memcmp(a, b, n) && (n == m || !strcmp(b + n, latest));
}

static int pick(const json_t *list, const char *reference, const json_t **found, struct err *err)
{
	const json_t *one = NULL;

	if (!json_is_array(list) || json_array_size(list) > ENTRIES_MAX)
		return err_set(
			err, EINVAL, "the index has no list of at most %d manifests", ENTRIES_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *d = json_array_get(list, i);
		const char *name = ref_name(d);

		if (!is_for_us(d) || (reference && (!name || !same_reference(name, reference))))
			continue;
		if (one)
			return err_set(err, EEXIST,
				"there are several images: choose one by --ref, such as \"%.80s\"",
				name                    ? name
					: ref_name(one) ? ref_name(one)
							: "?");
		one = d;
	}
	if (!one)
		return err_set(err, ENOENT, "there is no image %s%sfor linux/amd64",
			reference ? reference : "", reference ? " " : "");
	*found = one;
	return 0;
}

int oci_index(const char *text, size_t len, const char *reference, struct oci_target *target,
	struct err *err)
{
	json_t *root _cleanup_json_ = NULL;
	struct oci_target t = {0};
	const json_t *found = NULL;
	const char *name;
	int rc = load("index", text, len, &root, err);

	if (!rc)
		rc = pick(json_object_get(root, "manifests"), reference, &found, err);
	if (!rc)
		rc = blob(found, t.path, t.digest, err);
	if (rc)
		return rc;
	name = ref_name(found);
	t.name = name && strlen(name) <= NAME_MAX_LEN ? strdup(name) : NULL;
	*target = t;
	return 0;
}

int oci_is_index(const char *text, size_t len, struct err *err)
{
	json_t *root _cleanup_json_ = NULL;
	int rc = load("manifest", text, len, &root, err);

	if (rc)
		return rc;
	if (json_is_array(json_object_get(root, "manifests")))
		return 1;
	return json_is_array(json_object_get(root, "layers"))
		? 0
		: err_set(err, EINVAL, "neither an index nor a manifest");
}

/* --- manifest --------------------------------------------------------------------------------------------------- */
/* Compression is seen from the bytes; what is encrypted or no archive at all is not taken. */
static int check_media(const json_t *descriptor, struct err *err)
{
	static const char *const known[] = {"application/vnd.oci.image.layer.v1.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.foreign.diff.tar"};
	static const char *const packed[] = {"", "+gzip", "+zstd", ".gzip", ".zstd"};
	const char *type = json_string_value(json_object_get(descriptor, "mediaType"));

	for (size_t i = 0; type && i < ARRAY_SIZE(known); i++) {
		size_t n = strlen(known[i]);

		if (strncmp(type, known[i], n) != 0)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(packed); k++)
			if (!strcmp(type + n, packed[k]))
				return 0;
	}
	return err_set(
		err, EINVAL, "layers of type \"%.80s\" are not taken", type ? type : "(none)");
}

static int count_layers(const json_t *list, struct oci_image *image, struct err *err)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || !n || n > OCI_LAYERS_MAX)
		return err_set(err, EINVAL, "an image has 1 to %d layers", OCI_LAYERS_MAX);
	image->nlayers = (unsigned int)n;
	return 0;
}

int oci_manifest(const char *text, size_t len, struct oci_image *image, struct err *err)
{
	json_t *root _cleanup_json_ = NULL;
	const json_t *layers;
	int rc = load("manifest", text, len, &root, err);

	if (rc)
		return rc;
	layers = json_object_get(root, "layers");
	rc = blob(json_object_get(root, "config"), image->config_path, image->config_digest, err);
	if (!rc)
		rc = count_layers(layers, image, err);
	for (unsigned int i = 0; i < image->nlayers && !rc; i++) {
		struct oci_layer *l = &image->layer[i];

		rc = check_media(json_array_get(layers, i), err);
		if (!rc)
			rc = blob(json_array_get(layers, i), l->path, l->digest, err);
	}
	return rc;
}

/* --- docker save ------------------------------------------------------------------------------------------------ */
static bool has_tag(const json_t *entry, const char *reference)
{
	const json_t *tags = json_object_get(entry, "RepoTags");

	for (size_t i = 0; i < json_array_size(tags); i++) {
		const char *tag = json_string_value(json_array_get(tags, i));

		if (tag && same_reference(tag, reference))
			return true;
	}
	return false;
}

static int pick_entry(
	const json_t *list, const char *reference, const json_t **found, struct err *err)
{
	const json_t *one = NULL;

	if (!json_is_array(list) || json_array_size(list) > ENTRIES_MAX)
		return err_set(
			err, EINVAL, "manifest.json: a list of at most %d is wanted", ENTRIES_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);

		if (reference && !has_tag(e, reference))
			continue;
		if (one)
			return err_set(
				err, EEXIST, "there are several images: choose one by --ref");
		one = e;
	}
	if (!one)
		return err_set(err, ENOENT, "there is no image %s", reference ? reference : "");
	*found = one;
	return 0;
}

int oci_docker_manifest(const char *text, size_t len, const char *reference,
	struct oci_image *image, struct err *err)
{
	json_t *root _cleanup_json_ = NULL;
	const json_t *entry = NULL, *layers;
	const char *path, *name;
	int rc = load("manifest.json", text, len, &root, err);

	if (!rc)
		rc = pick_entry(root, reference, &entry, err);
	if (!rc)
		rc = jsonx_str(entry, "Config", NAME_MAX_LEN, &path, err) ? -EINVAL : 0;
	if (!rc)
		rc = plain_path(path, image->config_path, err);
	if (rc)
		return rc;
	layers = json_object_get(entry, "Layers");
	rc = count_layers(layers, image, err);
	for (unsigned int i = 0; i < image->nlayers && !rc; i++) {
		path = json_string_value(json_array_get(layers, i));
		rc = plain_path(path ? path : "", image->layer[i].path, err);
	}
	name = json_string_value(json_array_get(json_object_get(entry, "RepoTags"), 0));
	if (!rc && (reference || name) && !image->name)
		image->name = strndup(reference ? reference : name, NAME_MAX_LEN);
	return rc;
}

/* --- configuration ---------------------------------------------------------------------------------------------- */
int oci_config(const char *text, size_t len, struct oci_image *image, struct err *err)
{
	json_t *root _cleanup_json_ = NULL;
	json_t *config, *ids;
	int rc = load("configuration", text, len, &root, err);

	if (rc)
		return rc;
	if (!member_is(root, "os", "linux") || !member_is(root, "architecture", "amd64"))
		return err_set(err, ENOEXEC, "the image is not for linux/amd64");
	ids = json_object_get(json_object_get(root, "rootfs"), "diff_ids");
	if (!json_is_array(ids) || json_array_size(ids) != image->nlayers)
		return err_set(
			err, EINVAL, "rootfs.diff_ids does not name the %u layers", image->nlayers);
	for (unsigned int i = 0; i < image->nlayers; i++) {
		const char *id = json_string_value(json_array_get(ids, i));

		if (!id || !digest_is_valid(id))
			return err_set(err, EINVAL, "diff_ids[%u] is no SHA-256 digest", i);
		memcpy(image->layer[i].diff_id, id, DIGEST_TEXT_BYTES);
	}
	config = json_object_get(root, "config");
	if (config && !json_is_object(config) && !json_is_null(config))
		return err_set(err, EINVAL, "config is not an object");
	json_decref(image->config);
	image->config = json_is_object(config) ? json_incref(config) : json_object();
	return image->config ? 0 : err_set(err, ENOMEM, "out of memory");
}

void oci_image_fini(struct oci_image *image)
{
	free(image->name);
	json_decref(image->config);
	*image = (struct oci_image){0};
}
