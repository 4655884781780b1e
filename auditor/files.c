// SPDX-License-Identifier: Apache-2.0
// The files of a bundle as files: each is of a kind, has its digest, is used; keys and manifest are
// what the rest says they must be.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "auditor/audit.h"
#include "common/crypto/minisig.h"

#define UNIT_HEAD     "ringtrial/v1 unit\n"
#define FILES_AT_ONCE 1024

// ---- kinds

static bool is_one_of(const char *path, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(path, names[i]) == 0)
            return true;
    return false;
}

static bool is_receipt(const char *path)
{
    size_t head = strlen(RT_EVIDENCE_RECEIPTS), tail = strlen(RT_EVIDENCE_RECEIPT),
           size = strlen(path);
    return size > head + tail && strncmp(path, RT_EVIDENCE_RECEIPTS, head) == 0 &&
           !strchr(path + head, '/') && strcmp(path + size - tail, RT_EVIDENCE_RECEIPT) == 0;
}

static bool is_tile(const char *path)
{
    struct rt_tile tile;
    size_t head = strlen(RT_EVIDENCE_LOG);
    return strncmp(path, RT_EVIDENCE_LOG, head) == 0 &&
           rt_tile_parse_path(rt_bytes_str(path + head), &tile) == RT_OK;
}

static bool is_known(const char *path)
{
    static const char *const names[] = {
        RT_EVIDENCE_README,    RT_EVIDENCE_REPORT, RT_EVIDENCE_HTML,   RT_EVIDENCE_MANIFEST,
        RT_EVIDENCE_SIGNATURE, RT_EVIDENCE_VKEY,   RT_EVIDENCE_SIGNER, RT_EVIDENCE_CHECKPOINT,
        RT_EVIDENCE_MIRROR,    RT_EVIDENCE_REDACTED,
    };
    struct rt_digest digest;
    uint64_t version;
    return is_one_of(path, names, sizeof names / sizeof *names) || is_tile(path) ||
           is_receipt(path) || rt_evidence_object_parse(rt_bytes_str(path), &digest) == RT_OK ||
           rt_evidence_roster_parse(rt_bytes_str(path), &version) == RT_OK;
}

// ---- digests

// What a file turned out to be; made by any thread, taken in the order of the files.
struct digested {
    enum rt_status status; // of reading it
    struct rt_digest digest;
    bool known, object, named; // named: an object with the digest of its name
    bool unit;                 // a statement about a unit, or begins like one
    enum rt_status unit_status;
    struct rt_digest unit_digest;
};

struct digesting {
    const struct rt_folder *folder;
    size_t first;
    struct digested files[FILES_AT_ONCE];
};

struct hashing {
    struct rt_sha256_state state;
    struct rt_buf *head;
};

static enum rt_status hash_part(void *ctx, struct rt_bytes part)
{
    struct hashing *hashing = ctx;
    if (!hashing->head->size && part.size >= strlen(UNIT_HEAD))
        rt_buf_add(hashing->head, part.data, strlen(UNIT_HEAD));
    rt_sha256_update(&hashing->state, part.data, part.size);
    return rt_buf_ok(hashing->head);
}

// Of a file that is too large for a statement, ret_content gets the first bytes alone.
static enum rt_status hash_file(const struct rt_folder *folder, const struct rt_folder_file *file,
                                struct rt_buf *ret_content, struct rt_digest *ret_digest)
{
    enum rt_status status;
    if (file->size < RT_FOLDER_PART_BYTES) {
        status = rt_folder_read_file(folder, file, ret_content);
        if (!status)
            rt_sha256(rt_buf_bytes(ret_content), ret_digest);
        return status;
    }
    struct hashing hashing = {.head = ret_content};
    rt_sha256_init(&hashing.state);
    status = rt_folder_read_parts(folder, file, hash_part, &hashing);
    rt_sha256_final(&hashing.state, ret_digest);
    return status;
}

