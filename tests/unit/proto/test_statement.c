// SPDX-License-Identifier: Apache-2.0
#include "proto/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/roster.h"

#define KEYS 33

static struct rt_secret_key *keys[KEYS];
static struct rt_buf out;

static int start_group(void **state)
{
    (void)state;
    if (rt_crypto_init())
        return 1;
    for (uint8_t i = 0; i < KEYS; i++) {
        uint8_t seed[RT_KEY_SEED_BYTES] = {i, 1};
        if (rt_secret_key_from_seed(seed, &keys[i]))
            return 1;
    }
    return 0;
}

static int end_group(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEYS; i++)
        rt_secret_key_free(keys[i]);
    return 0;
}

static int start(void **state)
{
    (void)state;
    rt_buf_init(&out, 1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    rt_buf_release(&out);
    return 0;
}

static struct rt_statement a_state(void)
{
    return (struct rt_statement){.kind = RT_STATEMENT_STATE,
                                 .campaign = {{0xaa}},
                                 .action = RT_STATEMENT_ACTION_PAUSE,
                                 .seq = 3,
                                 .reason = rt_bytes_str("the cooling failed")};
}

#define CAMPAIGN_LINE                                                                              \
    "campaign sha256:aa00000000000000000000000000000000000000000000000000000000000000\n"

// Everything but the signature, whose bytes the golden vectors hold.
static void test_bytes(void **state)
{
    (void)state;
    struct rt_statement statement = a_state();
    assert_int_equal(rt_statement_build(&statement, &out), RT_OK);
    assert_string_equal(rt_buf_str(&out), "ringtrial/v1 state\n" CAMPAIGN_LINE "action pause\n"
                                          "seq 3\nreason the cooling failed\n");
    assert_string_equal(rt_statement_type(RT_STATEMENT_NO_RESPONSE),
                        "application/vnd.ringtrial.no-response.v1");
}

static void expect_build(struct rt_statement statement, enum rt_status expected)
{
    rt_buf_clear(&out);
    assert_int_equal(rt_statement_build(&statement, &out), expected);
    if (expected)
        assert_int_equal(out.size, 0);
}

static void test_build_refuses(void **state)
{
    (void)state;
    struct rt_statement statement = a_state();
    static const char *const bad[] = {
        "",
        " a",
        "a ",
        "a\nb",
        "a\rb",
        "a\tb",
        "a\x7f",
        "\xff",
        "a\xc2\x85",
        "\xe2\x80\xa8x",
        "x\xe2\x80\xaeover",
        "\xe2\x81\xa6",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        statement.reason = rt_bytes_str(bad[i]);
        expect_build(statement, RT_MALFORMED);
    }
    char text[202];
    memset(text, 'x', sizeof text);
    statement.reason = rt_bytes(text, 201);
    expect_build(statement, RT_MALFORMED);
    statement.reason = rt_bytes(text, 200);
    expect_build(statement, RT_OK);
    statement.reason = rt_bytes_str("übel, “schlimm” 語 😀");
    expect_build(statement, RT_OK);
    statement.action = (enum rt_statement_action)5;
    expect_build(statement, RT_OUT_OF_RANGE);
    statement.kind = (enum rt_statement_kind)RT_STATEMENT_KIND_COUNT;
    expect_build(statement, RT_OUT_OF_RANGE);
    struct rt_statement result = {.kind = RT_STATEMENT_RESULT, .lab = rt_bytes_str("uni-a")};
    expect_build(result, RT_OUT_OF_RANGE);
    result.pair_count = 65;
    expect_build(result, RT_OUT_OF_RANGE);
    result.pair_count = 64;
    expect_build(result, RT_OK);
    result.lab = rt_bytes_str("Uni-A");
    expect_build(result, RT_MALFORMED);
    result.lab = rt_bytes(text, 65);
    expect_build(result, RT_MALFORMED);
    struct rt_statement accept = {.kind = RT_STATEMENT_ACCEPT,
                                  .lab = rt_bytes_str("uni-a"),
                                  .seen.origin = rt_bytes_str("two words")};
    expect_build(accept, RT_MALFORMED);
    // A buffer that is too small is left as it was.
    struct rt_buf small;
    rt_buf_init(&small, 40);
    rt_buf_add_str(&small, "mine");
    statement = a_state();
    assert_int_equal(rt_statement_build(&statement, &small), RT_TOO_LARGE);
    assert_string_equal(rt_buf_str(&small), "mine");
    assert_int_equal(rt_statement_make(&statement, keys[0], &small), RT_TOO_LARGE);
    assert_string_equal(rt_buf_str(&small), "mine");
    rt_buf_release(&small);
}

#define HEAD  "ringtrial/v1 state\n" CAMPAIGN_LINE
#define TAIL  "action pause\nseq 3\nreason r\n"
#define ID_A  "0123456789abcdef"
#define ID_B  "1123456789abcdef"
#define A22   "AAAAAAAAAAAAAAAAAAAAAA"
#define B64   A22 A22 A22 "AAAAAAAAAAAAAAAAAAAA"
#define SIG_A "signed " ID_A " " B64 "==\n"
#define SIG_B "signed " ID_B " " B64 "==\n"
#define STAMP "received 2026-11-20T17:35:28.123Z\n"

static void test_parse_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum rt_status status;
        size_t line; // at fault
    } cases[] = {
        {HEAD TAIL, RT_OK, 0},
        {HEAD TAIL SIG_A, RT_OK, 0},
        {HEAD TAIL SIG_A SIG_B STAMP, RT_OK, 0},
        {"", RT_MALFORMED, 1},
        {"\n", RT_MALFORMED, 1},
        {"ringtrial/v1 state", RT_MALFORMED, 1},
        {"ringtrial/v2 state\n", RT_UNSUPPORTED, 1},
        {"ringtrial/v1 rumour\n", RT_UNSUPPORTED, 1},
        {"ringtrial/v1  state\n", RT_UNSUPPORTED, 1},
        {"ringtrial/v1 state \n", RT_UNSUPPORTED, 1},
        {"Ringtrial/v1 state\n", RT_MALFORMED, 1},
        {"ringtrial/v1 state\r\n" CAMPAIGN_LINE TAIL, RT_UNSUPPORTED, 1},
        {"ringtrial/v1 state\n" TAIL, RT_MALFORMED, 2},
        {HEAD "seq 3\naction pause\nreason r\n", RT_MALFORMED, 3},
        {HEAD "action pause\nreason r\n", RT_MALFORMED, 4},
        {HEAD "action pause\nseq 3\nseq 3\nreason r\n", RT_MALFORMED, 5},
        {HEAD "action  pause\nseq 3\nreason r\n", RT_MALFORMED, 3},
        {HEAD "action pausee\nseq 3\nreason r\n", RT_MALFORMED, 3},
        {HEAD "action pause\nseq 03\nreason r\n", RT_MALFORMED, 4},
        {HEAD "action pause\nseq +3\nreason r\n", RT_MALFORMED, 4},
        {HEAD "action pause\nseq \nreason r\n", RT_MALFORMED, 4},
        {HEAD "action pause\nseq 18446744073709551615\nreason r\n", RT_OK, 0},
        {HEAD "action pause\nseq 18446744073709551616\nreason r\n", RT_OUT_OF_RANGE, 4},
        {HEAD "action pause\nseq 3\nreason r \n", RT_MALFORMED, 5},
        {HEAD "action pause\nseq 3\nreason\n", RT_MALFORMED, 5},
        {HEAD "action pause\nseq 3\nreason r", RT_MALFORMED, 5},
        {HEAD TAIL "\n", RT_MALFORMED, 6},
        {HEAD TAIL "note x\n", RT_MALFORMED, 6},
        {HEAD TAIL STAMP, RT_MALFORMED, 6},
        {HEAD TAIL SIG_A "x", RT_MALFORMED, 7},
        {HEAD TAIL SIG_A STAMP STAMP, RT_MALFORMED, 8},
        {HEAD TAIL SIG_A STAMP SIG_B, RT_MALFORMED, 8},
        {HEAD TAIL SIG_A SIG_A, RT_MALFORMED, 7},
        {HEAD TAIL SIG_B SIG_A, RT_MALFORMED, 7},
        {HEAD TAIL "signed 0123456789ABCDEF " B64 "==\n", RT_MALFORMED, 6},
        {HEAD TAIL "signed 0123456789abcde " B64 "==\n", RT_MALFORMED, 6},
        {HEAD TAIL "signed " ID_A " " B64 "\n", RT_MALFORMED, 6},
        {HEAD TAIL "signed " ID_A " " B64 "=\n", RT_MALFORMED, 6},
        {HEAD TAIL "signed " ID_A " " B64 "== \n", RT_MALFORMED, 6},
        {HEAD TAIL "signed " ID_A " B" B64 "==\n", RT_MALFORMED, 6},
        {HEAD TAIL "signed " ID_A " " B64 "B=\n", RT_MALFORMED, 6},
        {HEAD TAIL SIG_A "received 2026-11-20T17:35:28Z\n", RT_MALFORMED, 7},
        {HEAD TAIL SIG_A "received 2026-02-30T17:35:28.123Z\n", RT_MALFORMED, 7},
        {HEAD TAIL SIG_A "received 2026-11-20T17:35:28.123z\n", RT_MALFORMED, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rt_statement statement;
        size_t line = 99;
        // An exact copy, so that a sanitizer sees a read past the end.
        size_t size = strlen(cases[i].text);
        char *copy = malloc(size ? size : 1);
        memcpy(copy, cases[i].text, size);
        enum rt_status status = rt_statement_parse(rt_bytes(copy, size), &statement, &line);
        free(copy);
        if (status != cases[i].status || line != cases[i].line)
            fail_msg("%s at line %zu for\n%s", rt_status_name(status), line, cases[i].text);
    }
    // A NUL is no end of anything.
    struct rt_statement statement;
    assert_int_equal(rt_statement_parse(rt_bytes(HEAD TAIL SIG_A "\0", sizeof(HEAD TAIL SIG_A)),
                                        &statement, NULL),
                     RT_MALFORMED);
}

