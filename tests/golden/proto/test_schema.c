// SPDX-License-Identifier: Apache-2.0
// docs/schema/*.json are what the tables say: whoever changes a table prints them again
// (`ringtrial-coordinator schema KIND > docs/schema/KIND.json`).
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "proto/doc/json_schema.h"

static void schemas_are_printed(void **state)
{
    (void)state;
    for (size_t i = 0; rt_json_schema_kinds[i]; i++) {
        char path[512];
        struct rt_buf made, stored;
        struct rt_error err;
        snprintf(path, sizeof path, RT_SOURCE_DIR "/docs/schema/%s.json", rt_json_schema_kinds[i]);
        rt_buf_init(&made, 1 << 20);
        rt_buf_init(&stored, 1 << 20);
        assert_int_equal(rt_json_schema(rt_json_schema_kinds[i], &made), RT_OK);
        assert_int_equal(rt_file_read(path, &stored, &err), RT_OK);
        if (!rt_bytes_equal(rt_buf_bytes(&made), rt_buf_bytes(&stored)))
            fail_msg("%s differs from the table: print it again with `schema`", path);
        rt_buf_release(&made);
        rt_buf_release(&stored);
    }
    struct rt_buf none;
    rt_buf_init(&none, 1 << 20);
    assert_int_equal(rt_json_schema("scenarios", &none), RT_NOT_FOUND);
    rt_buf_release(&none);
}

// The guide for authors ends with the keys of both files as the tables have them.
static void the_guide_lists_the_keys(void **state)
{
    (void)state;
    static const char *const kinds[] = {"scenario", "bench"};
    struct rt_buf guide, keys;
    struct rt_error err;
    rt_buf_init(&guide, 1 << 20);
    rt_buf_init(&keys, 1 << 20);
    assert_int_equal(rt_file_read(RT_SOURCE_DIR "/docs/BENCHES.md", &guide, &err), RT_OK);
    for (size_t i = 0; i < 2; i++) {
        rt_buf_clear(&keys);
        assert_int_equal(rt_json_schema_keys(kinds[i], &keys), RT_OK);
        if (!strstr(rt_buf_str(&guide), rt_buf_str(&keys)))
            fail_msg("docs/BENCHES.md lacks the keys as `schema %s --keys` prints them", kinds[i]);
    }
    rt_buf_release(&guide);
    rt_buf_release(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(schemas_are_printed),
                                       cmocka_unit_test(the_guide_lists_the_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
