// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/proto/documents.h"

#include "common/base/time.h"
#include "proto/roster.h"

#define SAMPLE RT_VECTORS "/documents/roster.yaml"

static struct rt_arena arena;
static struct rt_buf sample;
static int64_t during; // a moment at which the sample is valid

static int setup(void **state)
{
    (void)state;
    if (rt_crypto_init() || rt_date_parse("2027-01-01", &during))
        return 1;
    rt_arena_init(&arena, ARENA_MOST);
    read_sample(SAMPLE, &sample);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_arena_release(&arena);
    rt_buf_release(&sample);
    return 0;
}

static struct rt_roster *read_text(const struct rt_buf *text)
{
    struct rt_roster *roster;
    struct rt_error err;
    must_be_ok(rt_roster_read(rt_buf_bytes(text), "r.yaml", &arena, &roster, NULL, &err), &err);
    return roster;
}

// The keys of the sample come from seeds of one repeated byte.
static struct rt_public_key key_of(uint8_t byte)
{
    uint8_t seed[RT_KEY_SEED_BYTES];
    memset(seed, byte, sizeof seed);
    struct rt_secret_key *secret;
    assert_int_equal(rt_secret_key_from_seed(seed, &secret), RT_OK);
    struct rt_public_key key = *rt_secret_key_public(secret);
    rt_secret_key_free(secret);
    return key;
}

static struct rt_curve_public curve_of(uint8_t byte)
{
    uint8_t bytes[32];
    memset(bytes, byte, sizeof bytes);
    struct rt_curve_secret *secret;
    assert_int_equal(rt_curve_from_bytes(bytes, &secret), RT_OK);
    struct rt_curve_public curve = *rt_curve_secret_public(secret);
    rt_curve_free(secret);
    return curve;
}

static void the_sample(void **state)
{
    (void)state;
    const struct rt_roster *roster = read_text(&sample);
    assert_string_equal(roster->id, "tool-agents-consortium");
    assert_int_equal(roster->version, 4);
    assert_true(roster->has_previous);
    assert_int_equal(roster->lab_count, 2);
    assert_string_equal(roster->labs[1]->id, "uni-b");
    assert_string_equal(roster->log.name, "ring.example.org/log");
    assert_string_equal(roster->orgs[2].interests[0].facts[1].value, "0.2");
    assert_int_equal(roster->orgs[2].kind, RT_ORG_COMPANY);
    // coordinator, 2 labs, 6 people, 1 revoked key
    assert_int_equal(roster->signer_count, 10);
    assert_int_equal(roster->peer_count, 3);
    assert_true(rt_roster_lab_serves(roster, 1, "api-model"));
    assert_false(rt_roster_lab_serves(roster, 0, "api-model"));
    assert_true(rt_roster_lab_cleared(roster, 0, "synthetic"));
    assert_false(rt_roster_lab_cleared(roster, 1, "synthetic"));
    assert_int_equal(rt_roster_lab_index(roster, "uni-b"), 1);
    assert_int_equal(rt_roster_lab_index(roster, "uni-c"), RT_NONE);
}

static void yaml_and_object_keep_everything(void **state)
{
    (void)state;
    const struct rt_roster *roster = read_text(&sample);
    struct rt_buf text, object, again;
    rt_buf_init(&text, 1 << 20);
    rt_buf_init(&object, 1 << 20);
    rt_buf_init(&again, 1 << 20);
    assert_int_equal(rt_roster_write(roster, &text), RT_OK);
    const struct rt_roster *second = read_text(&text);
    assert_true(rt_digest_equal(&roster->digest, &second->digest));
    struct rt_roster *back;
    assert_int_equal(rt_roster_encode(roster, &object), RT_OK);
    assert_int_equal(rt_roster_decode(rt_buf_bytes(&object), &arena, &back), RT_OK);
    assert_true(rt_digest_equal(&roster->digest, &back->digest));
    assert_int_equal(back->signer_count, roster->signer_count);
    assert_int_equal(rt_roster_write(back, &again), RT_OK);
    assert_string_equal(rt_buf_str(&text), rt_buf_str(&again));
    for (size_t i = 0; i < object.size; i++) {
        struct rt_roster *other;
        object.data[i] ^= 0x20;
        if (!rt_roster_decode(rt_buf_bytes(&object), &arena, &other))
            assert_false(rt_digest_equal(&other->digest, &roster->digest));
        object.data[i] ^= 0x20;
    }
    rt_buf_release(&text);
    rt_buf_release(&object);
    rt_buf_release(&again);
}

