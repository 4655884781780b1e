// SPDX-License-Identifier: Apache-2.0
// What somebody who holds the coordinator's and the operator's keys, but no lab's, can do to a
// bundle.
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auditor/folder.h"
#include "auditor/verify.h"
#include "common/base/file.h"
#include "common/crypto/minisig.h"
#include "common/report/render.h"
#include "common/tlog/checkpoint.h"
#include "common/tlog/tile.h"
#include "tests/unit/auditor/sample/sample.h"

#define FILE_MOST ((size_t)64 << 20)

// ---- files

char *sample_path(const struct sample *sample, const char *path)
{
    size_t size = strlen(sample->bundle) + strlen(path) + 2;
    char *full = malloc(size);
    MUST(full);
    snprintf(full, size, "%s/%s", sample->bundle, path);
    return full;
}

void sample_read(const char *path, struct rt_buf *out)
{
    rt_buf_init(out, FILE_MOST);
    MUST(rt_file_read(path, out, NULL) == RT_OK);
}

// Without the syncs of rt_file_write: a test writes thousands.
void sample_write(const char *path, struct rt_bytes bytes)
{
    char folder[300];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = 0;
    MUST(rt_file_mkdir(folder, 0755, NULL) == RT_OK);
    FILE *file = fopen(path, "wb");
    MUST(file &&
         fwrite(bytes.data ? (const void *)bytes.data : "", 1, bytes.size, file) == bytes.size);
    MUST(fclose(file) == 0);
}

void sample_object(const struct sample *sample, struct rt_bytes bytes, struct rt_digest *ret_digest)
{
    struct rt_digest digest;
    char path[RT_EVIDENCE_PATH_BYTES];
    rt_sha256(bytes, &digest);
    rt_evidence_object_path(&digest, path);
    char *full = sample_path(sample, path);
    sample_write(full, bytes);
    free(full);
    if (ret_digest)
        *ret_digest = digest;
}

// ---- the log

static struct rt_bytes keep(struct rt_bytes bytes)
{
    uint8_t *copy = malloc(bytes.size + 1);
    MUST(copy);
    memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = 0;
    return rt_bytes(copy, bytes.size);
}