static void digest_file(void *ctx, size_t item)
{
    struct digesting *digesting = ctx;
    const struct rt_folder_file *file = &digesting->folder->files[digesting->first + item];
    struct digested *digested = &digesting->files[item];
    struct rt_digest name;
    struct rt_buf content;
    *digested = (struct digested){
        .known = is_known(file->path),
        .object = rt_evidence_object_parse(rt_bytes_str(file->path), &name) == RT_OK};
    rt_buf_init(&content, RT_FOLDER_PART_BYTES);
    digested->status = hash_file(digesting->folder, file, &content, &digested->digest);
    struct rt_bytes bytes = rt_buf_bytes(&content);
    digested->named = !digested->status && digested->object &&
                      rt_digest_equal(&name, &digested->digest);
    // Statements that deal units are objects too, found by the unit they name.
    digested->unit = digested->named && bytes.size >= strlen(UNIT_HEAD) &&
                     memcmp(bytes.data, UNIT_HEAD, strlen(UNIT_HEAD)) == 0;
    if (digested->unit) {
        struct rt_statement statement;
        digested->unit_status = file->size > bytes.size
                                    ? RT_TOO_LARGE
                                    : rt_statement_parse(bytes, &statement, NULL);
        if (!digested->unit_status)
            digested->unit_digest = statement.unit;
    }
    rt_buf_release(&content);
}

static enum rt_status note_unit(struct rt_audit *audit, size_t place,
                                const struct digested *digested)
{
    const struct rt_folder_file *file = &audit->folder.files[place];
    if (digested->unit_status) {
        rt_checks_fail(&audit->checks, RT_CHECK_UNITS, file->path,
                       "a malformed statement about a unit");
        return RT_OK;
    }
    enum rt_status status = rt_digest_map_put(&audit->units, &digested->unit_digest, place);
    if (status != RT_EXISTS)
        return status;
    rt_checks_fail(&audit->checks, RT_CHECK_UNITS, file->path,
                   "a second statement that deals the same unit");
    return RT_OK;
}

static enum rt_status take_file(struct rt_audit *audit, size_t place,
                                const struct digested *digested)
{
    struct rt_folder_file *file = &audit->folder.files[place];
    rt_checks_look(&audit->checks, RT_CHECK_LAYOUT);
    if (!digested->known) {
        rt_checks_fail(&audit->checks, RT_CHECK_LAYOUT, file->path, "no bundle has such a file");
        file->used = true; // said once
    }
    if (digested->status) {
        rt_checks_fail(&audit->checks, RT_CHECK_LAYOUT, file->path, "cannot be read: %s",
                       rt_status_text(digested->status));
        return digested->status == RT_NO_MEMORY ? digested->status : RT_OK;
    }
    struct rt_digest *copy = NULL;
    file->named = digested->named;
    if (!file->named && !(copy = rt_arena_alloc(&audit->folder.arena, sizeof *copy)))
        return RT_NO_MEMORY;
    if (copy)
        *copy = digested->digest;
    file->digest = copy;
    if (!digested->object)
        return RT_OK;
    rt_checks_look(&audit->checks, RT_CHECK_OBJECTS);
    if (!digested->named) {
        rt_checks_fail(&audit->checks, RT_CHECK_OBJECTS, file->path,
                       "its contents have another digest than its name");
        return RT_OK;
    }
    return digested->unit ? note_unit(audit, place, digested) : RT_OK;
}

enum rt_status audit_files(struct rt_audit *audit)
{
    struct digesting *digesting = malloc(sizeof *digesting);
    enum rt_status status = digesting ? RT_OK : RT_NO_MEMORY;
    for (size_t first = 0; first < audit->folder.count && !status; first += FILES_AT_ONCE) {
        size_t left = audit->folder.count - first;
        size_t count = left < FILES_AT_ONCE ? left : FILES_AT_ONCE;
        digesting->folder = &audit->folder;
        digesting->first = first;
        rt_pool_run(audit->pool, count, digest_file, digesting);
        for (size_t i = 0; i < count && !status; i++)
            status = take_file(audit, first + i, &digesting->files[i]);
    }
    free(digesting);
    return status;
}

