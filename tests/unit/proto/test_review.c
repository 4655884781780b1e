// SPDX-License-Identifier: Apache-2.0
// Blind comparison of phrasings, what lint asks of a bench, and what changed between two versions.
#include "tests/unit/proto/documents.h"

#include <math.h>
#include <stdlib.h>

#include "common/crypto/key.h"
#include "proto/review.h"

#define BENCH RT_SOURCE_DIR "/configs/benches/tool-misuse"

static struct rt_arena arena;
static char folder[64];

static void run_shell(const char *text)
{
    char command[1024];
    snprintf(command, sizeof command, "cd %s && %s", folder, text);
    assert_int_equal(system(command), 0);
}

static int setup(void **state)
{
    (void)state;
    if (rt_crypto_init())
        return 1;
    rt_arena_init(&arena, ARENA_MOST);
    snprintf(folder, sizeof folder, "/tmp/rt-review-XXXXXX");
    assert_non_null(mkdtemp(folder));
    run_shell("cp -r " BENCH " now && cp -r " BENCH " then");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rt_arena_release(&arena);
    run_shell("rm -r now then && rmdir \"$PWD\"");
    return 0;
}

static struct rt_bench *load(const char *name)
{
    char path[128];
    struct rt_bench *bench = NULL;
    struct rt_error err;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    must_be_ok(rt_bench_load(path, false, &arena, &bench, NULL, &err), &err);
    return bench;
}

// ---- reviews

static struct rt_answer answers[16];
static struct rt_reviews reviews = {.bench = "tool-misuse", .answers = answers};

static void answer(const char *rater, const char *item, bool facts, bool demand)
{
    answers[reviews.answer_count++] = (struct rt_answer){rater, item, facts, demand, ""};
}

static void a_third_decides(void **state)
{
    (void)state;
    struct rt_bench *bench = load("now");
    struct rt_review_item *items;
    struct rt_review_result result;
    size_t count, left[256];
    reviews.answer_count = 0;
    assert_int_equal(rt_review_items(bench, &arena, &items, &count), RT_OK);
    assert_int_equal(count, 4 * bench->scenario_count); // the null pair is none
    assert_int_equal(rt_review_left(&reviews, items, count, "a", left), count);
    const char *k[3] = {items[0].key, items[1].key, items[2].key};
    for (int i = 0; i < 3; i++)
        answer("a", k[i], true, true);
    assert_int_equal(rt_review_verdict(&reviews, k[0]), -1);
    assert_int_equal(rt_review_left(&reviews, items, count, "a", left), count - 3);
    answer("b", k[0], true, true);
    answer("b", k[1], true, false);
    answer("b", k[2], false, false);
    // The third sees what the first two differ on, and what has one answer only.
    assert_int_equal(rt_review_left(&reviews, items, 3, "c", left), 2);
    assert_int_equal(rt_review_left(&reviews, items, 3, "b", left), 0);
    answer("c", k[1], true, true);
    answer("c", k[2], false, true);
    answer("d", k[2], true, true); // a fourth is not heard
    assert_int_equal(rt_review_verdict(&reviews, k[0]), 1);
    assert_int_equal(rt_review_verdict(&reviews, k[1]), 1);
    assert_int_equal(rt_review_verdict(&reviews, k[2]), 0);
    rt_review_result(&reviews, items, count, &result);
    assert_int_equal(result.rated, 3);
    assert_int_equal(result.agreed, 1);
    assert_int_equal(result.decided, 2);
    assert_int_equal(result.same, 2);
    assert_int_equal(result.not_same, 1);
    assert_true(fabs(result.kappa) < 1e-12); // one rater says yes to all: no more than by chance
}

static void kappa_by_hand(void **state)
{
    (void)state;
    struct rt_review_item items[10] = {0};
    struct rt_review_result result;
    char keys[10][8];
    reviews.answer_count = 0;
    static struct rt_answer many[20];
    reviews.answers = many;
    // 6 yes-yes, 1 yes-no, 1 no-yes, 2 no-no: 0.8 observed, 0.7·0.7 + 0.3·0.3 = 0.58 expected.
    static const int first[] = {1, 1, 1, 1, 1, 1, 1, 0, 0, 0};
    static const int second[] = {1, 1, 1, 1, 1, 1, 0, 1, 0, 0};
    for (int i = 0; i < 10; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        snprintf(items[i].key, sizeof items[i].key, "k%d", i);
        many[reviews.answer_count++] = (struct rt_answer){"a", keys[i], first[i], first[i], ""};
        many[reviews.answer_count++] = (struct rt_answer){"b", keys[i], second[i], second[i], ""};
    }
    rt_review_result(&reviews, items, 10, &result);
    assert_true(fabs(result.kappa - (0.8 - 0.58) / 0.42) < 1e-12);
    reviews.answers = answers;
}

static void answers_belong_to_texts(void **state)
{
    (void)state;
    struct rt_review_item *before, *after;
    size_t count;
    assert_int_equal(rt_review_items(load("then"), &arena, &before, &count), RT_OK);
    run_shell("sed -i 's/Please go through the cases/Do go through the cases/' "
              "now/scenarios/desk-01.yaml");
    assert_int_equal(rt_review_items(load("now"), &arena, &after, &count), RT_OK);
    size_t changed = 0;
    for (size_t i = 0; i < count; i++)
        changed += strcmp(before[i].key, after[i].key) != 0;
    assert_int_equal(changed, 1);
    run_shell("cp then/scenarios/desk-01.yaml now/scenarios/desk-01.yaml");
}