static void keys_answer_for_a_moment(void **state)
{
    (void)state;
    const struct rt_roster *roster = read_text(&sample);
    char id[RT_KEY_ID_BYTES];
    struct rt_public_key lab = key_of(10), old = key_of(60), stranger = key_of(99);
    rt_key_id(&lab, id);
    const struct rt_signer *signer = rt_roster_signer(roster, id);
    assert_non_null(signer);
    assert_string_equal(signer->name, "uni-a");
    assert_int_equal(signer->roles, RT_ROLE_LAB);
    assert_int_equal(rt_signer_valid(signer, during, 5), RT_OK);
    assert_int_equal(rt_signer_valid(signer, roster->until_ms, 5), RT_NOT_PERMITTED);
    assert_int_equal(rt_signer_valid(signer, 0, 5), RT_NOT_PERMITTED);
    rt_key_id(&stranger, id);
    assert_null(rt_roster_signer(roster, id));
    assert_null(rt_roster_signer(roster, "not hex"));
    // Revoked at leaf 48211: what came before still counts, by the log's order where there is one.
    signer = rt_roster_signer_of(roster, &old);
    assert_non_null(signer);
    assert_int_equal(signer->lab, 0);
    assert_int_equal(rt_signer_valid(signer, during, 48210), RT_OK);
    assert_int_equal(rt_signer_valid(signer, during, 48211), RT_REVOKED);
    assert_int_equal(rt_signer_valid(signer, during, UINT64_MAX), RT_REVOKED);
    const struct rt_signer *log = rt_roster_signer_of(roster, &roster->log.key);
    assert_int_equal(log->roles, RT_ROLE_COORDINATOR);
}

static void peers_are_known_by_their_transport_key(void **state)
{
    (void)state;
    const struct rt_roster *roster = read_text(&sample);
    const struct rt_signer *signer;
    struct rt_curve_public lab = curve_of(20), person = curve_of(13), stranger = curve_of(77);
    uint32_t index = 7;
    assert_int_equal(rt_roster_peer(roster, &lab, during, &index, &signer), RT_OK);
    assert_int_equal(index, 1);
    assert_string_equal(signer->name, "uni-b");
    assert_int_equal(rt_roster_peer(roster, &person, during, &index, &signer), RT_OK);
    assert_int_equal(index, RT_NONE);
    assert_int_equal(signer->roles, RT_ROLE_OPERATOR);
    assert_int_equal(rt_roster_peer(roster, &stranger, during, &index, &signer), RT_UNKNOWN_KEY);
    assert_int_equal(rt_roster_peer(roster, &lab, roster->until_ms, &index, &signer),
                     RT_NOT_PERMITTED);
}

static void a_revoked_lab_is_turned_away(void **state)
{
    (void)state;
    struct rt_roster *roster = read_text(&sample);
    struct rt_revocation *rows = rt_arena_array(&arena, 2, sizeof *rows);
    rows[0] = roster->revoked[0];
    rows[1] = (struct rt_revocation){.key = roster->labs[1]->sign,
                                     .lab = "uni-b",
                                     .person = "",
                                     .at_ms = during,
                                     .reason = "test"};
    roster->revoked = rows;
    roster->revoked_count = 2;
    struct rt_error err;
    struct rt_digest before = roster->digest;
    must_be_ok(rt_roster_finish(roster, &arena, &err), &err);
    assert_false(rt_digest_equal(&before, &roster->digest));
    const struct rt_signer *signer;
    struct rt_curve_public lab = curve_of(20);
    uint32_t index;
    assert_int_equal(rt_roster_peer(roster, &lab, during - 1, &index, &signer), RT_OK);
    assert_int_equal(rt_roster_peer(roster, &lab, during, &index, &signer), RT_REVOKED);
}

