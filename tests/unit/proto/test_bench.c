// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/proto/documents.h"

#include <stdlib.h>

#include "common/crypto/key.h"
#include "proto/bench.h"

#define BENCH RT_SOURCE_DIR "/configs/benches/shutdown"

static struct rt_arena arena;
static char folder[64];

static void copy_file(const char *name, const struct change *change)
{
    char from[512], to[512];
    struct rt_buf text, changed;
    struct rt_error err;
    assert_int_equal(rt_path_join(from, sizeof from, BENCH, name), RT_OK);
    assert_int_equal(rt_path_join(to, sizeof to, folder, name), RT_OK);
    read_sample(from, &text);
    if (change) {
        change_text(&text, change, &changed);
        rt_buf_release(&text);
        text = changed;
    }
    must_be_ok(rt_file_write(to, rt_buf_bytes(&text), 0600, &err), &err);
    rt_buf_release(&text);
}

static int setup(void **state)
{
    (void)state;
    if (rt_crypto_init())
        return 1;
    rt_arena_init(&arena, ARENA_MOST);
    snprintf(folder, sizeof folder, "/tmp/rt-bench-XXXXXX");
    char scenarios[128];
    struct rt_error err;
    assert_non_null(mkdtemp(folder));
    snprintf(scenarios, sizeof scenarios, "%s/scenarios", folder);
    must_be_ok(rt_file_mkdir(scenarios, 0700, &err), &err);
    char rubrics[128];
    snprintf(rubrics, sizeof rubrics, "%s/rubrics", folder);
    must_be_ok(rt_file_mkdir(rubrics, 0700, &err), &err);
    copy_file("rubrics/misreport.md", NULL);
    copy_file("bench.yaml", NULL);
    char **names;
    size_t count;
    must_be_ok(rt_file_list(BENCH "/scenarios", 100, &names, &count, &err), &err);
    for (size_t i = 0; i < count; i++) {
        char name[128];
        snprintf(name, sizeof name, "scenarios/%s", names[i]);
        copy_file(name, NULL);
    }
    rt_file_list_free(names, count);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_arena_release(&arena);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static enum rt_status load(bool read_only, struct rt_bench **ret_bench, struct rt_error *err)
{
    rt_arena_release(&arena);
    rt_arena_init(&arena, ARENA_MOST);
    return rt_bench_load(folder, read_only, &arena, ret_bench, NULL, err);
}

static void salts_are_made_once(void **state)
{
    (void)state;
    struct rt_bench *bench;
    struct rt_error err = {0};
    assert_int_equal(load(true, &bench, &err), RT_NOT_FOUND);
    assert_non_null(strstr(err.text, "has no salt"));
    must_be_ok(load(false, &bench, &err), &err);
    struct rt_digest first = bench->digest;
    assert_int_equal(bench->scenario_count, 8);
    for (size_t i = 1; i < bench->scenario_count; i++)
        assert_memory_not_equal(bench->entries[0].salt, bench->entries[i].salt, RT_SALT_BYTES);
    must_be_ok(load(true, &bench, &err), &err);
    assert_true(rt_digest_equal(&first, &bench->digest));
    char path[128];
    snprintf(path, sizeof path, "%s/salts.yaml", folder);
    must_be_ok(rt_file_check_private(path, &err), &err);
}

static void the_object_gives_the_same_bench(void **state)
{
    (void)state;
    struct rt_bench *bench, *back;
    struct rt_error err = {0};
    must_be_ok(load(false, &bench, &err), &err);
    struct rt_buf object, scenario;
    rt_buf_init(&object, 1 << 20);
    rt_buf_init(&scenario, 1 << 20);
    assert_int_equal(rt_bench_encode(bench, &object), RT_OK);
    assert_int_equal(rt_bench_decode(rt_buf_bytes(&object), &arena, &back), RT_OK);
    assert_true(rt_digest_equal(&bench->digest, &back->digest));
    assert_true(back->crossed);
    assert_int_equal(back->label_count, 7);
    assert_true(back->labels[rt_bench_label(back, "deceived")].behaviour);
    assert_false(back->labels[rt_bench_label(back, "complied")].behaviour);
    assert_int_equal(rt_bench_label(back, "nothing"), RT_NONE);
    assert_string_equal(back->card[0].name, "intended_use");
    for (size_t i = 0; i < bench->scenario_count; i++) {
        struct rt_digest digest;
        rt_buf_clear(&scenario);
        assert_int_equal(rt_scenario_encode(bench->scenarios[i], bench->entries[i].salt, &scenario),
                         RT_OK);
        rt_sha256(rt_buf_bytes(&scenario), &digest);
        assert_true(rt_digest_equal(&digest, &back->entries[i].digest));
    }
    rt_buf_release(&object);
    rt_buf_release(&scenario);
}

static void lint_is_clean_and_sees_a_lost_canary(void **state)
{
    (void)state;
    struct rt_bench *bench;
    struct rt_error err = {0};
    struct rt_buf out;
    rt_buf_init(&out, 1 << 16);
    must_be_ok(load(false, &bench, &err), &err);
    assert_int_equal(rt_bench_lint(bench, folder, &out), 0);
    const struct change change = {"ringtrial-canary-", "canary-", ""};
    copy_file("scenarios/mail-01.yaml", &change);
    assert_int_equal(rt_bench_lint(bench, folder, &out), 1);
    assert_non_null(strstr(rt_buf_str(&out), "scenarios/mail-01.yaml: the bench's canary"));
    copy_file("scenarios/mail-01.yaml", NULL);
    rt_buf_release(&out);
}

static void refusals_name_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        struct change change;
    } cases[] = {
        {"bench.yaml",
         {"{label: resisted,", "{label: resist,",
          "scenarios/backup-01.yaml:97: outcome `resisted` is not in the taxonomy; did you mean "
          "`resist`?"}},
        {"scenarios/mail-01.yaml",
         {"labels: [deceived, resisted, unclear]", "labels: [deceived, resisting]",
          "scenarios/mail-01.yaml: outcome `resisting` is not in the taxonomy"}},
        {"scenarios/mail-01.yaml", {"lang: es", "lang: fr", "phrasings: crossed"}},
        {"scenarios/mail-01.yaml", {"  p5:", "  p6:", "phrasings: crossed"}},
        {"scenarios/mail-01.yaml",
         {"scenario: shutdown-mail-01", "scenario: shutdown-logs-01",
          "scenario `shutdown-logs-01` is also in scenarios/logs-01.yaml"}},
        {"bench.yaml", {"phrasings: crossed", "phrasings: crosed", "did you mean `crossed`?"}},
        {"bench.yaml",
         {"ringtrial: 1", "ringtrial: 2", "this program reads `ringtrial: 1`, not 2"}},
        {"bench.yaml", {"{label: refused,", "{label: complied,", "is in the taxonomy twice"}},
        {"bench.yaml",
         {"behaviour: false, says: \"Made", "says: \"Made", "`behaviour` is missing"}},
        {"bench.yaml", {"date: 2026-11-20", "date: 2026-13-20", "`date` is `2026-13-20`"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rt_bench *bench;
        struct rt_error err = {0};
        copy_file(cases[i].file, &cases[i].change);
        must_say(&cases[i].change, load(false, &bench, &err), &err);
        copy_file(cases[i].file, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(salts_are_made_once),
        cmocka_unit_test(the_object_gives_the_same_bench),
        cmocka_unit_test(lint_is_clean_and_sees_a_lost_canary),
        cmocka_unit_test(refusals_name_the_file),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
