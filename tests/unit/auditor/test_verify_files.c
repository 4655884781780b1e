// SPDX-License-Identifier: Apache-2.0
// Objects, reports, keys and other files of a bundle, tampered with; and a lab's receipts against a
// log that leaves something out.
#include "tests/unit/auditor/attack.h"

#include "common/tlog/proof.h"
#include "proto/evidence.h"
#include "proto/object.h"

// ---- objects

static void named_result(size_t leaf, struct rt_digest *ret_digest)
{
    static struct rt_statement statement;
    assert_int_equal(rt_statement_parse(logged.leaves[leaf], &statement, NULL), RT_OK);
    assert_int_equal(statement.kind, RT_STATEMENT_RESULT);
    *ret_digest = statement.pairs[0].result;
}

// An outcome altered, the object renamed, the leaf naming it: only the lab's signature is left.
static void altered_outcome_is_seen(void **state)
{
    (void)state;
    size_t index = first_of(RT_STATEMENT_RESULT, "lab-a");
    char path[RT_EVIDENCE_PATH_BYTES], from[RT_DIGEST_TEXT_BYTES], to[RT_DIGEST_TEXT_BYTES];
    struct rt_digest digest;
    struct rt_buf file, altered;
    struct rt_arena arena;
    struct rt_object_result result;
    named_result(index, &digest);
    rt_evidence_object_path(&digest, path);
    char *name = sample_path(&sample, path);
    sample_read(name, &file);
    rt_arena_init(&arena, (size_t)1 << 20);
    rt_buf_init(&altered, RT_RESULT_MOST);
    assert_int_equal(rt_object_result_decode(rt_buf_bytes(&file), &arena, &result, NULL), RT_OK);
    struct rt_trial_result *trials = (struct rt_trial_result *)(uintptr_t)result.trials;
    trials[0].outcome = trials[0].outcome ? 0 : 1;
    assert_int_equal(rt_object_result_encode(&result, &altered, NULL), RT_OK);
    unlink(name);
    rt_digest_format(&digest, from);
    sample_object(&sample, rt_buf_bytes(&altered), &digest);
    rt_digest_format(&digest, to);
    sample_log_replace(&logged, index, from, to);
    free(name);
    rt_buf_release(&file);
    rt_buf_release(&altered);
    rt_arena_release(&arena);
    caught(RT_CHECK_SIGNATURES, "signature does not verify");
}

static void missing_object_is_seen(void **state)
{
    (void)state;
    struct rt_digest digest;
    char path[RT_EVIDENCE_PATH_BYTES];
    named_result(first_of(RT_STATEMENT_RESULT, "lab-b"), &digest);
    rt_evidence_object_path(&digest, path);
    char *name = sample_path(&sample, path);
    unlink(name);
    *strrchr(name, '/') = 0;
    rmdir(name);
    free(name);
    caught(RT_CHECK_OBJECTS, path);
}

static void unnamed_object_is_seen(void **state)
{
    (void)state;
    struct rt_digest digest;
    char path[RT_EVIDENCE_PATH_BYTES];
    struct rt_audit_settings none = {.policy = NULL};
    sample_object(&sample, rt_bytes_str("nobody named this"), &digest);
    sample_manifest(&sample);
    rt_evidence_object_path(&digest, path);
    assert_int_equal(verdict_with(&none, RT_CHECK_OBJECTS, path, false), RT_CHECK_FAILED);
}

