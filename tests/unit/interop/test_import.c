// SPDX-License-Identifier: Apache-2.0
// Readers of other people's prompts: what becomes of each field, what is noted, which errors name
// which place; and archives that lead elsewhere or are too large.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "interop/import.h"
#include "interop/yaml_out.h"
#include "interop/zip.h"
#include "proto/doc/tree.h"
#include "proto/pattern.h"

static struct rt_error err;

static enum rt_status rows(struct rt_import *import, enum rt_import_table table, bool csv,
                           const char *text, const struct rt_import_options *options)
{
    static const struct rt_import_options none;
    rt_import_init(import, options ? options : &none);
    return rt_import_rows_memory(import, table, csv, csv ? "t.csv" : "t.jsonl", rt_bytes_str(text),
                                 &err);
}

static const struct rt_import_note *note(const struct rt_import *import, const char *name)
{
    for (size_t i = 0; i < import->note_count; i++)
        if (!strcmp(import->notes[i].name, name))
            return &import->notes[i];
    return NULL;
}

static void fails(enum rt_import_table table, bool csv, const char *text, const char *want)
{
    struct rt_import import;
    assert_int_not_equal(rows(&import, table, csv, text, NULL), RT_OK);
    assert_non_null(strstr(err.text, want));
    rt_import_release(&import);
}

static void samples_are_read(void **state)
{
    (void)state;
    struct rt_import import;
    assert_int_equal(
        rows(
            &import, RT_IMPORT_INSPECT, false,
            "{\"input\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":"
            "[{\"type\":\"text\",\"text\":\"U\"},{\"type\":\"image\"}]},{\"role\":\"assistant\","
            "\"content\":\"A\"}],\"target\":[\"x.y\",\"z\"],\"id\":7,\"odd\":1,\"sandbox\":\"d\"}\n"
            "\n{\"input\":\"Q\",\"choices\":[\"a\",\"b\"],\"target\":\"B\","
            "\"metadata\":\"{\\\"k\\\":2}\"}\n",
            NULL),
        RT_OK);
    assert_int_equal(import.item_count, 2);
    assert_int_equal(import.items[0].message_count, 2);
    assert_string_equal(import.items[0].key, "7");
    assert_string_equal(import.items[0].expect, "(?i)(?:x\\.y|z)");
    assert_non_null(strstr(import.items[1].messages[0].text, "\nB) b"));
    assert_string_equal(import.items[1].place, "t.jsonl:3");
    for (size_t i = 0; i < 6; i++) {
        static const char *const names[] = {"image",   "assistant", "odd",
                                            "sandbox", "choices",   "metadata.k"};
        assert_non_null(note(&import, names[i]));
    }
    rt_import_release(&import);
}

// A letter is an answer, and not any letter of a word.
static void a_letter_is_an_answer(void **state)
{
    (void)state;
    struct rt_import import;
    struct rt_pattern *pattern = NULL;
    static const struct {
        const char *said;
        bool matches;
    } cases[] = {
        {"A", true},       {"A) Iron", true},    {"The answer is A.", true}, {"I choose B", false},
        {"A metal", true}, {"Answer: B", false}, {"Because of that", false}};
    assert_int_equal(rows(&import, RT_IMPORT_INSPECT, false,
                          "{\"input\":\"Q\",\"choices\":[\"a\",\"b\"],\"target\":\"A\"}", NULL),
                     RT_OK);
    assert_int_equal(rt_pattern_compile(import.items[0].expect, &pattern, &err), RT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool matched = false;
        assert_int_equal(rt_pattern_match(pattern, rt_bytes_str(cases[i].said), &matched), RT_OK);
        assert_int_equal(matched, cases[i].matches);
    }
    rt_pattern_free(pattern);
    rt_import_release(&import);
}