#define DIGEST "sha256:00000000000000000000000000000000000000000000000000000000000000ab"
#define NONCE  "00000000000000000000000000000000000000000000000000000000000000ab"
#define ROOT64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ACCEPT "ringtrial/v1 accept\n" CAMPAIGN_LINE "lab uni-a\n"
#define RESULT "ringtrial/v1 result\n" CAMPAIGN_LINE "lab uni-a\n"
#define ROSTER "ringtrial/v1 roster\nroster " DIGEST "\nconsortium ring\nversion 1\n"

static void test_values_are_strict(void **state)
{
    (void)state;
    static const char *const good[] = {
        ACCEPT "seen o/log 0 " ROOT64 "\nnonce " NONCE "\n",
        RESULT "pair " DIGEST " " DIGEST "\n",
        ROSTER "previous none\n",
        ROSTER "previous " DIGEST "\n",
    };
    static const char *const bad[] = {
        ACCEPT "seen o+log 0 " ROOT64 "\nnonce " NONCE "\n",
        ACCEPT "seen o\x7flog 0 " ROOT64 "\nnonce " NONCE "\n",
        ACCEPT "seen  0 " ROOT64 "\nnonce " NONCE "\n",
        ACCEPT "seen o/log 00 " ROOT64 "\nnonce " NONCE "\n",
        ACCEPT "seen o/log 0  " ROOT64 "\nnonce " NONCE "\n",
        ACCEPT "seen o/log 0 " ROOT64 " \nnonce " NONCE "\n",
        ACCEPT "seen o/log 0 AAAA\nnonce " NONCE "\n",
        ACCEPT "seen o/log 0\nnonce " NONCE "\n",
        ACCEPT "seen o/log 0 " ROOT64 "\nnonce " NONCE "0\n",
        ACCEPT "seen o/log 0 " ROOT64 "\nnonce AB" NONCE "\n",
        ACCEPT "seen o/log 0 " ROOT64 "\nnonce \n",
        RESULT,
        RESULT "pair " DIGEST "\n",
        RESULT "pair " DIGEST " " DIGEST " " DIGEST "\n",
        RESULT "pair " DIGEST "  " DIGEST "\n",
        RESULT "pair " NONCE " " DIGEST "\n",
        RESULT "pairs " DIGEST " " DIGEST "\n",
        "ringtrial/v1 result\n" CAMPAIGN_LINE "lab Uni\npair " DIGEST " " DIGEST "\n",
        "ringtrial/v1 result\n" CAMPAIGN_LINE "lab \npair " DIGEST " " DIGEST "\n",
        ROSTER "previous None\n",
        ROSTER "previous \n",
        ROSTER "previous " DIGEST "0\n",
    };
    struct rt_statement statement;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(rt_statement_parse(rt_bytes_str(good[i]), &statement, NULL), RT_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (rt_statement_parse(rt_bytes_str(bad[i]), &statement, NULL) != RT_MALFORMED)
            fail_msg("not refused:\n%s", bad[i]);
}

static void test_sizes(void **state)
{
    (void)state;
    struct rt_statement statement;
    rt_buf_add_str(&out, "ringtrial/v1 result\n" CAMPAIGN_LINE "lab uni-a\n");
    char pair[2 * RT_DIGEST_TEXT_BYTES + 8];
    char digest[RT_DIGEST_TEXT_BYTES];
    struct rt_digest zero = {{0}};
    rt_digest_format(&zero, digest);
    snprintf(pair, sizeof pair, "pair %s %s\n", digest, digest);
    for (int i = 0; i < 64; i++)
        rt_buf_add_str(&out, pair);
    assert_int_equal(rt_statement_parse(rt_buf_bytes(&out), &statement, NULL), RT_OK);
    assert_int_equal(statement.pair_count, 64);
    rt_buf_add_str(&out, pair);
    assert_int_equal(rt_statement_parse(rt_buf_bytes(&out), &statement, NULL), RT_OUT_OF_RANGE);
    rt_buf_extend(&out, RT_STATEMENT_MOST);
    assert_int_equal(rt_statement_parse(rt_buf_bytes(&out), &statement, NULL), RT_TOO_LARGE);
}

static void test_many_sign(void **state)
{
    (void)state;
    struct rt_statement statement = a_state(), parsed;
    struct rt_buf other;
    rt_buf_init(&other, RT_STATEMENT_MOST);
    assert_int_equal(rt_statement_build(&statement, &out), RT_OK);
    for (size_t i = 0; i < KEYS; i++) {
        rt_buf_clear(&other);
        enum rt_status status = rt_statement_sign(rt_buf_bytes(&out), keys[i], &other);
        assert_int_equal(status, i < 32 ? RT_OK : RT_TOO_LARGE);
        if (status)
            break;
        rt_buf_clear(&out);
        rt_buf_add_bytes(&out, rt_buf_bytes(&other));
        assert_int_equal(rt_statement_parse(rt_buf_bytes(&out), &parsed, NULL), RT_OK);
        assert_int_equal(parsed.signature_count, i + 1);
        rt_buf_clear(&other);
        if (i < 31)
            assert_int_equal(rt_statement_sign(rt_buf_bytes(&out), keys[i], &other), RT_DUPLICATE);
    }
    // A stamped statement takes no more signatures, and an unsigned one no stamp.
    rt_buf_clear(&other);
    assert_int_equal(rt_statement_leaf(&parsed, 5, &other), RT_OK);
    struct rt_statement leaf;
    assert_int_equal(rt_statement_parse(rt_buf_bytes(&other), &leaf, NULL), RT_OK);
    assert_true(leaf.has_received && leaf.received_ms == 5);
    assert_true(rt_bytes_equal(leaf.unstamped, parsed.bytes));
    rt_buf_clear(&out);
    assert_int_equal(rt_statement_sign(rt_buf_bytes(&other), keys[32], &out), RT_CONFLICT);
    assert_int_equal(rt_statement_leaf(&leaf, 6, &out), RT_CONFLICT);
    assert_int_equal(rt_statement_build(&statement, &out), RT_OK);
    assert_int_equal(rt_statement_parse(rt_buf_bytes(&out), &parsed, NULL), RT_OK);
    rt_buf_clear(&other);
    assert_int_equal(rt_statement_leaf(&parsed, 5, &other), RT_CONFLICT);
    rt_buf_release(&other);
}

static void test_leaves_in_time(void **state)
{
    (void)state;
    struct rt_statement statement = a_state(), parsed, leaf;
    struct rt_buf stamped;
    rt_buf_init(&stamped, RT_STATEMENT_MOST);
    assert_int_equal(rt_statement_make(&statement, keys[0], &out), RT_OK);
    assert_int_equal(rt_statement_parse(rt_buf_bytes(&out), &parsed, NULL), RT_OK);
    assert_int_equal(rt_statement_parse_leaf(rt_buf_bytes(&out), 0, &leaf, NULL), RT_MALFORMED);
    assert_int_equal(rt_statement_leaf(&parsed, -1, &stamped), RT_OUT_OF_RANGE);
    assert_int_equal(rt_statement_leaf(&parsed, INT64_C(253402300800000), &stamped),
                     RT_OUT_OF_RANGE);
    assert_int_equal(rt_statement_leaf(&parsed, 1000, &stamped), RT_OK);
    assert_int_equal(rt_statement_parse_leaf(rt_buf_bytes(&stamped), 1000, &leaf, NULL), RT_OK);
    assert_int_equal(rt_statement_parse_leaf(rt_buf_bytes(&stamped), 1001, &leaf, NULL),
                     RT_CONFLICT);
    assert_true(rt_statement_received(10, 5) == 10 && rt_statement_received(5, 10) == 10);
    // A unit is never a leaf.
    struct rt_statement unit = {.kind = RT_STATEMENT_UNIT, .lab = rt_bytes_str("uni-a")};
    rt_buf_clear(&out);
    assert_int_equal(rt_statement_make(&unit, keys[0], &out), RT_OK);
    assert_int_equal(rt_statement_parse(rt_buf_bytes(&out), &parsed, NULL), RT_OK);
    rt_buf_clear(&stamped);
    assert_int_equal(rt_statement_leaf(&parsed, 1000, &stamped), RT_OK);
    assert_int_equal(rt_statement_parse_leaf(rt_buf_bytes(&stamped), 0, &leaf, NULL), RT_MALFORMED);
    rt_buf_release(&stamped);
}

// A lookup over the first `known` keys; key 1 is revoked where asked; key 2's answer is key 3.
struct book {
    size_t known;
    bool revoked;
    bool confused;
};

static enum rt_status lookup(void *ctx, const char *key_id, struct rt_statement_signer *ret_signer)
{
    const struct book *book = ctx;
    for (size_t i = 0; i < book->known; i++) {
        char id[RT_KEY_ID_BYTES];
        rt_key_id(rt_secret_key_public(keys[i]), id);
        if (strcmp(id, key_id) != 0)
            continue;
        if (book->revoked && i == 1)
            return RT_REVOKED;
        size_t answer = book->confused && i == 2 ? 3 : i;
        ret_signer->key = *rt_secret_key_public(keys[answer]);
        ret_signer->roles = RT_ROLE_OPERATOR;
        return RT_OK;
    }
    return RT_UNKNOWN_KEY;
}

static void test_verify(void **state)
{
    (void)state;
    struct rt_statement statement = a_state(), parsed;
    struct rt_statement_signer signers[RT_STATEMENT_SIGNATURES_MOST];
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    struct book book = {.known = KEYS};
    assert_int_equal(rt_statement_build(&statement, &text), RT_OK);
    assert_int_equal(rt_statement_parse(rt_buf_bytes(&text), &parsed, NULL), RT_OK);
    assert_int_equal(rt_statement_verify(&parsed, lookup, &book, signers), RT_BAD_SIGNATURE);
    for (size_t i = 1; i <= 2; i++) {
        rt_buf_clear(&out);
        assert_int_equal(rt_statement_sign(rt_buf_bytes(&text), keys[i], &out), RT_OK);
        rt_buf_clear(&text);
        rt_buf_add_bytes(&text, rt_buf_bytes(&out));
    }
    assert_int_equal(rt_statement_parse(rt_buf_bytes(&text), &parsed, NULL), RT_OK);
    assert_int_equal(rt_statement_verify(&parsed, lookup, &book, signers), RT_OK);
    char id[RT_KEY_ID_BYTES];
    for (size_t i = 0; i < 2; i++) {
        rt_key_id(&signers[i].key, id);
        assert_string_equal(id, parsed.signatures[i].key_id);
    }
    assert_int_equal(rt_statement_permitted(&parsed, signers, 2, 0), RT_OK);
    book.known = 2;
    assert_int_equal(rt_statement_verify(&parsed, lookup, &book, signers), RT_UNKNOWN_KEY);
    book = (struct book){.known = KEYS, .revoked = true};
    assert_int_equal(rt_statement_verify(&parsed, lookup, &book, signers), RT_REVOKED);
    book = (struct book){.known = KEYS, .confused = true};
    assert_int_equal(rt_statement_verify(&parsed, lookup, &book, signers), RT_UNKNOWN_KEY);
    // One bad signature among good ones fails the whole.
    book = (struct book){.known = KEYS};
    parsed.signatures[1].bytes[0] ^= 1;
    assert_int_equal(rt_statement_verify(&parsed, lookup, &book, signers), RT_BAD_SIGNATURE);
    // The same bytes under another kind's type are another message.
    parsed.signatures[1].bytes[0] ^= 1;
    parsed.kind = RT_STATEMENT_REPORT;
    assert_int_equal(rt_statement_verify(&parsed, lookup, &book, signers), RT_BAD_SIGNATURE);
    rt_buf_release(&text);
}

static struct rt_statement_signer signer(size_t key, uint32_t roles, const char *lab)
{
    return (struct rt_statement_signer){*rt_secret_key_public(keys[key]), roles, rt_bytes_str(lab)};
}

static void test_who_may_sign(void **state)
{
    (void)state;
    static const struct {
        enum rt_statement_kind kind;
        uint32_t role;
    } rules[RT_STATEMENT_KIND_COUNT] = {
        {RT_STATEMENT_ROSTER, RT_ROLE_ROOT},
        {RT_STATEMENT_CAMPAIGN, RT_ROLE_BOARD},
        {RT_STATEMENT_ACCEPT, RT_ROLE_LAB},
        {RT_STATEMENT_UNIT, RT_ROLE_COORDINATOR},
        {RT_STATEMENT_STATE, RT_ROLE_OPERATOR},
        {RT_STATEMENT_RESULT, RT_ROLE_LAB},
        {RT_STATEMENT_RATING, RT_ROLE_LAB | RT_ROLE_RATER},
        {RT_STATEMENT_CLOSE, RT_ROLE_LAB},
        {RT_STATEMENT_WITHDRAW, RT_ROLE_LAB},
        {RT_STATEMENT_HOLD, RT_ROLE_COORDINATOR},
        {RT_STATEMENT_LIFT, RT_ROLE_OPERATOR},
        {RT_STATEMENT_NO_RESPONSE, RT_ROLE_COORDINATOR},
        {RT_STATEMENT_REPORT, RT_ROLE_OPERATOR},
        {RT_STATEMENT_INCIDENT, RT_ROLE_OPERATOR},
        {RT_STATEMENT_RELEASE, RT_ROLE_DATA_COMMITTEE},
        {RT_STATEMENT_REVOKE, RT_ROLE_DATA_COMMITTEE},
    };
    for (size_t i = 0; i < RT_STATEMENT_KIND_COUNT; i++) {
        struct rt_statement statement = {.kind = rules[i].kind, .lab = rt_bytes_str("uni-a")};
        for (unsigned bit = 0; bit < 10; bit++) {
            struct rt_statement_signer one = signer(0, 1u << bit, "uni-a");
            assert_int_equal(rt_statement_permitted(&statement, &one, 1, 1),
                             1u << bit & rules[i].role ? RT_OK : RT_NOT_PERMITTED);
        }
        assert_int_equal(rt_statement_permitted(&statement, NULL, 0, 1), RT_NOT_PERMITTED);
    }
    struct rt_statement result = {.kind = RT_STATEMENT_RESULT, .lab = rt_bytes_str("uni-a")};
    struct rt_statement_signer other_lab = signer(0, RT_ROLE_LAB, "uni-b");
    assert_int_equal(rt_statement_permitted(&result, &other_lab, 1, 1), RT_NOT_PERMITTED);
    // A lab rates its own trials, a rater anybody's.
    struct rt_statement rating = {.kind = RT_STATEMENT_RATING, .lab = rt_bytes_str("uni-a")};
    struct rt_statement_signer rater = signer(0, RT_ROLE_RATER, "");
    assert_int_equal(rt_statement_permitted(&rating, &other_lab, 1, 1), RT_NOT_PERMITTED);
    assert_int_equal(rt_statement_permitted(&rating, &rater, 1, 1), RT_OK);
    // A threshold counts different keys, and no outsider may join in.
    struct rt_statement roster = {.kind = RT_STATEMENT_ROSTER};
    struct rt_statement_signer signers[3] = {signer(0, RT_ROLE_ROOT, ""),
                                             signer(0, RT_ROLE_ROOT, ""),
                                             signer(1, RT_ROLE_ROOT | RT_ROLE_BOARD, "")};
    assert_int_equal(rt_statement_permitted(&roster, signers, 2, 2), RT_NOT_PERMITTED);
    assert_int_equal(rt_statement_permitted(&roster, signers, 3, 2), RT_OK);
    assert_int_equal(rt_statement_permitted(&roster, signers, 3, 3), RT_NOT_PERMITTED);
    signers[1] = signer(2, RT_ROLE_BOARD, "");
    assert_int_equal(rt_statement_permitted(&roster, signers, 3, 2), RT_NOT_PERMITTED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        TEST(test_bytes),           TEST(test_build_refuses),
        TEST(test_parse_is_strict), TEST(test_values_are_strict),
        TEST(test_sizes),           TEST(test_many_sign),
        TEST(test_leaves_in_time),  TEST(test_verify),
        TEST(test_who_may_sign),
    };
#undef TEST
    return cmocka_run_group_tests(tests, start_group, end_group);
}