static void unit_of_another_hand_is_seen(void **state)
{
    (void)state;
    static struct rt_statement result, unit;
    struct rt_buf text;
    assert_int_equal(
        rt_statement_parse(logged.leaves[first_of(RT_STATEMENT_RESULT, "lab-a")], &result, NULL),
        RT_OK);
    // The true statement makes room for one that the operator signed.
    rt_buf_init(&text, RT_STATEMENT_MOST);
    struct rt_audit_settings none = {.policy = NULL};
    unit = (struct rt_statement){.kind = RT_STATEMENT_UNIT,
                                 .campaign = sample.campaign->digest,
                                 .lab = rt_bytes_str("lab-a"),
                                 .unit = result.pairs[0].unit};
    assert_int_equal(rt_statement_make(&unit, sample.log, &text), RT_OK);
    struct rt_digest digest;
    char path[RT_EVIDENCE_PATH_BYTES];
    rt_sha256(rt_buf_bytes(&text), &digest);
    rt_evidence_object_path(&digest, path);
    char *name = sample_path(&sample, path);
    assert_int_equal(unlink(name), 0);
    *strrchr(name, '/') = 0;
    rmdir(name);
    free(name);
    rt_buf_clear(&text);
    assert_int_equal(rt_statement_make(&unit, sample.operator_key, &text), RT_OK);
    sample_object(&sample, rt_buf_bytes(&text), NULL);
    rt_buf_release(&text);
    sample_manifest(&sample);
    assert_int_equal(verdict_with(&none, RT_CHECK_SIGNATURES, "objects/", false), RT_CHECK_FAILED);
}

// ---- the report and the folder

static void removed_finding_is_seen(void **state)
{
    (void)state;
    struct rt_buf file, altered;
    struct rt_audit_settings none = {.policy = NULL};
    char *name = sample_path(&sample, RT_EVIDENCE_REPORT);
    sample_read(name, &file);
    rt_buf_init(&altered, (size_t)16 << 20);
    const char *text = rt_buf_str(&file), *from = strstr(text, "\"sentences\":[{");
    assert_non_null(from);
    from += strlen("\"sentences\":[");
    const char *to = strstr(from, "},");
    assert_non_null(to);
    rt_buf_add(&altered, text, (size_t)(from - text));
    rt_buf_add_str(&altered, to + 2);
    sample_write(name, rt_buf_bytes(&altered));
    free(name);
    rt_buf_release(&file);
    rt_buf_release(&altered);
    sample_manifest(&sample);
    assert_int_equal(verdict_with(&none, RT_CHECK_REPORT, "report.json", false), RT_CHECK_FAILED);
    assert_int_equal(verdict_with(&none, RT_CHECK_MANIFEST, NULL, true), RT_CHECK_FAILED);
}

// What a finding quotes may be any bytes; what is printed is text, and JSON stays JSON.
static void bytes_that_are_no_text_are_told(void **state)
{
    (void)state;
    static const struct rt_audit_settings none = {.policy = NULL};
    struct rt_audit *audit = NULL;
    struct rt_buf file;
    char *name = sample_path(&sample, RT_EVIDENCE_REPORT);
    sample_read(name, &file);
    memcpy(file.data + 40, "\xff\xe2\x80\x1b", 4);
    sample_write(name, rt_buf_bytes(&file));
    free(name);
    rt_buf_release(&file);
    assert_int_equal(rt_audit_run(sample.bundle, &none, &audit, NULL), RT_OK);
    assert_false(rt_checks_hold(rt_audit_checks(audit), RT_CHECK_REPORT));
    json_t *json = rt_audit_json(audit);
    assert_non_null(json);
    json_decref(json);
    rt_audit_free(audit);
}

static void manifest_of_another_hand_is_seen(void **state)
{
    (void)state;
    struct rt_audit_settings none = {.policy = NULL};
    struct rt_secret_key *own = sample.operator_key;
    struct rt_buf file;
    sample.operator_key = sample.board;
    sample_manifest(&sample);
    assert_int_equal(verdict_with(&none, RT_CHECK_MANIFEST, "does not verify", false),
                     RT_CHECK_FAILED);
    rt_buf_init(&file, 4096);
    rt_public_key_file_format(rt_secret_key_public(sample.board),
                              rt_secret_key_number(sample.board), &file);
    char *name = sample_path(&sample, RT_EVIDENCE_SIGNER);
    sample_write(name, rt_buf_bytes(&file));
    free(name);
    rt_buf_release(&file);
    sample_manifest(&sample);
    assert_int_equal(verdict_with(&none, RT_CHECK_MANIFEST, "of an operator in force", false),
                     RT_CHECK_FAILED);
    sample.operator_key = own;
}