void audit_mirror(struct rt_audit *audit)
{
    static const char *const bundles_own[] = {RT_EVIDENCE_REPORT, RT_EVIDENCE_HTML,
                                              RT_EVIDENCE_MANIFEST, RT_EVIDENCE_SIGNATURE};
    struct rt_folder_file *mark = rt_folder_find(&audit->folder, RT_EVIDENCE_MIRROR);
    if (!mark)
        return;
    audit->checks.mirror = mark->used = true;
    for (size_t i = 0; i < sizeof bundles_own / sizeof *bundles_own; i++)
        if (rt_folder_find(&audit->folder, bundles_own[i]))
            rt_checks_fail(&audit->checks, RT_CHECK_LAYOUT, RT_EVIDENCE_MIRROR,
                           "says mirror, and %s is a bundle's", bundles_own[i]);
}

void audit_unused(struct rt_audit *audit)
{
    for (size_t i = 0; i < audit->folder.count; i++) {
        const struct rt_folder_file *file = &audit->folder.files[i];
        struct rt_digest digest;
        if (file->used || (audit->checks.mirror && strncmp(file->path, "objects/", 8) == 0))
            continue; // a mirror has the objects of every campaign
        if (rt_evidence_object_parse(rt_bytes_str(file->path), &digest) == RT_OK)
            rt_checks_fail(&audit->checks, RT_CHECK_OBJECTS, file->path,
                           "nothing in the log, the campaign or a result names it");
        else
            rt_checks_fail(&audit->checks, RT_CHECK_LAYOUT, file->path,
                           "this log and this campaign have no such file");
    }
}

// ---- keys

// The stored file must be exactly audit->text.
static void same_file(struct rt_audit *audit, enum rt_check check, const char *path,
                      const char *what)
{
    rt_checks_look(&audit->checks, check);
    rt_buf_clear(&audit->object);
    enum rt_status status = rt_folder_read(&audit->folder, path, &audit->object);
    struct rt_bytes has = rt_buf_bytes(&audit->object), should = rt_buf_bytes(&audit->text);
    if (status) {
        rt_checks_fail(&audit->checks, check, path, "%s",
                       status == RT_NOT_FOUND ? "is not here" : rt_status_text(status));
        return;
    }
    if (rt_bytes_equal(has, should))
        return;
    size_t at = 0;
    while (at < has.size && at < should.size && has.data[at] == should.data[at])
        at++;
    rt_checks_fail(&audit->checks, check, path, "is not %s: differs from byte %zu on", what, at);
}

enum rt_status audit_keys(struct rt_audit *audit)
{
    char path[RT_EVIDENCE_PATH_BYTES], vkey[RT_VKEY_TEXT_BYTES];
    size_t texts = audit->checks.mirror ? 0 : audit->roster_count; // which people read
    rt_buf_clear(&audit->text);
    rt_buf_add_str(&audit->text, rt_evidence_readme);
    if (!audit->checks.mirror)
        same_file(audit, RT_CHECK_KEYS, RT_EVIDENCE_README, "the text of this format");
    for (size_t i = 0; i < texts; i++) {
        rt_buf_clear(&audit->text);
        enum rt_status status = rt_roster_write(audit->rosters[i], &audit->text);
        if (status)
            return status;
        rt_evidence_roster_path(audit->rosters[i]->version, path);
        same_file(audit, RT_CHECK_KEYS, path, "the roster of the log");
    }
    if (!audit->roster_count)
        return RT_OK;
    rt_vkey_format(&audit->rosters[0]->log, vkey);
    rt_buf_clear(&audit->text);
    rt_buf_printf(&audit->text, "%s\n", vkey);
    same_file(audit, RT_CHECK_KEYS, RT_EVIDENCE_VKEY, "the key of the roster");
    return rt_buf_ok(&audit->text) == RT_NO_MEMORY ? RT_NO_MEMORY : RT_OK;
}

// ---- manifest