static void thresholds_count_unique_keys_and_kinds(void **state)
{
    (void)state;
    const struct rt_roster *roster = read_text(&sample);
    const struct rt_public_key chair_a = key_of(12), chair_b = key_of(22), company = key_of(30),
                               lab = key_of(10);
    const struct rt_public_key twice[] = {chair_a, chair_a}, same_kind[] = {chair_a, chair_b},
                               both[] = {chair_a, company}, other_role[] = {chair_a, lab};
    assert_int_equal(rt_roster_threshold(roster, "roster", same_kind, 2, during, 1), RT_OK);
    assert_int_equal(rt_roster_threshold(roster, "roster", twice, 2, during, 1), RT_NOT_PERMITTED);
    assert_int_equal(rt_roster_threshold(roster, "campaign", twice, 2, during, 1),
                     RT_NOT_PERMITTED);
    assert_int_equal(rt_roster_threshold(roster, "campaign", same_kind, 2, during, 1),
                     RT_NOT_PERMITTED); // two universities are one kind
    assert_int_equal(rt_roster_threshold(roster, "campaign", both, 2, during, 1), RT_OK);
    assert_int_equal(rt_roster_threshold(roster, "campaign", both, 2, roster->until_ms, 1),
                     RT_NOT_PERMITTED);
    assert_int_equal(rt_roster_threshold(roster, "campaign", other_role, 2, during, 1),
                     RT_NOT_PERMITTED);
    assert_int_equal(rt_roster_threshold(roster, "nothing", both, 2, during, 1), RT_NOT_FOUND);
}

static void a_roster_follows_by_both_thresholds(void **state)
{
    (void)state;
    struct rt_roster *current = read_text(&sample), *next = read_text(&sample);
    const struct rt_public_key keys[] = {key_of(12), key_of(22)};
    struct rt_error err;
    next->version = 5;
    next->previous = current->digest;
    must_be_ok(rt_roster_finish(next, &arena, &err), &err);
    assert_int_equal(rt_roster_follows(current, next, keys, 2, during, 9), RT_OK);
    assert_int_equal(rt_roster_follows(current, next, keys, 1, during, 9), RT_NOT_PERMITTED);
    next->version = 6;
    assert_int_equal(rt_roster_follows(current, next, keys, 2, during, 9), RT_CONFLICT);
    next->version = 5;
    next->previous.bytes[0] ^= 1;
    assert_int_equal(rt_roster_follows(current, next, keys, 2, during, 9), RT_CONFLICT);
    next->previous = current->digest;
    next->thresholds[0].sign = 3; // the new roster asks for more than signed
    assert_int_equal(rt_roster_follows(current, next, keys, 2, during, 9), RT_NOT_PERMITTED);
    assert_int_equal(rt_roster_follows(NULL, current, keys, 2, during, 9), RT_CONFLICT);
    current->version = 1;
    current->has_previous = false;
    assert_int_equal(rt_roster_follows(NULL, current, keys, 2, during, 9), RT_OK);
}

