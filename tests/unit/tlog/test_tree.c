// SPDX-License-Identifier: Apache-2.0
// The tree against the RFC 6962 vectors: roots, proofs made, proofs checked, proofs refused.
#include "common/tlog/tree.h"

#include <inttypes.h>

#include "tests/unit/crypto/vectors.h"

#define NODE_LEVELS 20
#define LARGE_SIZE  70000

// Every node of a tree in memory: the store behind the callbacks.
struct nodes {
    struct rt_digest *levels[NODE_LEVELS];
    uint64_t counts[NODE_LEVELS];
};

static enum rt_status write_node(void *ctx, uint8_t level, uint64_t index,
                                 const struct rt_digest *hash)
{
    struct nodes *nodes = ctx;
    assert_true(level < NODE_LEVELS);
    assert_int_equal(index, nodes->counts[level]); // each node once, in order
    nodes->levels[level][nodes->counts[level]++] = *hash;
    return RT_OK;
}

static enum rt_status read_node(void *ctx, uint8_t level, uint64_t index,
                                struct rt_digest *ret_hash)
{
    struct nodes *nodes = ctx;
    if (level >= NODE_LEVELS || index >= nodes->counts[level])
        return RT_NOT_FOUND;
    *ret_hash = nodes->levels[level][index];
    return RT_OK;
}

static void nodes_init(struct nodes *nodes, uint64_t size)
{
    for (int level = 0; level < NODE_LEVELS; level++) {
        nodes->levels[level] = calloc((size >> level) + 1, sizeof(struct rt_digest));
        assert_non_null(nodes->levels[level]);
        nodes->counts[level] = 0;
    }
}

static void nodes_release(struct nodes *nodes)
{
    for (int level = 0; level < NODE_LEVELS; level++)
        free(nodes->levels[level]);
}

static struct rt_digest large_leaf(uint64_t index)
{
    char text[64];
    snprintf(text, sizeof text, "replication-leaf-%" PRIu64, index);
    struct rt_digest hash;
    rt_leaf_hash(rt_bytes_str(text), &hash);
    return hash;
}

// A tree of size leaves: of the small file (up to 8) or of the rule "replication-leaf-<index>".
static void build(struct nodes *nodes, struct rt_tree *tree, uint64_t size, bool small)
{
    json_t *json = small ? vector_json("rfc6962/tree_0_8.json") : NULL;
    rt_tree_init(tree);
    for (uint64_t i = 0; i < size; i++) {
        struct rt_digest hash;
        if (small) {
            struct rt_buf leaf = vector_hex(
                json_string_value(json_array_get(json_object_get(json, "leaves_hex"), i)));
            rt_leaf_hash(rt_buf_bytes(&leaf), &hash);
            rt_buf_release(&leaf);
        } else {
            hash = large_leaf(i);
        }
        assert_int_equal(rt_tree_append(tree, &hash, nodes ? write_node : NULL, nodes), RT_OK);
    }
    json_decref(json);
}

static size_t hashes_from(const json_t *array, struct rt_digest *ret_hashes, size_t most)
{
    size_t count = json_array_size(array);
    assert_true(count <= most);
    for (size_t i = 0; i < count; i++)
        ret_hashes[i] = vector_digest(json_string_value(json_array_get(array, i)));
    return count;
}

static uint64_t number(const json_t *item, const char *key)
{
    const json_t *value = json_object_get(item, key);
    if (json_is_integer(value))
        return (uint64_t)json_integer_value(value);
    assert_true(json_is_real(value));     // as test_must_reject loads them
    double real = json_real_value(value); // 2^64-1 reads as 2^64
    return real < 18446744073709551616.0 ? (uint64_t)real : UINT64_MAX;
}

