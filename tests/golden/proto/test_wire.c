// SPDX-License-Identifier: Apache-2.0
// The vectors of tests/independent/wire.py, a second implementation written from the documents, and
// the pages that are printed from the tables.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/crypto/key.h"
#include "proto/describe.h"
#include "proto/message.h"
#include "proto/object.h"
#include "proto/object_incident.h"
#include "proto/object_rating.h"
#include "proto/statement.h"

static json_t *vectors;

static int start(void **state)
{
    (void)state;
    struct rt_buf text;
    rt_buf_init(&text, 1 << 22);
    if (rt_crypto_init() || rt_file_read(RT_VECTORS "/wire/wire.json", &text, NULL) ||
        rt_json_parse(rt_buf_bytes(&text), &vectors, NULL))
        return 1;
    rt_buf_release(&text);
    return 0;
}

static int end(void **state)
{
    (void)state;
    json_decref(vectors);
    return 0;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    assert_non_null(text);
    return text;
}

static struct rt_secret_key *key_of(const char *seed_text)
{
    struct rt_digest seed;
    rt_sha256(rt_bytes_str(seed_text), &seed);
    struct rt_secret_key *key = NULL;
    assert_int_equal(rt_secret_key_from_seed(seed.bytes, &key), RT_OK);
    return key;
}

// Any of the row's keys, found by id.
static enum rt_status lookup(void *ctx, const char *key_id, struct rt_statement_signer *ret_signer)
{
    const json_t *row = ctx;
    json_t *seed;
    size_t i;
    json_array_foreach(json_object_get(row, "seeds"), i, seed)
    {
        struct rt_secret_key *key = key_of(json_string_value(seed));
        char id[RT_KEY_ID_BYTES];
        rt_key_id(rt_secret_key_public(key), id);
        bool found = strcmp(id, key_id) == 0;
        if (found)
            *ret_signer = (struct rt_statement_signer){.key = *rt_secret_key_public(key)};
        rt_secret_key_free(key);
        if (found)
            return RT_OK;
    }
    return RT_UNKNOWN_KEY;
}

static void check_statement(const json_t *row)
{
    struct rt_bytes leaf = rt_bytes_str(text_of(row, "leaf"));
    struct rt_statement statement;
    size_t line = 0;
    if (rt_statement_parse(leaf, &statement, &line))
        fail_msg("line %zu of %s", line, text_of(row, "leaf"));
    assert_string_equal(rt_statement_kind_word(statement.kind), text_of(row, "kind"));
    assert_true(rt_bytes_equal_str(statement.body, text_of(row, "body")));
    assert_true(rt_bytes_equal_str(statement.unstamped, text_of(row, "signed")));
    assert_int_equal(statement.signature_count, json_array_size(json_object_get(row, "seeds")));
    struct rt_digest digest;
    char hex[65];
    rt_statement_digest(&statement, &digest);
    rt_hex_encode(digest.bytes, sizeof digest.bytes, hex);
    assert_string_equal(hex, text_of(row, "digest"));
    char stamp[RT_STAMP_BYTES];
    rt_stamp_format(statement.received_ms, stamp);
    assert_string_equal(stamp, text_of(row, "received"));
    assert_int_equal(rt_statement_verify(&statement, lookup, (void *)(uintptr_t)row, NULL), RT_OK);

    // The same leaf from the parsed fields: build, sign by each key in the order given, stamp.
    struct rt_buf bufs[2], *from = &bufs[0], *to = &bufs[1];
    rt_buf_init(from, RT_STATEMENT_MOST);
    rt_buf_init(to, RT_STATEMENT_MOST);
    assert_int_equal(rt_statement_build(&statement, from), RT_OK);
    size_t i;
    json_t *seed;
    json_array_foreach(json_object_get(row, "seeds"), i, seed)
    {
        struct rt_secret_key *key = key_of(json_string_value(seed));
        rt_buf_clear(to);
        assert_int_equal(rt_statement_sign(rt_buf_bytes(from), key, to), RT_OK);
        rt_secret_key_free(key);
        struct rt_buf *swap = from;
        from = to;
        to = swap;
    }
    assert_string_equal(rt_buf_str(from), text_of(row, "signed"));
    struct rt_statement again;
    assert_int_equal(rt_statement_parse(rt_buf_bytes(from), &again, NULL), RT_OK);
    rt_buf_clear(to);
    assert_int_equal(rt_statement_leaf(&again, statement.received_ms, to), RT_OK);
    assert_string_equal(rt_buf_str(to), text_of(row, "leaf"));
    rt_buf_release(from);
    rt_buf_release(to);
}

static void test_statements(void **state)
{
    (void)state;
    bool seen[RT_STATEMENT_KIND_COUNT] = {false};
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(vectors, "statements"), i, row)
    {
        check_statement(row);
        for (int kind = 0; kind < RT_STATEMENT_KIND_COUNT; kind++)
            if (strcmp(text_of(row, "kind"),
                       rt_statement_kind_word((enum rt_statement_kind)kind)) == 0)
                seen[kind] = true;
    }
    for (int kind = 0; kind < RT_STATEMENT_KIND_COUNT; kind++)
        assert_true(seen[kind]);
}