static void refusals_name_place_and_remedy(void **state)
{
    (void)state;
    static const struct change changes[] = {
        {"kind: company", "kind: firm", "`kind` is `firm`; known: university, company"},
        {"version: 4", "version: 0", "r.yaml:5: `version` is `0`"},
        {"version: 4", "version: 1", "version 1 has no `previous`"},
        {"previous: sha256:91be", "previous: sha256:91BE", "r.yaml:6: `previous` must be sha256:"},
        {"until: 2027-11-20", "until: 2025-11-20", "`until` is not after `from`"},
        {"tcp://ring.example.org:443", "ring.example.org:443", "must be tcp://host:port"},
        {"ring.example.org/log+", "ring.example.com/log+",
         "`coordinator.log` must be a verifier key"},
        {"roles: [root, board]", "roles: [root, bord]",
         "role `bord` does not exist; did you mean `board`?"},
        {"roles: [root, board]", "roles: [root, lab]", "role `lab` is no person's"},
        {"{role: board,", "{role: broad,", "role `broad` does not exist; did you mean `board`?"},
        {"id: uni-b, sign", "id: uni-a, sign", "lab `uni-a` is in the roster twice"},
        {"- id: citizens-forum", "- id: uni-b", "organisation `uni-b` is in the roster twice"},
        {"id: forum-1", "id: x-safety", "person `x-safety` is in the roster twice"},
        {"RWRzAMCuFCnNFSCCi/XFvcrLaEhjM2wgL7VZnaSL5VlmFXQhcHBb7Kn3",
         "RWRQbvGHnXSM4EOnLnFEAXYt9mtowm373yaCquyfJHTspGE+QkoPuv08",
         "the signing key of lab `uni-b` is also `uni-a`'s"},
        {"GKb4waf93yK9QQE4959ymM040dClQtQmbVVr6GCdiGI=",
         "93/0sQeIv9ymLKC7Fg1CfPV2LYXytcrWgH7Jw/673gk=", "the transport key of"},
        {"GKb4waf93yK9QQE4959ymM040dClQtQmbVVr6GCdiGI=",
         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "`curve` must be rt-curve:"},
        {"lab: uni-a, at_index", "lab: uni-z, at_index", "a revoked key needs `lab:` or `person:`"},
        {"from: 2026-09-01}", "from: 2026-09-01, until: 2026-08-01}",
         "`until` is not after `from`"},
        {"serves: [llama-8b],", "servs: [llama-8b],",
         "unknown key `servs` in a lab; did you mean `serves`?"},
        {"cosign: \"uni-a+", "cosign: \"uni-x+", "`cosign` must be a verifier key"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct rt_buf text;
        struct rt_roster *roster;
        struct rt_error err = {0};
        change_text(&sample, &changes[i], &text);
        must_say(&changes[i],
                 rt_roster_read(rt_buf_bytes(&text), "r.yaml", &arena, &roster, NULL, &err), &err);
        rt_buf_release(&text);
    }
}

static void a_threshold_nobody_can_meet_is_noted(void **state)
{
    (void)state;
    const struct change change = {"{role: root, sign: 2}", "{role: root, sign: 3}", ""};
    struct rt_buf text;
    struct rt_roster *roster;
    struct rt_error err;
    struct rt_notes notes;
    rt_notes_init(&notes);
    change_text(&sample, &change, &text);
    must_be_ok(rt_roster_read(rt_buf_bytes(&text), "r.yaml", &arena, &roster, &notes, &err), &err);
    assert_string_equal(rt_buf_str(&notes.text), "r.yaml:11: threshold `roster` asks for 3 keys of "
                                                 "role `root`; the roster has 2\n");
    rt_notes_release(&notes);
    rt_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample),
        cmocka_unit_test(yaml_and_object_keep_everything),
        cmocka_unit_test(keys_answer_for_a_moment),
        cmocka_unit_test(peers_are_known_by_their_transport_key),
        cmocka_unit_test(a_revoked_lab_is_turned_away),
        cmocka_unit_test(thresholds_count_unique_keys_and_kinds),
        cmocka_unit_test(a_roster_follows_by_both_thresholds),
        cmocka_unit_test(refusals_name_place_and_remedy),
        cmocka_unit_test(a_threshold_nobody_can_meet_is_noted),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