static void test_small_roots(void **state)
{
    (void)state;
    json_t *json = vector_json("rfc6962/tree_0_8.json");
    json_t *wrong = vector_json("rfc6962/wrong_constructions.json");
    struct rt_digest leaves[8];
    for (uint64_t size = 0; size <= 8; size++) {
        struct rt_tree tree;
        build(NULL, &tree, size, true);
        struct rt_digest root, whole;
        rt_tree_root(&tree, &root);
        struct rt_digest want = vector_digest(
            json_string_value(json_array_get(json_object_get(json, "roots_by_size"), size)));
        assert_true(rt_digest_equal(&root, &want));
        if (size)
            leaves[size - 1] = vector_digest(
                json_string_value(json_array_get(json_object_get(json, "leaf_hashes"), size - 1)));
        rt_tree_root_of(leaves, size, &whole);
        assert_true(rt_digest_equal(&whole, &want));
        char key[24];
        snprintf(key, sizeof key, "%" PRIu64, size);
        const char *kind;
        json_t *roots;
        json_object_foreach(wrong, kind, roots)
        {
            const char *hex = json_string_value(json_object_get(roots, key));
            if (!hex)
                continue;
            struct rt_digest bad = vector_digest(hex);
            assert_false(rt_digest_equal(&root, &bad));
        }
    }
    json_decref(json);
    json_decref(wrong);
}

static void test_large_roots(void **state)
{
    (void)state;
    json_t *json = vector_json("rfc6962/roots_large.json");
    json_t *roots = json_object_get(json, "roots");
    struct nodes nodes;
    struct rt_tree tree, loaded;
    nodes_init(&nodes, LARGE_SIZE);
    rt_tree_init(&tree);
    size_t seen = 0;
    for (uint64_t size = 1; size <= LARGE_SIZE; size++) {
        struct rt_digest leaf = large_leaf(size - 1), root, want;
        assert_int_equal(rt_tree_append(&tree, &leaf, write_node, &nodes), RT_OK);
        char key[24];
        snprintf(key, sizeof key, "%" PRIu64, size);
        const char *hex = json_string_value(json_object_get(roots, key));
        if (!hex)
            continue;
        seen++;
        want = vector_digest(hex);
        rt_tree_root(&tree, &root);
        assert_true(rt_digest_equal(&root, &want));
        // The compact range read back from stored nodes is the same tree.
        assert_int_equal(rt_tree_load(&loaded, size, read_node, &nodes), RT_OK);
        rt_tree_root(&loaded, &root);
        assert_true(rt_digest_equal(&root, &want));
    }
    assert_int_equal(seen, json_object_size(roots));
    assert_int_equal(rt_tree_load(&loaded, LARGE_SIZE + 1, read_node, &nodes), RT_NOT_FOUND);
    nodes_release(&nodes);
    json_decref(json);
}

static void check_inclusions(const char *name, struct nodes *nodes)
{
    json_t *json = vector_json(name), *item;
    size_t i;
    assert_true(json_array_size(json) > 0);
    json_array_foreach(json, i, item)
    {
        uint64_t index = number(item, "index"), size = number(item, "size");
        struct rt_digest root = vector_digest(vector_str(item, "root"));
        struct rt_digest leaf = vector_digest(vector_str(item, "leaf_hash"));
        struct rt_digest want[RT_PROOF_MOST];
        size_t count = hashes_from(json_object_get(item, "proof"), want, RT_PROOF_MOST);
        assert_int_equal(rt_tree_verify_inclusion(&leaf, index, size, want, count, &root), RT_OK);
        struct rt_proof proof;
        assert_int_equal(rt_tree_inclusion(index, size, read_node, nodes, &proof), RT_OK);
        assert_int_equal(proof.count, count);
        assert_memory_equal(proof.hashes, want, count * sizeof want[0]);
    }
    json_decref(json);
}

