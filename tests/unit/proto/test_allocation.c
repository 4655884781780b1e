// SPDX-License-Identifier: Apache-2.0
// The path of a unit and its result takes nothing from the heap once its buffers and arena are
// warm. Counts the calls that reach the allocator; under sanitizers, which bring their own, it is
// left out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/time.h"
#include "proto/message.h"
#include "proto/statement.h"

#ifdef RT_SANITIZED
int main(void)
{
    return 0;
}
#else

static size_t allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

static struct rt_secret_key *key;
static struct rt_buf statement_text, object_text, unit_frame, result_object, result_text, frame;
static struct rt_arena arena;

static enum rt_status lookup(void *ctx, const char *key_id, struct rt_statement_signer *ret_signer)
{
    (void)ctx;
    (void)key_id;
    ret_signer->key = *rt_secret_key_public(key);
    ret_signer->roles = 1u << 6; // coordinator
    return RT_OK;
}

static void digest_of(const struct rt_buf *buf, struct rt_digest *ret_digest)
{
    rt_sha256(rt_buf_bytes(buf), ret_digest);
}

// The coordinator deals.
static void deal(void)
{
    const struct rt_unit_run run = {640, 32};
    struct rt_object_unit unit = {.lab = rt_bytes_str("uni-a"), .runs = &run, .runs_count = 1};
    struct rt_statement statement = {.kind = RT_STATEMENT_UNIT, .lab = unit.lab};
    rt_buf_clear(&object_text);
    rt_buf_clear(&statement_text);
    rt_buf_clear(&unit_frame);
    assert_int_equal(rt_object_unit_encode(&unit, &object_text, NULL), RT_OK);
    digest_of(&object_text, &statement.unit);
    assert_int_equal(rt_statement_make(&statement, key, &statement_text), RT_OK);
    struct rt_message_unit message = {rt_buf_bytes(&statement_text), rt_buf_bytes(&object_text)};
    assert_int_equal(rt_message_unit_encode(&message, &unit_frame, NULL), RT_OK);
}

// The worker answers.
static void answer(void)
{
    struct rt_message message;
    struct rt_object_unit unit;
    struct rt_statement statement;
    static struct rt_trial_result trials[32];
    rt_arena_clear(&arena);
    assert_int_equal(rt_message_decode(rt_buf_bytes(&unit_frame), &arena, &message, NULL), RT_OK);
    assert_int_equal(rt_object_unit_decode(message.body.unit.object, &arena, &unit, NULL), RT_OK);
    assert_int_equal(rt_statement_parse(message.body.unit.statement, &statement, NULL), RT_OK);
    assert_int_equal(rt_statement_verify(&statement, lookup, NULL, NULL), RT_OK);
    struct rt_object_result result = {.software = rt_bytes_str("w/1"),
                                      .unit = statement.unit,
                                      .trials = trials,
                                      .trials_count = 32};
    struct rt_statement says = {.kind = RT_STATEMENT_RESULT,
                                .lab = rt_bytes_str("uni-a"),
                                .pair_count = 1,
                                .pairs = {{.unit = statement.unit}}};
    rt_buf_clear(&result_object);
    rt_buf_clear(&result_text);
    rt_buf_clear(&frame);
    assert_int_equal(rt_object_result_encode(&result, &result_object, NULL), RT_OK);
    digest_of(&result_object, &says.pairs[0].result);
    assert_int_equal(rt_statement_make(&says, key, &result_text), RT_OK);
    struct rt_result_pair pair = {message.body.unit.statement, message.body.unit.object,
                                  rt_buf_bytes(&result_object)};
    struct rt_message_result reply = {
        .statement = rt_buf_bytes(&result_text), .pairs = &pair, .pairs_count = 1};
    assert_int_equal(rt_message_result_encode(&reply, &frame, NULL), RT_OK);
}

// The coordinator takes it in and acknowledges.
static void take(void)
{
    struct rt_message message;
    struct rt_object_result result;
    struct rt_statement statement;
    rt_arena_clear(&arena);
    assert_int_equal(rt_message_decode(rt_buf_bytes(&frame), &arena, &message, NULL), RT_OK);
    assert_int_equal(
        rt_object_result_decode(message.body.result.pairs[0].result, &arena, &result, NULL), RT_OK);
    assert_int_equal(result.trials_count, 32);
    assert_int_equal(rt_statement_parse(message.body.result.statement, &statement, NULL), RT_OK);
    assert_int_equal(rt_statement_verify(&statement, lookup, NULL, NULL), RT_OK);
    rt_buf_clear(&result_text);
    assert_int_equal(rt_statement_leaf(&statement, 1795196128123, &result_text), RT_OK);
    struct rt_message_receipt receipt = {.received_ms = 1795196128123,
                                         .proof = rt_buf_bytes(&result_text)};
    rt_statement_digest(&statement, &receipt.statement);
    rt_buf_clear(&frame);
    assert_int_equal(rt_message_receipt_encode(&receipt, &frame, NULL), RT_OK);
    assert_int_equal(rt_message_decode(rt_buf_bytes(&frame), &arena, &message, NULL), RT_OK);
    assert_true(message.body.receipt.received_ms == 1795196128123);
}

static void test_no_allocation(void **state)
{
    (void)state;
    enum { UNITS = 500 };
    struct rt_buf *const bufs[] = {&statement_text, &object_text, &unit_frame,
                                   &result_object,  &result_text, &frame};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        rt_buf_init(bufs[i], 1 << 20);
    rt_arena_init(&arena, 1 << 20);
    static const uint8_t seed[RT_KEY_SEED_BYTES] = {9};
    assert_int_equal(rt_crypto_init(), RT_OK);
    assert_int_equal(rt_secret_key_from_seed(seed, &key), RT_OK);
    for (int i = 0; i < 2; i++) {
        deal();
        answer();
        take();
    }
    assert_true(allocations > 0); // or nothing is counted
    size_t before = allocations;
    int64_t start_us = rt_time_mono_us();
    for (int i = 0; i < UNITS; i++) {
        deal();
        answer();
        take();
    }
    int64_t took_us = rt_time_mono_us() - start_us;
    size_t after = allocations;
    print_message("%d units there and back: %zu allocations, %.1f us each with 2 signatures made "
                  "and 2 verified\n",
                  UNITS, after - before, (double)took_us / UNITS);
    assert_int_equal(after - before, 0);
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        rt_buf_release(bufs[i]);
    rt_arena_release(&arena);
    rt_secret_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