static void added_files_are_seen(void **state)
{
    (void)state;
    static const char *const added[] = {"notes.txt",         "log/tile/0/001", "keys/roster-9.yaml",
                                        "keys/other.pub",    "receipts/x",     "objects/aa/bb",
                                        "log/tile/0/000.p/3"};
    struct rt_audit_settings none = {.policy = NULL};
    for (size_t i = 0; i < sizeof added / sizeof *added; i++) {
        sample_bundle(&sample);
        char *name = sample_path(&sample, added[i]);
        sample_write(name, rt_bytes_str("anything"));
        free(name);
        sample_manifest(&sample);
        assert_int_equal(verdict_with(&none, RT_CHECK_LAYOUT, added[i], false), RT_CHECK_FAILED);
    }
    sample_bundle(&sample);
    char *name = sample_path(&sample, "objects/link");
    assert_int_equal(symlink("/etc/hostname", name), 0);
    free(name);
    assert_int_equal(verdict_with(&none, RT_CHECK_LAYOUT, "objects/link", false), RT_CHECK_FAILED);
}

// ---- receipts

static enum rt_status read_hash(void *ctx, uint8_t level, uint64_t index,
                                struct rt_digest *ret_hash)
{
    const struct sample_log *log = ctx;
    struct rt_digest hashes[512];
    size_t count = (size_t)1 << level;
    for (size_t i = 0; i < count; i++)
        rt_leaf_hash(log->leaves[(index << level) + i], &hashes[i]);
    rt_tree_root_of(hashes, count, ret_hash);
    return RT_OK;
}

static void write_receipt(const char *path, const struct sample_log *log, uint64_t index)
{
    struct rt_proof proof;
    struct rt_checkpoint checkpoint = {.origin = "sample.example/log", .size = log->count};
    struct rt_buf note, text;
    struct rt_tree tree;
    rt_buf_init(&note, 4096);
    rt_buf_init(&text, RT_TLOG_PROOF_MOST);
    struct sample_log *mine = (struct sample_log *)(uintptr_t)log;
    assert_int_equal(rt_tree_inclusion(index, log->count, read_hash, mine, &proof), RT_OK);
    assert_int_equal(rt_tree_load(&tree, log->count, read_hash, mine), RT_OK);
    rt_tree_root(&tree, &checkpoint.root);
    assert_int_equal(rt_checkpoint_sign(&checkpoint, sample.log, &note), RT_OK);
    rt_tlog_proof_format(index, &proof, rt_buf_bytes(&note), &text);
    sample_write(path, rt_buf_bytes(&text));
    rt_buf_release(&note);
    rt_buf_release(&text);
}

static void receipts_prove_an_omission(void **state)
{
    (void)state;
    char folder[120], path[200];
    snprintf(folder, sizeof folder, "%s/receipts-of-b", sample.folder);
    snprintf(path, sizeof path, "%s/one.tlog-proof", folder);
    size_t index = first_of(RT_STATEMENT_RESULT, "lab-b");
    write_receipt(path, &logged, index);
    struct rt_audit_settings settings = {.receipts = folder};
    assert_int_equal(verdict_with(&settings, RT_CHECK_RECEIPTS, NULL, true), RT_OK);
    // The coordinator leaves the result out: the receipt leads to another leaf now.
    sample_log_drop(&logged, index);
    sample_log_write(&sample, &logged);
    sample_mend(&sample);
    assert_int_equal(verdict_with(&settings, RT_CHECK_RECEIPTS, "one.tlog-proof", false),
                     RT_CHECK_FAILED);
    snprintf(folder, sizeof folder, "%s/bench", sample.folder);
    assert_int_equal(verdict_with(&settings, RT_CHECK_RECEIPTS, "holds no file", false),
                     RT_CHECK_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(altered_outcome_is_seen), ATTACK(missing_object_is_seen),
        ATTACK(unnamed_object_is_seen),  ATTACK(unit_of_another_hand_is_seen),
        ATTACK(removed_finding_is_seen), ATTACK(manifest_of_another_hand_is_seen),
        ATTACK(added_files_are_seen),    ATTACK(receipts_prove_an_omission),
        ATTACK(bytes_that_are_no_text_are_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