static void check_consistencies(const char *name, struct nodes *nodes)
{
    json_t *json = vector_json(name), *item;
    size_t i;
    assert_true(json_array_size(json) > 0);
    json_array_foreach(json, i, item)
    {
        uint64_t old_size = number(item, "old_size"), new_size = number(item, "new_size");
        struct rt_digest old_root = vector_digest(vector_str(item, "old_root"));
        struct rt_digest new_root = vector_digest(vector_str(item, "new_root"));
        struct rt_digest want[RT_PROOF_MOST];
        size_t count = hashes_from(json_object_get(item, "proof"), want, RT_PROOF_MOST);
        assert_int_equal(
            rt_tree_verify_consistency(old_size, new_size, want, count, &old_root, &new_root),
            RT_OK);
        struct rt_proof proof;
        assert_int_equal(rt_tree_consistency(old_size, new_size, read_node, nodes, &proof), RT_OK);
        assert_int_equal(proof.count, count);
        assert_memory_equal(proof.hashes, want, count * sizeof want[0]);
    }
    json_decref(json);
}

static void test_proofs(void **state)
{
    (void)state;
    struct nodes nodes;
    struct rt_tree tree;
    nodes_init(&nodes, 8);
    build(&nodes, &tree, 8, true);
    check_inclusions("rfc6962/inclusion_1_8.json", &nodes);
    check_consistencies("rfc6962/consistency_0_8.json", &nodes);
    nodes_release(&nodes);
    nodes_init(&nodes, LARGE_SIZE);
    build(&nodes, &tree, LARGE_SIZE, false);
    check_inclusions("rfc6962/inclusion_large.json", &nodes);
    check_consistencies("rfc6962/consistency_large.json", &nodes);
    struct rt_proof proof;
    assert_int_equal(rt_tree_inclusion(7, 7, read_node, &nodes, &proof), RT_OUT_OF_RANGE);
    assert_int_equal(rt_tree_consistency(8, 7, read_node, &nodes, &proof), RT_OUT_OF_RANGE);
    assert_int_equal(rt_tree_inclusion(0, LARGE_SIZE + 1, read_node, &nodes, &proof), RT_NOT_FOUND);
    nodes_release(&nodes);
}

static void test_must_reject(void **state)
{
    (void)state;
    // Numbers as reals: one index is 2^63, which jansson's integer does not hold.
    struct rt_buf file = vector_file("rfc6962/must_reject.json");
    json_t *json = json_loadb((const char *)file.data, file.size, JSON_DECODE_INT_AS_REAL, NULL);
    json_t *item;
    rt_buf_release(&file);
    size_t i, wrong_length = 0;
    assert_int_equal(json_array_size(json), 300);
    json_array_foreach(json, i, item)
    {
        const json_t *array = json_object_get(item, "proof");
        struct rt_digest hashes[RT_PROOF_MOST];
        size_t count = json_array_size(array);
        bool sized = true;
        for (size_t n = 0; n < count; n++)
            sized &= json_string_length(json_array_get(array, n)) == 2 * RT_DIGEST_BYTES;
        if (!sized) { // cannot reach a function that takes whole digests: the text parsers refuse
                      // it
            wrong_length++;
            continue;
        }
        count = hashes_from(array, hashes, RT_PROOF_MOST);
        enum rt_status status;
        if (strcmp(vector_str(item, "kind"), "inclusion") == 0) {
            struct rt_digest root = vector_digest(vector_str(item, "root"));
            struct rt_digest leaf = vector_digest(vector_str(item, "leaf_hash"));
            status = rt_tree_verify_inclusion(&leaf, number(item, "index"), number(item, "size"),
                                              hashes, count, &root);
        } else {
            struct rt_digest old_root = vector_digest(vector_str(item, "old_root"));
            struct rt_digest new_root = vector_digest(vector_str(item, "new_root"));
            status = rt_tree_verify_consistency(number(item, "old_size"), number(item, "new_size"),
                                                hashes, count, &old_root, &new_root);
        }
        if (status != RT_BAD_PROOF)
            fail_msg("item %zu accepted: %s", i, vector_str(item, "why"));
    }
    assert_int_equal(wrong_length, 12);
    json_decref(json);
}

// The set's made-up roots are shorter than a digest; padding keeps them as equal or different as
// they are.
static bool base64_digest(const json_t *value, struct rt_digest *ret_digest)
{
    size_t size = 0;
    memset(ret_digest, 0, sizeof *ret_digest);
    return json_is_string(value) &&
           rt_base64_decode(json_string_value(value), json_string_length(value), ret_digest->bytes,
                            RT_DIGEST_BYTES, &size) == RT_OK &&
           size > 0;
}

