// SPDX-License-Identifier: Apache-2.0
// Statements of every kind with random fields: what is parsed is what was built; and no changed bit
// or cut of a signed leaf is ever taken for the signer's word.
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/schema_random.h"
#include "proto/statement.h"

enum { ROUNDS = 200, FLIP_ROUNDS = 2 };

static struct rt_secret_key *key;

static int start(void **state)
{
    (void)state;
    static const uint8_t seed[RT_KEY_SEED_BYTES] = {7};
    return rt_crypto_init() || rt_secret_key_from_seed(seed, &key);
}

static int end(void **state)
{
    (void)state;
    rt_secret_key_free(key);
    return 0;
}

static void fill(struct rt_random *random, struct rt_digest *digest)
{
    for (size_t i = 0; i < sizeof digest->bytes; i++)
        digest->bytes[i] = (uint8_t)rt_random_next(random);
}

static struct rt_bytes pick(struct rt_random *random, const char *const *list, size_t count)
{
    return rt_bytes_str(list[rt_random_below(random, count)]);
}

static void make(struct rt_random *random, enum rt_statement_kind kind,
                 struct rt_statement *ret_statement)
{
    static const char *const ids[] = {"uni-a", "0", "a.b_c-d", "lab99"};
    static const char *const texts[] = {"r", "two words", "“quoted” – 語", "signed 0 AA=="};
    static const char *const origins[] = {"ring.example.org/log", "x", "ö"};
    struct rt_statement *statement = ret_statement;
    *statement = (struct rt_statement){
        .kind = kind,
        .consortium = pick(random, ids, 4),
        .name = pick(random, ids, 4),
        .lab = pick(random, ids, 4),
        .incident = pick(random, ids, 4),
        .step = pick(random, ids, 4),
        .grant = pick(random, ids, 4),
        .what = pick(random, ids, 4),
        .to = pick(random, ids, 4),
        .severity = rt_random_below(random, 5),
        .until = rt_random_next(random) >> rt_random_below(random, 64),
        .reason = pick(random, texts, 4),
        .version = rt_random_next(random) >> rt_random_below(random, 64),
        .seq = rt_random_next(random) >> rt_random_below(random, 64),
        .results = rt_random_next(random),
        .size = rt_random_below(random, 3),
        .has_previous = rt_random_below(random, 2),
        .seen = {.origin = pick(random, origins, 3)},
        .action = (enum rt_statement_action)rt_random_below(random, RT_STATEMENT_ACTION_COUNT),
        .pair_count = 1 + rt_random_below(random, 4)};
    struct rt_digest *const digests[] = {
        &statement->roster,   &statement->campaign, &statement->bench,
        &statement->unit,     &statement->report,   &statement->root,
        &statement->previous, &statement->nonce,    &statement->seen.root,
        &statement->record,
    };
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
        fill(random, digests[i]);
    statement->seen.size = rt_random_next(random) >> rt_random_below(random, 64);
    for (size_t i = 0; i < statement->pair_count; i++) {
        fill(random, &statement->pairs[i].unit);
        fill(random, &statement->pairs[i].result);
    }
}

static enum rt_status lookup(void *ctx, const char *key_id, struct rt_statement_signer *ret_signer)
{
    (void)ctx;
    char id[RT_KEY_ID_BYTES];
    rt_key_id(rt_secret_key_public(key), id);
    ret_signer->key = *rt_secret_key_public(key);
    return strcmp(id, key_id) == 0 ? RT_OK : RT_UNKNOWN_KEY;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct rt_buf signed_text, again;
    rt_buf_init(&signed_text, RT_STATEMENT_MOST);
    rt_buf_init(&again, RT_STATEMENT_MOST);
    for (int kind = 0; kind < RT_STATEMENT_KIND_COUNT; kind++) {
        for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
            struct rt_random random = {seed * 100 + (uint64_t)kind};
            struct rt_statement made, parsed;
            make(&random, (enum rt_statement_kind)kind, &made);
            rt_buf_clear(&signed_text);
            rt_buf_clear(&again);
            assert_int_equal(rt_statement_make(&made, key, &signed_text), RT_OK);
            assert_int_equal(rt_statement_parse(rt_buf_bytes(&signed_text), &parsed, NULL), RT_OK);
            assert_int_equal(parsed.kind, kind);
            assert_int_equal(rt_statement_verify(&parsed, lookup, NULL, NULL), RT_OK);
            // Both give the same text, which holds every field of the kind.
            assert_int_equal(rt_statement_build(&parsed, &again), RT_OK);
            assert_true(rt_bytes_equal(parsed.body, rt_buf_bytes(&again)));
            rt_buf_clear(&again);
            assert_int_equal(rt_statement_build(&made, &again), RT_OK);
            assert_true(rt_bytes_equal(parsed.body, rt_buf_bytes(&again)));
        }
    }
    rt_buf_release(&signed_text);
    rt_buf_release(&again);
}

// True when bytes still pass as the signer's.
static bool passes(const uint8_t *data, size_t size, struct rt_statement *ret_parsed)
{
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    bool good = rt_statement_parse(rt_bytes(copy, size), ret_parsed, NULL) == RT_OK &&
                rt_statement_verify(ret_parsed, lookup, NULL, NULL) == RT_OK;
    free(copy);
    return good;
}

static void test_nothing_is_malleable(void **state)
{
    (void)state;
    struct rt_buf text, leaf;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    rt_buf_init(&leaf, RT_STATEMENT_MOST);
    for (int kind = 0; kind < RT_STATEMENT_KIND_COUNT; kind++) {
        for (uint64_t seed = 1; seed <= FLIP_ROUNDS; seed++) {
            struct rt_random random = {seed * 1000 + (uint64_t)kind};
            struct rt_statement made, parsed, other;
            make(&random, (enum rt_statement_kind)kind, &made);
            rt_buf_clear(&text);
            rt_buf_clear(&leaf);
            assert_int_equal(rt_statement_make(&made, key, &text), RT_OK);
            assert_int_equal(rt_statement_parse(rt_buf_bytes(&text), &parsed, NULL), RT_OK);
            assert_int_equal(rt_statement_leaf(&parsed, 1795196128123, &leaf), RT_OK);
            for (size_t at = 0; at < leaf.size; at++) {
                // Only the stamp, which is the coordinator's, may be missing.
                if (passes(leaf.data, at, &other))
                    assert_int_equal(at, text.size);
                for (int bit = 0; bit < 8; bit++) {
                    leaf.data[at] ^= (uint8_t)(1 << bit);
                    if (passes(leaf.data, leaf.size, &other) && at < text.size)
                        fail_msg("kind %d, seed %" PRIu64 ": byte %zu is free", kind, seed, at);
                    leaf.data[at] ^= (uint8_t)(1 << bit);
                }
            }
            assert_true(passes(leaf.data, leaf.size, &other));
        }
    }
    rt_buf_release(&text);
    rt_buf_release(&leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_nothing_is_malleable),
    };
    return cmocka_run_group_tests(tests, start, end);
}
