// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/proto/documents.h"

#include "proto/invite.h"

static struct rt_arena arena;
static struct rt_secret_key *key, *log_key;
static struct rt_curve_secret *curve;

static int setup(void **state)
{
    (void)state;
    const uint8_t seed[RT_KEY_SEED_BYTES] = {1}, log_seed[RT_KEY_SEED_BYTES] = {2};
    if (rt_crypto_init() || rt_secret_key_from_seed(seed, &key) ||
        rt_secret_key_from_seed(log_seed, &log_key) || rt_curve_from_bytes(seed, &curve))
        return 1;
    rt_arena_init(&arena, ARENA_MOST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_secret_key_free(key);
    rt_secret_key_free(log_key);
    rt_curve_free(curve);
    rt_arena_release(&arena);
    return 0;
}

static void an_invitation_reads_back(void **state)
{
    (void)state;
    char log[RT_VKEY_TEXT_BYTES], words[RT_DIGEST_WORDS_BYTES], again[RT_DIGEST_WORDS_BYTES];
    struct rt_invite invite = {.consortium = "demo",
                               .lab = "uni-a",
                               .address = "tcp://127.0.0.1:4443",
                               .curve = *rt_curve_secret_public(curve),
                               .log = log,
                               .expires_ms = 1795000000123};
    assert_int_equal(rt_vkey_make("ring.example.org/log", RT_NOTE_ED25519,
                                  rt_secret_key_public(log_key), &invite.log_key),
                     RT_OK);
    rt_vkey_format(&invite.log_key, log);
    struct rt_buf text;
    struct rt_error err;
    struct rt_invite *back;
    rt_buf_init(&text, 1 << 16);
    assert_int_equal(rt_invite_write(&invite, &text), RT_OK);
    must_be_ok(rt_invite_read(rt_buf_bytes(&text), "lab.invite", &arena, &back, &err), &err);
    assert_string_equal(back->lab, "uni-a");
    assert_true(rt_curve_public_equal(&back->curve, &invite.curve));
    assert_true(rt_vkey_equal(&back->log_key, &invite.log_key));
    assert_int_equal(back->expires_ms, invite.expires_ms);
    assert_int_equal(rt_invite_words(&invite, words), RT_OK);
    assert_int_equal(rt_invite_words(back, again), RT_OK);
    assert_string_equal(words, again);
    back->roster.bytes[31] ^= 1;
    assert_int_equal(rt_invite_words(back, again), RT_OK);
    assert_string_not_equal(words, again);
    rt_buf_release(&text);
}

static struct rt_enrolment sample(void)
{
    static const char *classes[] = {"public", "synthetic"}, *serves[] = {"synthetic-8b"};
    return (struct rt_enrolment){.consortium = "demo",
                                 .lab = "uni-a",
                                 .sign = *rt_secret_key_public(key),
                                 .curve = *rt_curve_secret_public(curve),
                                 .cosign = "",
                                 .classes = classes,
                                 .class_count = 2,
                                 .serves = serves,
                                 .serve_count = 1,
                                 .contact = "a \"quoted\" person: yes",
                                 .made_ms = 1795000000000};
}

static void an_enrolment_is_signed_by_its_own_key(void **state)
{
    (void)state;
    const struct rt_enrolment enrolment = sample();
    struct rt_buf text;
    struct rt_error err = {0};
    struct rt_enrolment *back;
    rt_buf_init(&text, 1 << 16);
    assert_int_equal(rt_enrolment_write(&enrolment, log_key, &text), RT_CONFLICT);
    assert_int_equal(rt_enrolment_write(&enrolment, key, &text), RT_OK);
    must_be_ok(rt_enrolment_read(rt_buf_bytes(&text), "e.yaml", &arena, &back, &err), &err);
    assert_string_equal(back->serves[0], "synthetic-8b");
    assert_string_equal(back->contact, enrolment.contact);
    assert_true(rt_public_key_equal(&back->sign, &enrolment.sign));
    assert_int_equal(back->made_ms, enrolment.made_ms);
    // Any changed byte is refused.
    for (size_t i = 0; i < text.size; i++) {
        text.data[i] ^= 1;
        assert_int_not_equal(rt_enrolment_read(rt_buf_bytes(&text), "e.yaml", &arena, &back, &err),
                             RT_OK);
        text.data[i] ^= 1;
    }
    for (size_t size = 0; size < text.size; size++)
        assert_int_not_equal(
            rt_enrolment_read(rt_bytes(text.data, size), "e.yaml", &arena, &back, &err), RT_OK);
    const struct change change = {"synthetic-8b", "synthetic-9b", "the signature does not verify"};
    struct rt_buf changed;
    change_text(&text, &change, &changed);
    must_say(&change, rt_enrolment_read(rt_buf_bytes(&changed), "e.yaml", &arena, &back, &err),
             &err);
    rt_buf_release(&changed);
    rt_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invitation_reads_back),
        cmocka_unit_test(an_enrolment_is_signed_by_its_own_key),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
