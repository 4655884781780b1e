// SPDX-License-Identifier: Apache-2.0
// An honest bundle passes; a log that its coordinator wrote and signed anew does not.
#include "tests/unit/auditor/attack.h"

#include "common/crypto/note.h"

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

// A lab's name under words it did not sign: everything else about the leaf is as it was.
static void forged_signature_is_seen(void **state)
{
    (void)state;
    static struct rt_statement statement;
    size_t index = first_of(RT_STATEMENT_RESULT, "lab-a");
    assert_int_equal(rt_statement_parse(logged.leaves[index], &statement, NULL), RT_OK);
    char from[RT_BASE64_SIZE(RT_SIGNATURE_BYTES) + 1], to[sizeof from];
    rt_base64_encode(statement.signatures[0].bytes, RT_SIGNATURE_BYTES, from);
    statement.signatures[0].bytes[7] ^= 1;
    rt_base64_encode(statement.signatures[0].bytes, RT_SIGNATURE_BYTES, to);
    sample_log_replace(&logged, index, from, to);
    caught(RT_CHECK_SIGNATURES, "result statement: ");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(honest_bundle_passes),        ATTACK(readers_policy_decides),
        ATTACK(open_campaign_is_incomplete), ATTACK(nothing_to_check_is_an_error),
        ATTACK(dropped_result_is_seen),      ATTACK(dropped_result_of_a_lab_that_left_is_seen),
        ATTACK(reordered_results_are_seen),  ATTACK(result_made_late_is_seen),
        ATTACK(labs_swapped_are_seen),       ATTACK(replayed_result_is_seen),
        ATTACK(backdated_campaign_is_seen),  ATTACK(start_before_accepts_is_seen),
        ATTACK(early_no_response_is_seen),   ATTACK(vanished_lab_is_seen),
        ATTACK(roster_by_one_hand_is_seen),  ATTACK(forged_signature_is_seen),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