// RT_OK or RT_BAD_PROOF for one file of the set; longer hashes cannot reach our functions.
static enum rt_status judge(const json_t *item)
{
    struct rt_digest hashes[RT_PROOF_MOST], first, second;
    const json_t *array = json_object_get(item, "proof");
    size_t count = json_array_size(array);
    if (count > RT_PROOF_MOST)
        return RT_BAD_PROOF;
    for (size_t i = 0; i < count; i++)
        if (!base64_digest(json_array_get(array, i), &hashes[i]))
            return RT_BAD_PROOF;
    if (json_object_get(item, "leafHash"))
        return base64_digest(json_object_get(item, "leafHash"), &first) &&
                       base64_digest(json_object_get(item, "root"), &second)
                   ? rt_tree_verify_inclusion(&first, number(item, "leafIdx"),
                                              number(item, "treeSize"), hashes, count, &second)
                   : RT_BAD_PROOF;
    return base64_digest(json_object_get(item, "root1"), &first) &&
                   base64_digest(json_object_get(item, "root2"), &second)
               ? rt_tree_verify_consistency(number(item, "size1"), number(item, "size2"), hashes,
                                            count, &first, &second)
               : RT_BAD_PROOF;
}

// Every JSON file below folder.
static size_t judge_folder(const char *folder)
{
    char **names = NULL, path[1024];
    size_t count = 0, judged = 0;
    struct rt_error err = {RT_OK, ""};
    assert_int_equal(rt_file_list(folder, 10000, &names, &count, &err), RT_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rt_path_join(path, sizeof path, folder, names[i]), RT_OK);
        if (!strstr(names[i], ".json")) {
            judged += judge_folder(path);
            continue;
        }
        struct rt_buf file = vector_file_at(folder, names[i]);
        json_t *item =
            json_loadb((const char *)file.data, file.size, JSON_DECODE_INT_AS_REAL, NULL);
        assert_non_null(item);
        // The set calls a proof from the empty tree useless; here it holds (consistency_0_8.json).
        bool from_empty = json_object_get(item, "size1") && number(item, "size1") == 0 &&
                          json_array_size(json_object_get(item, "proof")) == 0;
        bool refused = judge(item) != RT_OK;
        if (!from_empty && refused != json_is_true(json_object_get(item, "wantErr")))
            fail_msg("%s: %s", path, refused ? "refused" : "accepted");
        json_decref(item);
        rt_buf_release(&file);
        judged++;
    }
    rt_file_list_free(names, count);
    return judged;
}

static void test_third_party(void **state)
{
    (void)state;
    char path[1024];
    assert_int_equal(rt_path_join(path, sizeof path, vector_third_party(), "merkle-testdata"),
                     RT_OK);
    assert_int_equal(judge_folder(path), 122);
}

// A write that fails leaves the tree as it was.
static enum rt_status refuse(void *ctx, uint8_t level, uint64_t index, const struct rt_digest *hash)
{
    (void)index;
    (void)hash;
    return level == *(uint8_t *)ctx ? RT_NO_SPACE : RT_OK;
}

static void test_failed_append(void **state)
{
    (void)state;
    struct rt_tree tree, before;
    build(NULL, &tree, 7, true);
    before = tree;
    struct rt_digest leaf = large_leaf(0);
    for (uint8_t level = 0; level <= 3; level++) {
        assert_int_equal(rt_tree_append(&tree, &leaf, refuse, &level), RT_NO_SPACE);
        assert_memory_equal(&tree, &before, sizeof tree);
    }
    tree.size = RT_TREE_SIZE_MOST;
    assert_int_equal(rt_tree_append(&tree, &leaf, NULL, NULL), RT_OUT_OF_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_roots),   cmocka_unit_test(test_large_roots),
        cmocka_unit_test(test_proofs),        cmocka_unit_test(test_must_reject),
        cmocka_unit_test(test_failed_append), cmocka_unit_test(test_third_party),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