static void prompt_tables_are_read(void **state)
{
    (void)state;
    struct rt_import import;
    struct rt_import_options by = {.scenario_by = "hazard", .phrasings_by = "locale"};
    assert_int_equal(rows(&import, RT_IMPORT_AILUMINATE, true,
                          "release_prompt_id,prompt_text,hazard,persona,locale,prompt_hash\n"
                          "a1,\"two\nlines, \"\"quoted\"\"\",vcr,normal,en_US,00ff\n"
                          "a2,Un,vcr,skilled,fr_FR,\n",
                          &by),
                     RT_OK);
    assert_int_equal(import.item_count, 2);
    assert_string_equal(import.items[0].messages[0].text, "two\nlines, \"quoted\"");
    assert_string_equal(import.items[0].key, "vcr");
    assert_string_equal(import.items[1].phrasing, "fr_FR");
    assert_string_equal(import.items[1].place, "t.csv:4");
    assert_non_null(strstr(import.items[0].provenance, "prompt_hash 00ff"));
    assert_int_equal(note(&import, "persona")->count, 2);
    rt_import_release(&import);
}

static void errors_name_the_place(void **state)
{
    (void)state;
    fails(RT_IMPORT_AILUMINATE, true, "a,b\n1,2\n", "t.csv:1: an AILuminate table has");
    fails(RT_IMPORT_PLAIN, true, "a,b\n1,2\n", "t.csv:2: no prompt in column");
    fails(RT_IMPORT_PLAIN, true, "prompt,prompt\n1,2\n", "`prompt` comes twice");
    fails(RT_IMPORT_PLAIN, true, "prompt,x\na\n", "t.csv:2: 1 fields where the header has 2");
    fails(RT_IMPORT_PLAIN, false, "{\"prompt\":\"a\"}\n{\"prompt\":", "t.jsonl:2");
    fails(RT_IMPORT_PLAIN, false, "[1]", "record 1: a record must be a JSON object");
    fails(RT_IMPORT_PLAIN, false, "{\"input\":[{\"role\":\"system\",\"content\":\"x\"}]}",
          "no user message");
    fails(RT_IMPORT_PLAIN, false, "", "no prompts in it");
}

static enum rt_status promptfoo(struct rt_import *import, const char *text, const char *folder)
{
    static const struct rt_import_options none;
    rt_import_init(import, &none);
    return rt_import_promptfoo_memory(import, "pf.yaml", rt_bytes_str(text), folder, &err);
}

static void asserts_become_a_rule(void **state)
{
    (void)state;
    struct rt_import import;
    struct rt_pattern *pattern = NULL;
    static const struct {
        const char *said;
        bool matches;
    } cases[] = {{"Oh, BONJOUR 3!", true},
                 {"bonjour", false},
                 {"bonjour 4 Hello", false},
                 {"line\nbonjour\n5", true}};
    assert_int_equal(promptfoo(&import,
                               "prompts: [\"Say {{ x }} {{y | up}}\", \"{{x}}?\"]\n"
                               "defaultTest: {assert: [{type: icontains, value: bonjour}]}\n"
                               "providers: [p]\n"
                               "tests:\n"
                               "  - vars: {x: Hello}\n"
                               "    assert:\n"
                               "      - {type: not-contains, value: Hello}\n"
                               "      - {type: regex, value: '\\d'}\n"
                               "      - {type: cost, value: \"1\"}\n"
                               "      - {type: llm-rubric, value: polite}\n",
                               NULL),
                     RT_OK);
    assert_int_equal(import.item_count, 2);
    assert_string_equal(import.items[0].messages[0].text, "Say Hello {{y | up}}");
    assert_string_equal(import.items[1].key, import.items[0].key);
    assert_string_equal(import.items[0].rubric, "- polite");
    assert_non_null(note(&import, "cost"));
    assert_non_null(note(&import, "providers"));
    assert_non_null(note(&import, "{{y | up}}"));
    assert_int_equal(rt_pattern_compile(import.items[0].expect, &pattern, &err), RT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool matched = false;
        assert_int_equal(rt_pattern_match(pattern, rt_bytes_str(cases[i].said), &matched), RT_OK);
        assert_int_equal(matched, cases[i].matches);
    }
    rt_pattern_free(pattern);
    rt_import_release(&import);
}

