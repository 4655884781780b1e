// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/proto/documents.h"

#include "proto/doc/tree.h"

static enum rt_status parse(const char *text, struct rt_node **ret_root, struct rt_error *err)
{
    static struct rt_arena arena;
    rt_arena_release(&arena);
    rt_arena_init(&arena, ARENA_MOST);
    return rt_tree_parse(rt_bytes_str(text), "f.yaml", &arena, ret_root, err);
}

static void values_keep_their_lines(void **state)
{
    (void)state;
    struct rt_node *root;
    struct rt_error err;
    must_be_ok(
        parse("# a comment\na: 1\nb:\n  - x\n  - \"no\"\nc: {d: \"e\n   f\"}\n", &root, &err),
        &err);
    assert_int_equal(root->count, 3);
    assert_int_equal(rt_node_child(root, "a")->line, 2);
    const struct rt_node *list = rt_node_child(root, "b");
    assert_int_equal(list->count, 2);
    assert_int_equal(list->first->next->line, 5);
    assert_string_equal(list->first->next->text, "no");
    assert_false(list->first->next->plain);
    assert_null(rt_node_child(root, "z"));
}

static void what_is_refused_and_where(void **state)
{
    (void)state;
    static const struct change cases[] = {
        {"", "a: 1\nb: no\n", "f.yaml:2: bare `no` means different things"},
        {"", "On: 1\n", "f.yaml:1: bare `On`"},
        {"", "a: [x, yes]\n", "f.yaml:1: bare `yes`"},
        {"", "a: 1\nb: 2\na: 3\n", "f.yaml:3: `a` is written twice, first at line 1"},
        {"", "a: &x 1\n", "f.yaml:1: anchors"},
        {"", "a: 1\nb: *x\n", "f.yaml:2: aliases"},
        {"", "a: !!str 1\n", "f.yaml:1: tags"},
        {"", "a: 1\n---\nb: 2\n", "f.yaml:2: a second document"},
        {"", "a:\nb: 1\n", "f.yaml:1: a value is missing"},
        {"", "a: ~\n", "f.yaml:1: a value is missing"},
        {"", "? [x]\n: 1\n", "f.yaml:1: a key must be a text"},
        {"", "a: \"\\0\"\n", "f.yaml:1: a text holds a control character"},
        {"", "a: \"\\u0007\"\n", "f.yaml:1: a text holds a control character"},
        {"", "a: {b: 1\n", "f.yaml:2: "},
        {"", "a: \"x\n", "f.yaml:2: "},
        {"", "", "f.yaml: the file is empty"},
        {"", "# nothing\n", "f.yaml: the file is empty"},
        {"", "a: [[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]\n", "f.yaml:1: nested too deeply"},
        {"", "a: \xff\n", "f.yaml: byte 3"},
        {"", "%TAG ! x:\n---\na: 1\n", "tag directives are not read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rt_node *root;
        struct rt_error err = {0};
        must_say(&cases[i], parse(cases[i].to, &root, &err), &err);
    }
}

static void bounds(void **state)
{
    (void)state;
    struct rt_node *root;
    struct rt_error err;
    struct rt_buf text;
    rt_buf_init(&text, RT_DOC_FILE_MOST * 2);
    for (unsigned i = 0; i < RT_DOC_NODES_MOST; i++)
        rt_buf_add_str(&text, "- 1\n");
    assert_int_equal(parse(rt_buf_str(&text), &root, &err), RT_TOO_LARGE);
    rt_buf_clear(&text);
    rt_buf_add_str(&text, "a: ");
    while (text.size <= RT_DOC_FILE_MOST)
        rt_buf_add_str(&text, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    assert_int_equal(parse(rt_buf_str(&text), &root, &err), RT_TOO_LARGE);
    rt_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_their_lines),
        cmocka_unit_test(what_is_refused_and_where),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