static void fail_manifest(struct rt_audit *audit, const char *path, const char *text)
{
    rt_checks_fail(&audit->checks, RT_CHECK_MANIFEST, path, "%s", text);
}

// The key in keys/ must be an operator's in the last roster; its file has one form.
static bool signer_holds(struct rt_audit *audit, struct rt_public_key *ret_key,
                         struct rt_key_number *ret_number)
{
    const struct rt_roster *roster = audit_roster_now(audit);
    rt_buf_clear(&audit->object);
    rt_buf_clear(&audit->text);
    if (rt_folder_read(&audit->folder, RT_EVIDENCE_SIGNER, &audit->object) ||
        rt_public_key_file_parse(rt_buf_bytes(&audit->object), ret_key, ret_number)) {
        fail_manifest(audit, RT_EVIDENCE_SIGNER, "is not here, or not a minisign public key");
        return false;
    }
    rt_public_key_file_format(ret_key, ret_number, &audit->text);
    if (!rt_bytes_equal(rt_buf_bytes(&audit->text), rt_buf_bytes(&audit->object))) {
        fail_manifest(audit, RT_EVIDENCE_SIGNER, "is not written as a bundle's key is");
        return false;
    }
    const struct rt_signer *signer = roster ? rt_roster_signer_of(roster, ret_key) : NULL;
    if (!signer || !(signer->roles & RT_ROLE_OPERATOR) ||
        rt_signer_valid(signer, audit->last_ms, UINT64_MAX)) {
        fail_manifest(audit, RT_EVIDENCE_SIGNER, "is not the key of an operator in force");
        return false;
    }
    return true;
}

static enum rt_status read_manifest(struct rt_audit *audit, rt_folder_part_fn *part, void *ctx)
{
    struct rt_folder_file *file = rt_folder_find(&audit->folder, RT_EVIDENCE_MANIFEST);
    if (!file)
        return RT_NOT_FOUND;
    file->used = true;
    return rt_folder_read_parts(&audit->folder, file, part, ctx);
}

static enum rt_status sign_part(void *ctx, struct rt_bytes part)
{
    rt_minisig_hash_add(ctx, part);
    return RT_OK;
}

static void check_signature(struct rt_audit *audit)
{
    static const char head[] = "untrusted comment: signature from a ringtrial secret key\n";
    struct rt_public_key key;
    struct rt_key_number number;
    struct rt_minisig minisig;
    char comment[100];
    if (!signer_holds(audit, &key, &number))
        return;
    rt_buf_clear(&audit->object);
    uint8_t signed_hash[RT_MINISIG_HASH_BYTES];
    struct rt_minisig_hash state;
    rt_minisig_hash_init(&state);
    if (rt_folder_read(&audit->folder, RT_EVIDENCE_SIGNATURE, &audit->object) ||
        read_manifest(audit, sign_part, &state)) {
        fail_manifest(audit, RT_EVIDENCE_SIGNATURE, "it or its manifest is not here");
        return;
    }
    rt_minisig_hash_final(&state, signed_hash);
    snprintf(comment, sizeof comment, "timestamp:%" PRId64 "\tfile:" RT_EVIDENCE_MANIFEST,
             audit->last_ms / 1000);
    if (audit->object.size < strlen(head) || memcmp(audit->object.data, head, strlen(head)) != 0 ||
        rt_minisig_parse(rt_buf_bytes(&audit->object), &minisig) ||
        !rt_bytes_equal_str(minisig.trusted_comment, comment))
        fail_manifest(audit, RT_EVIDENCE_SIGNATURE, "is not written as a bundle's signature is");
    else if (rt_minisig_verify_hash(&minisig, signed_hash, &key, &number))
        fail_manifest(audit, RT_EVIDENCE_SIGNATURE, "the signature does not verify");
}

// Line by line against the files; the lines come in parts.
struct comparing {
    struct rt_audit *audit;
    struct rt_buf rest; // of a part: what is no whole line yet
    char path[RT_EVIDENCE_PATH_BYTES];
    size_t at;
    bool over; // a finding after which nothing can be said of the lines that follow
};