static void forget(struct rt_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

void sample_log_read(const struct sample *sample, struct sample_log *ret_log)
{
    struct rt_store_head head;
    rt_store_head(sample->store, &head);
    *ret_log = (struct sample_log){.leaves = calloc(head.size + 16, sizeof *ret_log->leaves)};
    MUST(ret_log->leaves);
    while (ret_log->count < head.size) {
        uint64_t left = head.size - ret_log->count;
        struct rt_tile tile = {.entries = true,
                               .index = ret_log->count / RT_TILE_WIDTH,
                               .width = (uint16_t)(left < RT_TILE_WIDTH ? left : RT_TILE_WIDTH)};
        char path[RT_TILE_PATH_BYTES], full[RT_EVIDENCE_PATH_BYTES];
        struct rt_buf file;
        rt_tile_path(&tile, path);
        snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
        char *name = sample_path(sample, full);
        sample_read(name, &file);
        free(name);
        struct rt_bytes rest = rt_buf_bytes(&file), leaf;
        while (rt_bundle_next(&rest, &leaf) == RT_OK)
            ret_log->leaves[ret_log->count++] = keep(leaf);
        rt_buf_release(&file);
    }
}

void sample_log_free(struct sample_log *log)
{
    for (size_t i = 0; i < log->count; i++)
        forget(log->leaves[i]);
    free(log->leaves);
}

void sample_log_drop(struct sample_log *log, size_t index)
{
    forget(log->leaves[index]);
    memmove(log->leaves + index, log->leaves + index + 1,
            (--log->count - index) * sizeof *log->leaves);
}

void sample_log_swap(struct sample_log *log, size_t a, size_t b)
{
    struct rt_bytes leaf = log->leaves[a];
    log->leaves[a] = log->leaves[b];
    log->leaves[b] = leaf;
}

void sample_log_replace(struct sample_log *log, size_t index, const char *from, const char *to)
{
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    const char *old = (const char *)log->leaves[index].data, *at = strstr(old, from);
    MUST(at);
    rt_buf_add(&text, old, (size_t)(at - old));
    rt_buf_add_str(&text, to);
    rt_buf_add_str(&text, at + strlen(from));
    forget(log->leaves[index]);
    log->leaves[index] = keep(rt_buf_bytes(&text));
    rt_buf_release(&text);
}

void sample_log_insert(struct sample_log *log, size_t index, struct rt_bytes unstamped)
{
    static struct rt_statement statement;
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    MUST(index && rt_statement_parse(log->leaves[index - 1], &statement, NULL) == RT_OK);
    int64_t received_ms = statement.received_ms;
    MUST(rt_statement_parse(unstamped, &statement, NULL) == RT_OK);
    MUST(rt_statement_leaf(&statement, received_ms, &text) == RT_OK);
    memmove(log->leaves + index + 1, log->leaves + index,
            (log->count++ - index) * sizeof *log->leaves);
    log->leaves[index] = keep(rt_buf_bytes(&text));
    rt_buf_release(&text);
}

size_t sample_log_find(const struct sample_log *log, enum rt_statement_kind kind, const char *lab,
                       size_t from)
{
    static struct rt_statement statement;
    for (; from < log->count; from++) {
        MUST(rt_statement_parse(log->leaves[from], &statement, NULL) == RT_OK);
        if (statement.kind == kind && (!lab || rt_bytes_equal_str(statement.lab, lab)))
            break;
    }
    return from;
}

struct rewriting {
    const struct sample *sample;
    const struct sample_log *log;
    struct rt_digest *nodes[RT_TREE_LEVELS];
    struct rt_tree tree;
};

static enum rt_status take_node(void *ctx, uint8_t level, uint64_t index,
                                const struct rt_digest *hash)
{
    struct rewriting *rewriting = ctx;
    rewriting->nodes[level][index] = *hash;
    return RT_OK;
}

static enum rt_status give_node(void *ctx, uint8_t level, uint64_t index,
                                struct rt_digest *ret_hash)
{
    struct rewriting *rewriting = ctx;
    *ret_hash = rewriting->nodes[level][index];
    return RT_OK;
}

static enum rt_status give_leaf(void *ctx, uint64_t index, struct rt_buf *out)
{
    struct rewriting *rewriting = ctx;
    rt_buf_add_bytes(out, rewriting->log->leaves[index]);
    return rt_buf_ok(out);
}

static enum rt_status put_tile(void *ctx, const char *path, struct rt_bytes content)
{
    struct rewriting *rewriting = ctx;
    char full[RT_EVIDENCE_PATH_BYTES];
    snprintf(full, sizeof full, RT_EVIDENCE_LOG "%s", path);
    char *name = sample_path(rewriting->sample, full);
    sample_write(name, content);
    free(name);
    return RT_OK;
}

static void remove_below(const char *folder)
{
    char path[600];
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (unlink(path))
            remove_below(path);
    }
    closedir(dir);
    rmdir(folder);
}

void sample_log_write(const struct sample *sample, const struct sample_log *log)
{
    struct rewriting rewriting = {.sample = sample, .log = log};
    struct rt_checkpoint checkpoint = {.origin = "sample.example/log", .size = log->count};
    struct rt_buf note;
    char *name = sample_path(sample, "log");
    remove_below(name);
    free(name);
    for (size_t level = 0; level < RT_TREE_LEVELS; level++)
        MUST(rewriting.nodes[level] =
                 calloc((log->count >> (level < 40 ? level : 40)) + 1, sizeof(struct rt_digest)));
    rt_tree_init(&rewriting.tree);
    for (size_t i = 0; i < log->count; i++) {
        struct rt_digest hash;
        rt_leaf_hash(log->leaves[i], &hash);
        MUST(rt_tree_append(&rewriting.tree, &hash, take_node, &rewriting) == RT_OK);
    }
    struct rt_tile_source source = {give_node, give_leaf, &rewriting};
    MUST(rt_tiles_write(0, log->count, &source, put_tile, &rewriting) == RT_OK);
    rt_tree_root(&rewriting.tree, &checkpoint.root);
    rt_buf_init(&note, 4096);
    MUST(rt_checkpoint_sign(&checkpoint, sample->log, &note) == RT_OK);
    name = sample_path(sample, RT_EVIDENCE_CHECKPOINT);
    sample_write(name, rt_buf_bytes(&note));
    free(name);
    rt_buf_release(&note);
    for (size_t level = 0; level < RT_TREE_LEVELS; level++)
        free(rewriting.nodes[level]);
}

// ---- mending