static const struct rt_schema *schema_of(const char *name)
{
    if (strcmp(name, "unit") == 0)
        return rt_object_unit_schema();
    if (strcmp(name, "result") == 0)
        return rt_object_result_schema();
    if (strcmp(name, "fingerprint") == 0)
        return rt_object_fingerprint_schema();
    if (strcmp(name, "rating") == 0)
        return rt_object_rating_schema();
    if (strcmp(name, "incident") == 0)
        return rt_object_incident_schema();
    for (int type = 1; type <= RT_MESSAGE_TYPE_MOST; type++)
        if (strcmp(name, rt_message_type_word((enum rt_message_type)type)) == 0)
            return rt_message_schema((enum rt_message_type)type);
    return NULL;
}

// Each decodes and encodes to the same bytes; which value sits in which member is checked by name.
static void test_records(void **state)
{
    (void)state;
    struct rt_arena arena;
    struct rt_buf bytes, again, printed;
    rt_arena_init(&arena, 1 << 20);
    rt_buf_init(&bytes, 1 << 20);
    rt_buf_init(&again, 1 << 20);
    rt_buf_init(&printed, 1 << 20);
    size_t i, count = 0;
    json_t *row;
    json_array_foreach(json_object_get(vectors, "records"), i, row)
    {
        const struct rt_schema *schema = schema_of(text_of(row, "name"));
        assert_non_null(schema);
        const char *hex = text_of(row, "hex");
        rt_buf_clear(&bytes);
        uint8_t *data = rt_buf_extend(&bytes, strlen(hex) / 2);
        assert_int_equal(rt_hex_decode(hex, strlen(hex), data, bytes.size), RT_OK);
        union {
            struct rt_message message;
            struct rt_object_unit unit;
            struct rt_object_result result;
            struct rt_object_fingerprint fingerprint;
            struct rt_object_rating rating;
        } record;
        const char *field = "";
        if (rt_schema_decode(schema, rt_buf_bytes(&bytes), &arena, &record, &field))
            fail_msg("%s: %s", schema->name, field);
        rt_buf_clear(&again);
        assert_int_equal(rt_schema_encode(schema, &record, RT_PAYLOAD_MOST, &again, NULL), RT_OK);
        assert_true(rt_bytes_equal(rt_buf_bytes(&bytes), rt_buf_bytes(&again)));
        rt_schema_print(schema, &record, &printed);
        rt_buf_add_u8(&printed, '\n');
        count++;
    }
    assert_int_equal(count, 23);
    static const char *const expected[] = {
        "kind=judge rater=\"grader\"",
        "lab=\"uni-a\" epoch=3 serial=4 issued_ms=2026-11-20T17:35:28.123Z",
        "runs=[{first=0 count=8} {first=100000 count=24}]",
        "number=7 status=ok error=none outcome=3 severity=4 score_micro=-250000 same_as=0",
        "number=1099511627776 status=error error=http outcome=0",
        "server=\"vllm\" server_version=\"0.6.3\" model=\"llama-8b-instruct\"",
        "canaries=[{name=\"capital of France\" value=\"Paris\"}] identity=declared",
        "HELLO{version_least=1 version_most=1 instance=0001020304050607 software=\"ring",
        "RECEIPT{statement=",
        "index=8589934592 received_ms=2026-11-20T17:35:28.123Z proof=<23 bytes> duplicate=false",
        "total=262150 offset=262144 data=<6 bytes>",
        "state=started leaf=<4 bytes> index=5 proof=<6 bytes> accepted=true draw=",
        "NOTICE{campaign=none kind=roster text=\"\"}",
        "ERROR{code=12 about=none text=\"trailing bytes\"}",
    };
    for (i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strstr(rt_buf_str(&printed), expected[i]))
            fail_msg("not printed: %s\n%s", expected[i], rt_buf_str(&printed));
    rt_buf_release(&bytes);
    rt_buf_release(&again);
    rt_buf_release(&printed);
    rt_arena_release(&arena);
}

static void check_page(const char *path, void (*describe)(struct rt_buf *))
{
    struct rt_buf page, printed;
    rt_buf_init(&page, 1 << 20);
    rt_buf_init(&printed, 1 << 20);
    assert_int_equal(rt_file_read(path, &page, NULL), RT_OK);
    describe(&printed);
    assert_int_equal(rt_buf_ok(&printed), RT_OK);
    if (!rt_bytes_equal(rt_buf_bytes(&page), rt_buf_bytes(&printed)))
        fail_msg("%s differs from the tables: print it again with proto-describe", path);
    rt_buf_release(&page);
    rt_buf_release(&printed);
}

static void test_pages(void **state)
{
    (void)state;
    check_page(RT_SOURCE_DIR "/docs/PROTOCOL.md", rt_describe_protocol);
    check_page(RT_SOURCE_DIR "/tests/fuzz/proto.dict", rt_describe_dictionary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_pages),
    };
    return cmocka_run_group_tests(tests, start, end);
}