static bool has_digest(const struct rt_folder_file *file, const struct rt_digest *digest)
{
    struct rt_digest name;
    if (file->named && rt_evidence_object_parse(rt_bytes_str(file->path), &name))
        return false;
    const struct rt_digest *own = file->named ? &name : file->digest;
    return own && rt_digest_equal(own, digest);
}

// The next line, or what reading it said, against the next file: names the one that differs.
static void compare_line(struct comparing *comparing, enum rt_status status,
                         const struct rt_digest *digest)
{
    struct rt_audit *audit = comparing->audit;
    const struct rt_folder *folder = &audit->folder;
    const char *path = comparing->path;
    while (comparing->at < folder->count &&
           (strcmp(folder->files[comparing->at].path, RT_EVIDENCE_MANIFEST) == 0 ||
            strcmp(folder->files[comparing->at].path, RT_EVIDENCE_SIGNATURE) == 0))
        comparing->at++;
    const struct rt_folder_file *file =
        comparing->at < folder->count ? &folder->files[comparing->at] : NULL;
    comparing->over = true;
    if (status == RT_NOT_FOUND && !file)
        return;
    if (status == RT_MALFORMED) {
        fail_manifest(audit, RT_EVIDENCE_MANIFEST, "a line that is none of sha256sum's");
        return;
    }
    int order = status ? 1 : file ? strcmp(path, file->path) : -1;
    if (order) {
        fail_manifest(audit, order < 0 ? path : file->path,
                      order < 0 ? "the manifest has it, the folder has not"
                                : "the folder has it, the manifest has not");
        return;
    }
    if (!has_digest(file, digest))
        fail_manifest(audit, path, "has another digest than the manifest says");
    comparing->at++;
    comparing->over = false;
}

// All whole lines of rest; at the end of the file, what is left is no line.
static void compare_lines(struct comparing *comparing, bool end)
{
    const uint8_t *last = comparing->rest.size
                              ? memrchr(comparing->rest.data, '\n', comparing->rest.size)
                              : NULL;
    size_t whole = last ? (size_t)(last - comparing->rest.data) + 1 : 0;
    bool none = end || (!last && comparing->rest.size > 2 * RT_EVIDENCE_PATH_BYTES);
    struct rt_bytes lines = rt_bytes(comparing->rest.data, none ? comparing->rest.size : whole);
    while (!comparing->over && (lines.size || end)) {
        struct rt_digest digest;
        enum rt_status status =
            rt_evidence_manifest_next(&lines, comparing->path, comparing->path, &digest);
        compare_line(comparing, status, &digest);
    }
    if (whole)
        memmove(comparing->rest.data, last + 1, comparing->rest.size - whole);
    rt_buf_truncate(&comparing->rest, comparing->rest.size - whole);
}

static enum rt_status compare_part(void *ctx, struct rt_bytes part)
{
    struct comparing *comparing = ctx;
    rt_buf_add_bytes(&comparing->rest, part);
    if (!comparing->over && !comparing->rest.failed)
        compare_lines(comparing, false);
    if (comparing->over)
        rt_buf_clear(&comparing->rest);
    return rt_buf_ok(&comparing->rest);
}

enum rt_status audit_manifest(struct rt_audit *audit)
{
    struct comparing comparing = {.audit = audit};
    rt_checks_look(&audit->checks, RT_CHECK_MANIFEST);
    rt_buf_init(&comparing.rest, 2 * RT_FOLDER_PART_BYTES);
    enum rt_status status = read_manifest(audit, compare_part, &comparing);
    if (!status && !comparing.over)
        compare_lines(&comparing, true);
    rt_buf_release(&comparing.rest);
    if (status == RT_NO_MEMORY)
        return status;
    if (status) {
        fail_manifest(audit, RT_EVIDENCE_MANIFEST, "is not here");
        return RT_OK;
    }
    check_signature(audit);
    return RT_OK;
}