static int64_t last_received_ms(const struct sample *sample)
{
    static struct rt_statement statement;
    int64_t last = 0;
    char *entries = sample_path(sample, "log/tile/entries");
    DIR *dir = opendir(entries);
    // The sample's log fits one bundle of entries, full or partial.
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[600];
        struct rt_buf file;
        DIR *inner;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", entries, entry->d_name);
        if ((inner = opendir(path))) {
            for (struct dirent *part; (part = readdir(inner));)
                if (part->d_name[0] != '.')
                    snprintf(path, sizeof path, "%s/%s/%s", entries, entry->d_name, part->d_name);
            closedir(inner);
        }
        sample_read(path, &file);
        struct rt_bytes rest = rt_buf_bytes(&file), leaf;
        while (rt_bundle_next(&rest, &leaf) == RT_OK)
            if (!rt_statement_parse(leaf, &statement, NULL) && statement.received_ms > last)
                last = statement.received_ms;
        rt_buf_release(&file);
    }
    if (dir)
        closedir(dir);
    free(entries);
    return last;
}

void sample_manifest(const struct sample *sample)
{
    struct rt_checks checks;
    struct rt_folder folder;
    struct rt_buf manifest, signature, file;
    char comment[100];
    rt_checks_init(&checks);
    MUST(rt_folder_open(sample->bundle, &checks, &folder, NULL) == RT_OK);
    rt_buf_init(&manifest, FILE_MOST);
    rt_buf_init(&signature, 4096);
    rt_buf_init(&file, FILE_MOST);
    for (size_t i = 0; i < folder.count; i++) {
        struct rt_digest digest;
        if (strncmp(folder.files[i].path, "manifest.", 9) == 0)
            continue;
        rt_buf_clear(&file);
        MUST(rt_folder_read(&folder, folder.files[i].path, &file) == RT_OK);
        rt_sha256(rt_buf_bytes(&file), &digest);
        rt_evidence_manifest_add(folder.files[i].path, &digest, &manifest);
    }
    snprintf(comment, sizeof comment, "timestamp:%" PRId64 "\tfile:" RT_EVIDENCE_MANIFEST,
             last_received_ms(sample) / 1000);
    MUST(rt_minisig_sign(sample->operator_key, rt_buf_bytes(&manifest), comment, &signature) ==
         RT_OK);
    char *name = sample_path(sample, RT_EVIDENCE_MANIFEST);
    sample_write(name, rt_buf_bytes(&manifest));
    free(name);
    name = sample_path(sample, RT_EVIDENCE_SIGNATURE);
    sample_write(name, rt_buf_bytes(&signature));
    free(name);
    rt_buf_release(&manifest);
    rt_buf_release(&signature);
    rt_buf_release(&file);
    rt_folder_close(&folder);
}

static void remove_unnamed(const struct sample *sample, const struct rt_checks *checks)
{
    const struct rt_check_row *row = &checks->rows[RT_CHECK_OBJECTS];
    for (uint64_t i = 0; i < row->failures && i < RT_CHECK_FINDINGS_MOST; i++) {
        char *name = sample_path(sample, row->findings[i].place);
        if (strstr(row->findings[i].text, "names it"))
            unlink(name);
        *strrchr(name, '/') = 0;
        rmdir(name);
        free(name);
    }
}

static void rewrite_report(const struct sample *sample, struct rt_report *report)
{
    struct rt_buf text;
    rt_buf_init(&text, FILE_MOST);
    MUST(rt_report_json(report, &text) == RT_OK);
    char *name = sample_path(sample, RT_EVIDENCE_REPORT);
    sample_write(name, rt_buf_bytes(&text));
    free(name);
    rt_buf_clear(&text);
    MUST(rt_report_html(report, &text) == RT_OK);
    name = sample_path(sample, RT_EVIDENCE_HTML);
    sample_write(name, rt_buf_bytes(&text));
    free(name);
    rt_buf_release(&text);
}

void sample_mend(const struct sample *sample)
{
    const struct rt_audit_settings none = {.policy = NULL};
    for (int round = 0; round < 100; round++) {
        struct rt_audit *audit = NULL;
        MUST(rt_audit_run(sample->bundle, &none, &audit, NULL) == RT_OK);
        uint64_t before = rt_audit_checks(audit)->rows[RT_CHECK_OBJECTS].failures;
        bool unnamed = false;
        for (uint64_t i = 0; i < before && i < RT_CHECK_FINDINGS_MOST; i++)
            unnamed =
                unnamed ||
                strstr(rt_audit_checks(audit)->rows[RT_CHECK_OBJECTS].findings[i].text, "names it");
        remove_unnamed(sample, rt_audit_checks(audit));
        if (rt_audit_recomputed(audit))
            rewrite_report(sample, rt_audit_recomputed(audit));
        rt_audit_free(audit);
        if (!unnamed)
            break;
    }
    sample_manifest(sample);
}
