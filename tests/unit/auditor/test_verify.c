// SPDX-License-Identifier: Apache-2.0
// An honest bundle passes; what a coordinator or an operator could do to one does not, even after
// they have mended everything their own keys can mend.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "auditor/verify.h"
#include "common/crypto/note.h"
#include "common/tlog/proof.h"
#include "proto/evidence.h"
#include "proto/object.h"
#include "tests/unit/auditor/sample/sample.h"

static struct sample sample;
static struct sample_log logged;

static int set_up(void **state)
{
    (void)state;
    sample_make(&sample, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sample_release(&sample);
    return 0;
}

// Every attack starts from the honest bundle and its leaves.
static int fresh(void **state)
{
    (void)state;
    sample_bundle(&sample);
    sample_log_read(&sample, &logged);
    return 0;
}

static int done(void **state)
{
    (void)state;
    sample_log_free(&logged);
    return 0;
}

static enum rt_status verdict_with(const struct rt_audit_settings *settings, enum rt_check check,
                                   const char *words, bool wanted)
{
    struct rt_audit *audit = NULL;
    struct rt_error err = {.text = ""};
    assert_int_equal(rt_audit_run(sample.bundle, settings, &audit, &err), RT_OK);
    enum rt_status verdict = rt_checks_verdict(rt_audit_checks(audit));
    bool holds = rt_checks_hold(rt_audit_checks(audit), check);
    const struct rt_check_row *row = &rt_audit_checks(audit)->rows[check];
    bool said = !words;
    for (uint64_t i = 0; i < row->failures && i < RT_CHECK_FINDINGS_MOST && !said; i++)
        said = strstr(row->findings[i].place, words) || strstr(row->findings[i].text, words);
    if (holds != wanted || !said) {
        struct rt_buf text;
        rt_buf_init(&text, (size_t)1 << 20);
        rt_audit_print(audit, &text);
        fprintf(stderr, "%s\n", rt_buf_str(&text));
        rt_buf_release(&text);
    }
    assert_int_equal(holds, wanted);
    assert_true(said);
    rt_audit_free(audit);
    return verdict;
}

// The log is written anew, everything is mended, and still this clause fails and says so.
static void caught(enum rt_check check, const char *words)
{
    sample_log_write(&sample, &logged);
    sample_mend(&sample);
    struct rt_audit_settings none = {.policy = NULL};
    assert_int_equal(verdict_with(&none, check, words, false), RT_CHECK_FAILED);
}

static size_t first_of(enum rt_statement_kind kind, const char *lab)
{
    size_t index = sample_log_find(&logged, kind, lab, 0);
    assert_true(index < logged.count);
    return index;
}

// ---- honest

static void honest_bundle_passes(void **state)
{
    (void)state;
    struct rt_audit_settings none = {.policy = NULL};
    struct rt_audit *audit = NULL;
    assert_int_equal(rt_audit_run(sample.bundle, &none, &audit, NULL), RT_OK);
    char text[300];
    rt_audit_verdict(audit, text, sizeof text);
    assert_string_equal(text, "authentic and complete");
    json_t *json = rt_audit_json(audit);
    json_t *labs = json_object_get(json_object_get(json, "campaign"), "labs");
    assert_int_equal(json_array_size(labs), SAMPLE_LABS);
    static const struct {
        const char *state;
        int late, duplicate, retried;
    } expected[] = {{"completed", 0, 0, 0},
                    {"completed", 16, 16, 16},
                    {"withdrew", 0, 0, 0},
                    {"completed", 0, 0, 0},
                    {"no response", 0, 0, 0}};
    for (size_t l = 0; l < SAMPLE_LABS; l++) {
        const json_t *lab = json_array_get(labs, l);
        assert_string_equal(json_string_value(json_object_get(lab, "state")), expected[l].state);
        assert_int_equal(json_integer_value(json_object_get(lab, "late")), expected[l].late);
        assert_int_equal(json_integer_value(json_object_get(lab, "duplicate")),
                         expected[l].duplicate);
        assert_int_equal(json_integer_value(json_object_get(lab, "retried")), expected[l].retried);
        int64_t planned = json_integer_value(json_object_get(lab, "planned"));
        int64_t missing = json_integer_value(json_object_get(lab, "missing"));
        assert_int_equal(missing, l == LAB_E ? planned : l == LAB_C ? planned - 16 : 0);
        assert_int_equal(json_array_size(json_object_get(lab, "missing_trials")), missing);
        assert_int_equal(json_is_true(json_object_get(lab, "joined_late")), l == LAB_D);
    }
    json_decref(json);
    rt_audit_free(audit);
}

static void readers_policy_decides(void **state)
{
    (void)state;
    char right[RT_VKEY_TEXT_BYTES], wrong[RT_VKEY_TEXT_BYTES], digest[RT_DIGEST_TEXT_BYTES];
    struct rt_vkey vkey;
    assert_int_equal(rt_vkey_make("sample.example/log", RT_NOTE_ED25519,
                                  rt_secret_key_public(sample.log), &vkey),
                     RT_OK);
    rt_vkey_format(&vkey, right);
    assert_int_equal(rt_vkey_make("sample.example/log", RT_NOTE_ED25519,
                                  rt_secret_key_public(sample.root), &vkey),
                     RT_OK);
    rt_vkey_format(&vkey, wrong);
    struct rt_audit_settings settings = {.log_key = right};
    assert_int_equal(verdict_with(&settings, RT_CHECK_TRUST, NULL, true), RT_OK);
    settings.log_key = wrong;
    assert_int_equal(verdict_with(&settings, RT_CHECK_TRUST, "--log-key", false), RT_POLICY);
    settings = (struct rt_audit_settings){.roster = digest};
    rt_digest_format(&sample.campaign->roster_digest, digest); // version 1, the first
    assert_int_equal(verdict_with(&settings, RT_CHECK_TRUST, NULL, true), RT_OK);
    rt_digest_format(&sample.roster->digest, digest); // version 2
    assert_int_equal(verdict_with(&settings, RT_CHECK_TRUST, "--roster", false), RT_POLICY);
    settings = (struct rt_audit_settings){.campaign = "another"};
    assert_int_equal(verdict_with(&settings, RT_CHECK_DOCUMENTS, "another", false),
                     RT_CHECK_FAILED);
}

static void open_campaign_is_incomplete(void **state)
{
    (void)state;
    struct sample open;
    struct rt_audit_settings none = {.policy = NULL};
    struct rt_audit *audit = NULL;
    sample_make(&open, false);
    assert_int_equal(rt_audit_run(open.bundle, &none, &audit, NULL), RT_OK);
    assert_int_equal(rt_checks_verdict(rt_audit_checks(audit)), RT_INCOMPLETE);
    assert_int_equal(rt_audit_checks(audit)->rows[RT_CHECK_COMPLETE].failures, 4);
    rt_audit_free(audit);
    sample_release(&open);
}

static void nothing_to_check_is_an_error(void **state)
{
    (void)state;
    struct rt_audit_settings none = {.policy = NULL};
    struct rt_audit *audit = NULL;
    struct rt_error err = {.text = ""};
    assert_int_equal(rt_audit_run("/nowhere/at/all", &none, &audit, &err), RT_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
    rt_audit_free(audit);
}

// ---- the log signed again

static void dropped_result_is_seen(void **state)
{
    (void)state;
    sample_log_drop(&logged, first_of(RT_STATEMENT_RESULT, "lab-a"));
    caught(RT_CHECK_CLOSES, "lab lab-a signed that it had");
}

static void dropped_result_of_a_lab_that_left_is_seen(void **state)
{
    (void)state;
    sample_log_drop(&logged, first_of(RT_STATEMENT_RESULT, "lab-c"));
    caught(RT_CHECK_CLOSES, "lab lab-c signed that it had 1");
}

static int64_t received_of(size_t index)
{
    static struct rt_statement statement;
    assert_int_equal(rt_statement_parse(logged.leaves[index], &statement, NULL), RT_OK);
    return statement.received_ms;
}

static void stamp(size_t index, int64_t received_ms)
{
    char from[RT_STAMP_BYTES], to[RT_STAMP_BYTES];
    rt_stamp_format(received_of(index), from);
    rt_stamp_format(received_ms, to);
    sample_log_replace(&logged, index, from, to);
}

// Each in the other's place and with the other's time, so that nothing else is out of order.
static void reordered_results_are_seen(void **state)
{
    (void)state;
    size_t a = first_of(RT_STATEMENT_RESULT, "lab-a");
    size_t b = sample_log_find(&logged, RT_STATEMENT_RESULT, "lab-a", a + 1);
    int64_t early = received_of(a), late = received_of(b);
    sample_log_swap(&logged, a, b);
    stamp(a, early);
    stamp(b, late);
    caught(RT_CHECK_CLOSES, "are not those it signed for");
}

static void result_made_late_is_seen(void **state)
{
    (void)state;
    size_t last = first_of(RT_STATEMENT_RESULT, NULL);
    for (size_t next = last; next < logged.count;
         next = sample_log_find(&logged, RT_STATEMENT_RESULT, NULL, next + 1))
        last = next;
    stamp(last, received_of(last) + 1);
    caught(RT_CHECK_CLOSES, "are not those it signed for");
}

static void labs_swapped_are_seen(void **state)
{
    (void)state;
    sample_log_replace(&logged, first_of(RT_STATEMENT_RESULT, "lab-a"), "lab lab-a", "lab lab-d");
    caught(RT_CHECK_SIGNATURES, "log index");
}

static void replayed_result_is_seen(void **state)
{
    (void)state;
    static struct rt_statement statement;
    size_t index = first_of(RT_STATEMENT_RESULT, "lab-d");
    assert_int_equal(rt_statement_parse(logged.leaves[index], &statement, NULL), RT_OK);
    struct rt_buf copy;
    rt_buf_init(&copy, RT_STATEMENT_MOST);
    rt_buf_add_bytes(&copy, statement.unstamped);
    sample_log_insert(&logged, index + 1, rt_buf_bytes(&copy));
    rt_buf_release(&copy);
    caught(RT_CHECK_LEAVES, "says what log index");
}

static void backdated_campaign_is_seen(void **state)
{
    (void)state;
    size_t index = first_of(RT_STATEMENT_CAMPAIGN, NULL);
    stamp(index, received_of(index) - 1);
    caught(RT_CHECK_ORDER, "its root is not this log's");
}

static void start_before_accepts_is_seen(void **state)
{
    (void)state;
    size_t start = first_of(RT_STATEMENT_STATE, NULL);
    for (; start > first_of(RT_STATEMENT_ACCEPT, NULL); start--)
        sample_log_swap(&logged, start, start - 1);
    caught(RT_CHECK_ORDER, "with no accept before it");
}

// A statement by one of the coordinator's own keys, put in at index.
static void insert(struct rt_statement *statement, const struct rt_secret_key *key, size_t index)
{
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    assert_int_equal(rt_statement_make(statement, key, &text), RT_OK);
    sample_log_insert(&logged, index, rt_buf_bytes(&text));
    rt_buf_release(&text);
}

static struct rt_statement no_response_of(const char *lab)
{
    return (struct rt_statement){.kind = RT_STATEMENT_NO_RESPONSE,
                                 .campaign = sample.campaign->digest,
                                 .lab = rt_bytes_str(lab),
                                 .reason = rt_bytes_str("did not close by the deadline")};
}

static void early_no_response_is_seen(void **state)
{
    (void)state;
    static struct rt_statement statement;
    size_t close = first_of(RT_STATEMENT_CLOSE, "lab-d");
    statement = no_response_of("lab-d");
    sample_log_drop(&logged, close);
    insert(&statement, sample.log, close);
    caught(RT_CHECK_ORDER, "before its deadline");
}

// The strongest a coordinator can do to a lab: nothing of it was ever there. Its accept was in the
// draw, so every other lab's trials come out of order.
static void vanished_lab_is_seen(void **state)
{
    (void)state;
    static struct rt_statement statement;
    for (size_t i = logged.count; i-- > 0;) {
        assert_int_equal(rt_statement_parse(logged.leaves[i], &statement, NULL), RT_OK);
        bool by_lab = statement.kind != RT_STATEMENT_ROSTER &&
                      statement.kind != RT_STATEMENT_CAMPAIGN &&
                      statement.kind != RT_STATEMENT_STATE;
        if (by_lab && rt_bytes_equal_str(statement.lab, "lab-b"))
            sample_log_drop(&logged, i);
    }
    statement = no_response_of("lab-b");
    insert(&statement, sample.log, logged.count);
    caught(RT_CHECK_RESULTS, "where its unit asks for trial");
}

static void roster_by_one_hand_is_seen(void **state)
{
    (void)state;
    static struct rt_statement statement;
    struct rt_buf object;
    rt_buf_init(&object, (size_t)1 << 20);
    struct rt_roster next = *sample.roster;
    next.version++;
    next.previous = sample.roster->digest;
    assert_int_equal(rt_roster_finish(&next, &sample.arena, NULL), RT_OK);
    assert_int_equal(rt_roster_encode(&next, &object), RT_OK);
    sample_object(&sample, rt_buf_bytes(&object), NULL);
    rt_buf_release(&object);
    statement = (struct rt_statement){.kind = RT_STATEMENT_ROSTER,
                                      .roster = next.digest,
                                      .consortium = rt_bytes_str("sample"),
                                      .version = next.version,
                                      .has_previous = true,
                                      .previous = next.previous};
    insert(&statement, sample.operator_key, logged.count);
    caught(RT_CHECK_SIGNATURES, "not this key's to make");
}

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

#define ATTACK(name) cmocka_unit_test_setup_teardown(name, fresh, done)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(honest_bundle_passes),
        ATTACK(readers_policy_decides),
        ATTACK(open_campaign_is_incomplete),
        ATTACK(nothing_to_check_is_an_error),
        ATTACK(dropped_result_is_seen),
        ATTACK(dropped_result_of_a_lab_that_left_is_seen),
        ATTACK(reordered_results_are_seen),
        ATTACK(result_made_late_is_seen),
        ATTACK(labs_swapped_are_seen),
        ATTACK(replayed_result_is_seen),
        ATTACK(backdated_campaign_is_seen),
        ATTACK(start_before_accepts_is_seen),
        ATTACK(early_no_response_is_seen),
        ATTACK(vanished_lab_is_seen),
        ATTACK(roster_by_one_hand_is_seen),
        ATTACK(altered_outcome_is_seen),
        ATTACK(missing_object_is_seen),
        ATTACK(unnamed_object_is_seen),
        ATTACK(unit_of_another_hand_is_seen),
        ATTACK(removed_finding_is_seen),
        ATTACK(manifest_of_another_hand_is_seen),
        ATTACK(added_files_are_seen),
        ATTACK(receipts_prove_an_omission),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