// ---- lint and compare

static void lint_must_say(const char *change, const char *file, const char *says)
{
    struct rt_buf out;
    char command[512], path[128];
    snprintf(command, sizeof command, "sed -i '%s' now/%s", change, file);
    run_shell(command);
    snprintf(path, sizeof path, "%s/now", folder);
    rt_buf_init(&out, 1 << 20);
    assert_true(rt_bench_lint(load("now"), path, &out) > 0);
    if (!strstr(rt_buf_str(&out), says))
        fail_msg("after %s lint says\n%s\nand not `%s`", change, rt_buf_str(&out), says);
    rt_buf_release(&out);
    snprintf(command, sizeof command, "cp then/%s now/%s", file, file);
    run_shell(command);
}

static void lint_sees(void **state)
{
    (void)state;
    static const char desk[] = "scenarios/desk-04.yaml";
    struct rt_buf out;
    char path[128];
    snprintf(path, sizeof path, "%s/then", folder);
    rt_buf_init(&out, 1 << 20);
    if (rt_bench_lint(load("then"), path, &out))
        fail_msg("%s", rt_buf_str(&out));
    rt_buf_release(&out);
    lint_must_say("s/^licence:.*//", "bench.yaml", "bench.yaml: no `licence`");
    lint_must_say("s/^provenance: original/provenance: mine/", "bench.yaml",
                  "`provenance` is `mine`; write original");
    lint_must_say("s/^version: \"1.1.0\"/version: \"1.2.0\"/", "bench.yaml",
                  "must be version `1.2.0`");
    lint_must_say("s/^title:.*/title: Another one/", "bench.yaml",
                  "the content is no longer that of version `1.1.0`; raise `version`");
    lint_must_say("s/, *digest: \"sha256:.*\"/ /; s/^     digest: \"sha256:.*\"}/     }/",
                  "bench.yaml", "does not say which content it has; add `digest:");
    // Crossed phrasings would not even load with these.
    run_shell("sed -i 's/^phrasings: crossed//' now/bench.yaml");
    lint_must_say("s/^  p1b: {same_as: p1}//", desk, "no null pair");
    lint_must_say("s/lang: de/lang: german/", desk, "language `german` of phrasing `p5`");
    run_shell("cp then/bench.yaml now/bench.yaml");
    lint_must_say("s/min_context: [0-9]*/min_context: 8192/", desk,
                  "raise `limits.min_context` from 8192 to");
    lint_must_say("s/expect: asked/expect: complied/", desk, "no test expects `asked`");
    lint_must_say("s/89 euros. Please/98 euros. Please/", desk,
                  "`first` has `98` in phrasing `p1` and not in `p2`");
    lint_must_say("1,3d", "attachments/service-handbook.txt",
                  "attachments/service-handbook.txt: the bench's canary is not in this file");
    lint_must_say("s/^# Canary.*//", desk, "scenarios/desk-04.yaml: the bench's canary");
}

static void compare_names_what_changed(void **state)
{
    (void)state;
    struct rt_buf out, object;
    rt_buf_init(&out, 1 << 20);
    rt_buf_init(&object, 1 << 20);
    assert_int_equal(rt_bench_compare(load("then"), load("now"), &out), 0);
    run_shell("cp then/salts.yaml now/salts.yaml"); // they stay with a bench
    run_shell("sed -i 's/Please go through/Do go through/; s/turns: 22/turns: 23/' "
              "now/scenarios/desk-01.yaml && rm now/scenarios/mail-01.yaml && "
              "sed -i 's/label: asked, severity: 0, behaviour: false/label: asked, severity: 0, "
              "behaviour: true/' now/bench.yaml");
    struct rt_bench *then = load("then"), *now = load("now"), *decoded;
    size_t changes = rt_bench_compare(then, now, &out);
    const char *text = rt_buf_str(&out);
    assert_int_equal(changes, 4);
    assert_non_null(strstr(text, "- label `asked` changed: its polarity is turned round\n"));
    assert_non_null(strstr(text, "- scenario `misuse-desk-01`:\n"));
    assert_non_null(strstr(text, "  - phrasing `p2`, `task`: was \"Please go through"));
    assert_non_null(strstr(text, "  - `limits` changed\n"));
    assert_non_null(strstr(text, "- scenario `misuse-mail-01` is gone\n"));
    // Against the object of the earlier version, by digest.
    assert_int_equal(rt_bench_encode(then, &object), RT_OK);
    assert_int_equal(rt_bench_decode(rt_buf_bytes(&object), &arena, &decoded), RT_OK);
    rt_buf_clear(&out);
    assert_int_equal(rt_bench_compare(decoded, now, &out), 3);
    assert_non_null(strstr(rt_buf_str(&out), "- scenario `misuse-desk-01` changed\n"));
    rt_buf_release(&out);
    rt_buf_release(&object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_third_decides),
        cmocka_unit_test(kappa_by_hand),
        cmocka_unit_test(answers_belong_to_texts),
        cmocka_unit_test(lint_sees),
        cmocka_unit_test(compare_names_what_changed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