static void files_stay_in_their_folder(void **state)
{
    (void)state;
    static const char *const texts[] = {"prompts: file:///etc/passwd\n",
                                        "prompts: file://../x.txt\n",
                                        "prompts: [file://a/../../x.txt]\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct rt_import import;
        assert_int_equal(promptfoo(&import, texts[i], "/tmp"), RT_NOT_PERMITTED);
        rt_import_release(&import);
    }
}

// ---- YAML

static void texts_survive_yaml(void **state)
{
    (void)state;
    static const char *const texts[] = {"plain",
                                        "a: b # c",
                                        "\"q\" \\ 'x'",
                                        "two\nlines",
                                        "ends\n",
                                        "ends\n\n",
                                        "\n first",
                                        "  lead\nx",
                                        "trail \nx",
                                        "tab\there\nx",
                                        "---\n...\n%x",
                                        "yes",
                                        "",
                                        "ümlaut\n\xe2\x80\xa8x"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct rt_buf out;
        struct rt_arena arena;
        struct rt_node *root = NULL;
        rt_buf_init(&out, 4096);
        rt_arena_init(&arena, 1 << 16);
        rt_buf_add_str(&out, "top:\n");
        rt_yaml_text(&out, 2, "key", texts[i]);
        rt_buf_add_str(&out, "list:\n");
        rt_yaml_text(&out, 2, "-", texts[i]);
        assert_int_equal(rt_tree_parse(rt_buf_bytes(&out), "t", &arena, &root, &err), RT_OK);
        assert_string_equal(rt_node_child(rt_node_child(root, "top"), "key")->text, texts[i]);
        assert_string_equal(rt_node_child(root, "list")->first->text, texts[i]);
        rt_arena_release(&arena);
        rt_buf_release(&out);
    }
}

// ---- archives

static enum rt_status member(void *ctx, size_t i, struct rt_buf *out, struct rt_error *error)
{
    (void)error;
    rt_buf_printf(out, "%s %zu", (const char *)ctx, i);
    return RT_OK;
}

static char made[] = "made";

static void archives_come_back(void **state)
{
    (void)state;
    char path[] = "/tmp/rt-zip-XXXXXX", again[64];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    static const char *const names[] = {"header.json", "samples/a_epoch_1.json"};
    assert_int_equal(rt_zip_write(path, names, 2, member, made, &err), RT_OK);
    struct rt_zip_reader *zip = NULL;
    struct rt_buf out;
    rt_buf_init(&out, 100);
    assert_int_equal(rt_zip_open(path, &zip, &err), RT_OK);
    assert_int_equal(rt_zip_count(zip), 2);
    assert_int_equal(rt_zip_find(zip, "samples/a_epoch_1.json"), 1);
    assert_int_equal(rt_zip_read(zip, 1, &out, &err), RT_OK);
    assert_string_equal(rt_buf_str(&out), "made 1");
    rt_zip_free(zip);
    rt_buf_release(&out);
    snprintf(again, sizeof again, "%s.partial", path);
    assert_int_equal(access(again, F_OK), -1);
    unlink(path);
}

static void archives_stay_inside(void **state)
{
    (void)state;
    static const char *const names[] = {"../x", "/etc/x", "a/../x", "a\\x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[] = "/tmp/rt-zip-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(rt_zip_write(path, &names[i], 1, member, made, &err), RT_OK);
        struct rt_zip_reader *zip = NULL;
        assert_int_equal(rt_zip_open(path, &zip, &err), RT_NOT_PERMITTED);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_read),       cmocka_unit_test(a_letter_is_an_answer),
        cmocka_unit_test(prompt_tables_are_read), cmocka_unit_test(errors_name_the_place),
        cmocka_unit_test(asserts_become_a_rule),  cmocka_unit_test(files_stay_in_their_folder),
        cmocka_unit_test(texts_survive_yaml),     cmocka_unit_test(archives_come_back),
        cmocka_unit_test(archives_stay_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
