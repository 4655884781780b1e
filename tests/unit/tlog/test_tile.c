// SPDX-License-Identifier: Apache-2.0
// Tiles against the vectors (paths and digests), and a whole log written, read back and damaged.
#include "common/tlog/tile.h"

#include <inttypes.h>

#include "tests/unit/crypto/vectors.h"

#define NODE_LEVELS 20
#define SIZE_MOST   70000
#define FILES_MOST  1200

// A log in memory: all nodes, leaves by rule, and a folder of files.
struct log {
    struct rt_digest *levels[NODE_LEVELS];
    uint64_t counts[NODE_LEVELS];
    struct rt_tree tree;
    size_t file_count;
    struct {
        char path[RT_TILE_PATH_BYTES];
        struct rt_buf content;
    } files[FILES_MOST];
    size_t gets;
};
static struct log *log_;

static void leaf_text(uint64_t index, char ret_text[48])
{
    snprintf(ret_text, 48, "replication-leaf-%" PRIu64, index);
}

static enum rt_status write_node(void *ctx, uint8_t level, uint64_t index,
                                 const struct rt_digest *hash)
{
    struct log *log = ctx;
    assert_int_equal(index, log->counts[level]);
    log->levels[level][log->counts[level]++] = *hash;
    return RT_OK;
}

static enum rt_status read_node(void *ctx, uint8_t level, uint64_t index,
                                struct rt_digest *ret_hash)
{
    struct log *log = ctx;
    if (level >= NODE_LEVELS || index >= log->counts[level])
        return RT_NOT_FOUND;
    *ret_hash = log->levels[level][index];
    return RT_OK;
}

static enum rt_status read_leaf(void *ctx, uint64_t index, struct rt_buf *out)
{
    (void)ctx;
    char text[48];
    leaf_text(index, text);
    rt_buf_add_str(out, text);
    return rt_buf_ok(out);
}

static struct rt_buf *find(struct log *log, const char *path)
{
    for (size_t i = 0; i < log->file_count; i++)
        if (strcmp(log->files[i].path, path) == 0)
            return &log->files[i].content;
    return NULL;
}

static enum rt_status put(void *ctx, const char *path, struct rt_bytes content)
{
    struct log *log = ctx;
    struct rt_buf *file = find(log, path);
    if (!file) {
        assert_true(log->file_count < FILES_MOST);
        snprintf(log->files[log->file_count].path, RT_TILE_PATH_BYTES, "%s", path);
        file = &log->files[log->file_count++].content;
        rt_buf_init(file, RT_BUNDLE_MOST);
    }
    rt_buf_clear(file);
    rt_buf_add_bytes(file, content);
    return rt_buf_ok(file);
}

static enum rt_status get(void *ctx, const char *path, struct rt_buf *out)
{
    struct log *log = ctx;
    log->gets++;
    struct rt_buf *file = find(log, path);
    if (!file)
        return RT_NOT_FOUND;
    rt_buf_add_bytes(out, rt_buf_bytes(file));
    return rt_buf_ok(out);
}

static void grow(struct log *log, uint64_t size)
{
    while (log->tree.size < size) {
        char text[48];
        struct rt_digest hash;
        leaf_text(log->tree.size, text);
        rt_leaf_hash(rt_bytes_str(text), &hash);
        assert_int_equal(rt_tree_append(&log->tree, &hash, write_node, log), RT_OK);
    }
}

static void forget_files(struct log *log)
{
    for (size_t i = 0; i < log->file_count; i++)
        rt_buf_release(&log->files[i].content);
    log->file_count = 0;
}

static struct rt_tile_source source(struct log *log)
{
    return (struct rt_tile_source){read_node, read_leaf, log};
}

static void write_log(struct log *log, uint64_t first_size, uint64_t size)
{
    struct rt_tile_source from = source(log);
    assert_int_equal(rt_tiles_write(first_size, size, &from, put, log), RT_OK);
}

static int start(void **state)
{
    (void)state;
    log_ = calloc(1, sizeof *log_);
    for (int level = 0; log_ && level < NODE_LEVELS; level++)
        if (!(log_->levels[level] = calloc((SIZE_MOST >> level) + 1, sizeof(struct rt_digest))))
            return 1;
    return log_ ? 0 : 1;
}

static int end(void **state)
{
    (void)state;
    forget_files(log_);
    for (int level = 0; level < NODE_LEVELS; level++)
        free(log_->levels[level]);
    free(log_);
    return 0;
}

static void test_paths(void **state)
{
    (void)state;
    json_t *json = vector_json("rfc6962/tiles.json"), *value;
    const char *index;
    char path[RT_TILE_PATH_BYTES], want[RT_TILE_PATH_BYTES];
    json_object_foreach(json_object_get(json, "index_path_examples"), index, value)
    {
        struct rt_tile tile = {.level = 3, .width = 256}, parsed;
        tile.index = strtoull(index, NULL, 10);
        snprintf(want, sizeof want, "tile/3/%s", json_string_value(value));
        rt_tile_path(&tile, path);
        assert_string_equal(path, want);
        assert_int_equal(rt_tile_parse_path(rt_bytes_str(path), &parsed), RT_OK);
        assert_int_equal(parsed.index, tile.index);
        tile.entries = true;
        tile.level = 0;
        tile.width = 7;
        snprintf(want, sizeof want, "tile/entries/%s.p/7", json_string_value(value));
        rt_tile_path(&tile, path);
        assert_string_equal(path, want);
        assert_int_equal(rt_tile_parse_path(rt_bytes_str(path), &parsed), RT_OK);
        assert_int_equal(parsed.width, 7);
        assert_true(parsed.entries);
    }
    json_decref(json);
    struct rt_tile top = {.level = 7, .index = UINT64_MAX, .width = 255}, parsed;
    rt_tile_path(&top, path);
    assert_int_equal(rt_tile_parse_path(rt_bytes_str(path), &parsed), RT_OK);
    assert_int_equal(parsed.index, UINT64_MAX);
    static const char *const wrong[] = {"",
                                        "tile/0",
                                        "tile/0/0",
                                        "tile/0/0000",
                                        "tile/8/000",
                                        "tile/0/x000/000",
                                        "tile/0/001/000",
                                        "tile/0/x001",
                                        "tile/0/000.p",
                                        "tile/0/000.p/",
                                        "tile/0/000.p/0",
                                        "tile/0/000.p/256",
                                        "tile/0/000.p/01",
                                        "tile/0/000.p/1x",
                                        "tile/00/000",
                                        "tile/entries",
                                        "tile/entries/000/",
                                        "tile//000",
                                        "tile/0/000 ",
                                        "tile/0/../000",
                                        "tile/0/000.p/-1",
                                        "tile/0/000.p/+1",
                                        "tile/0/000.p/ 1",
                                        "tile/0/x018/x446/x744/x073/x709/x551/616"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (rt_tile_parse_path(rt_bytes_str(wrong[i]), &parsed) == RT_OK)
            fail_msg("accepted %s", wrong[i]);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(log_->files[*(const size_t *)a].path, log_->files[*(const size_t *)b].path);
}

// SHA-256 over path LF SHA-256(tile), for hash tiles sorted by path: the vectors' digest_rule.
static void all_tiles(struct log *log, size_t *ret_count, struct rt_digest *ret_digest)
{
    static size_t order[FILES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < log->file_count; i++)
        if (strncmp(log->files[i].path, "tile/entries", 12) != 0)
            order[count++] = i;
    qsort(order, count, sizeof order[0], by_path);
    struct rt_sha256_state state;
    rt_sha256_init(&state);
    for (size_t i = 0; i < count; i++) {
        struct rt_digest digest;
        rt_sha256(rt_buf_bytes(&log->files[order[i]].content), &digest);
        rt_sha256_update(&state, log->files[order[i]].path, strlen(log->files[order[i]].path));
        rt_sha256_update(&state, "\n", 1);
        rt_sha256_update(&state, digest.bytes, sizeof digest.bytes);
    }
    rt_sha256_final(&state, ret_digest);
    *ret_count = count;
}

static void check_file(struct log *log, const json_t *item)
{
    struct rt_buf *file = find(log, vector_str(item, "path"));
    assert_non_null(file);
    assert_int_equal(file->size, json_integer_value(json_object_get(item, "bytes")));
    struct rt_digest digest, want = vector_digest(vector_str(item, "sha256"));
    rt_sha256(rt_buf_bytes(file), &digest);
    assert_true(rt_digest_equal(&digest, &want));
}

static void test_vectors(void **state)
{
    (void)state;
    json_t *json = vector_json("rfc6962/tiles.json"), *item, *tile;
    const char *key;
    size_t i;
    grow(log_, SIZE_MOST);
    assert_int_equal(json_object_size(json_object_get(json, "sizes")), 9);
    json_object_foreach(json_object_get(json, "sizes"), key, item)
    {
        uint64_t size = strtoull(key, NULL, 10);
        forget_files(log_);
        write_log(log_, 0, size);
        size_t count = 0;
        struct rt_digest digest;
        struct rt_digest want = vector_digest(vector_str(item, "all_tiles_digest_sha256"));
        all_tiles(log_, &count, &digest);
        assert_int_equal(count, json_integer_value(json_object_get(item, "count")));
        assert_true(rt_digest_equal(&digest, &want));
        json_array_foreach(json_object_get(item, "tiles"), i, tile)
        {
            check_file(log_, tile);
        }
        check_file(log_, json_object_get(item, "last_entry_bundle"));
    }
    json_decref(json);
}

static enum rt_status on_leaf(void *ctx, uint64_t index, struct rt_bytes leaf,
                              const struct rt_digest *hash)
{
    uint64_t *next = ctx;
    char text[48];
    struct rt_digest want;
    assert_int_equal(index, (*next)++);
    leaf_text(index, text);
    assert_true(rt_bytes_equal_str(leaf, text));
    rt_leaf_hash(leaf, &want);
    assert_true(rt_digest_equal(hash, &want));
    return RT_OK;
}

static void root_at(struct log *log, uint64_t size, struct rt_digest *ret_root)
{
    struct rt_tree tree;
    assert_int_equal(rt_tree_load(&tree, size, read_node, log), RT_OK);
    rt_tree_root(&tree, ret_root);
}

static void test_verify(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, 255, 256, 257, 600, 65536, 65537, 70000};
    grow(log_, SIZE_MOST);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct rt_digest root;
        root_at(log_, sizes[i], &root);
        forget_files(log_);
        write_log(log_, 0, sizes[i]);
        uint64_t next = 0;
        char path[RT_TILE_PATH_BYTES];
        assert_int_equal(rt_tiles_verify(sizes[i], &root, get, log_, on_leaf, &next, path), RT_OK);
        assert_int_equal(next, sizes[i]);
        root.bytes[5] ^= 1;
        assert_int_equal(rt_tiles_verify(sizes[i], &root, get, log_, NULL, NULL, path),
                         RT_BAD_PROOF);
    }
}

// Each stored file, damaged in turn, is found and named.
static void test_damage(void **state)
{
    (void)state;
    struct rt_digest root;
    grow(log_, SIZE_MOST);
    root_at(log_, 600, &root);
    forget_files(log_);
    write_log(log_, 0, 600);
    assert_int_equal(log_->file_count, 4 + 3);
    for (size_t i = 0; i < log_->file_count; i++) {
        struct rt_buf *file = &log_->files[i].content;
        char path[RT_TILE_PATH_BYTES];
        for (size_t at = 0; at < file->size; at += 97) {
            file->data[at] ^= 0x40;
            assert_int_not_equal(rt_tiles_verify(600, &root, get, log_, NULL, NULL, path), RT_OK);
            file->data[at] ^= 0x40;
        }
        size_t size = file->size;
        rt_buf_add_u8(file, 0);
        assert_int_not_equal(rt_tiles_verify(600, &root, get, log_, NULL, NULL, path), RT_OK);
        assert_string_equal(path, log_->files[i].path);
        rt_buf_truncate(file, size - 1);
        assert_int_not_equal(rt_tiles_verify(600, &root, get, log_, NULL, NULL, path), RT_OK);
        assert_string_equal(path, log_->files[i].path);
        rt_buf_clear(file);
        assert_int_not_equal(rt_tiles_verify(600, &root, get, log_, NULL, NULL, path), RT_OK);
        forget_files(log_);
        write_log(log_, 0, 600);
    }
    assert_int_equal(rt_tiles_verify(600, &root, get, log_, NULL, NULL, NULL), RT_OK);
}

// A mirror that grows writes only what is new, and ends with a log that verifies.
static void test_growth(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 3, 255, 256, 256, 300, 511, 512, 4000, 65536, 65600, 70000};
    struct rt_digest root;
    grow(log_, SIZE_MOST);
    forget_files(log_);
    for (size_t i = 1; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_log(log_, sizes[i - 1], sizes[i]);
        root_at(log_, sizes[i], &root);
        assert_int_equal(rt_tiles_verify(sizes[i], &root, get, log_, NULL, NULL, NULL), RT_OK);
    }
    struct rt_tile_source from = source(log_);
    assert_int_equal(rt_tiles_write(8, 7, &from, put, log_), RT_OUT_OF_RANGE);
    assert_int_equal(rt_tiles_write(0, SIZE_MOST + 1, &from, put, log_), RT_NOT_FOUND);
}

// Proofs made from tiles alone are those made from stored nodes.
static void test_reader(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 2, 255, 256, 257, 600, 65537, 70000};
    struct rt_tile_reader *reader = malloc(sizeof *reader);
    assert_non_null(reader);
    grow(log_, SIZE_MOST);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t size = sizes[i];
        forget_files(log_);
        write_log(log_, 0, size);
        rt_tile_reader_init(reader, size, get, log_);
        for (uint64_t index = 0; index < size; index += size / 37 + 1) {
            struct rt_proof proof, want;
            assert_int_equal(rt_tree_inclusion(index, size, rt_tile_reader_read, reader, &proof),
                             RT_OK);
            assert_int_equal(rt_tree_inclusion(index, size, read_node, log_, &want), RT_OK);
            assert_int_equal(proof.count, want.count);
            assert_memory_equal(proof.hashes, want.hashes, want.count * sizeof want.hashes[0]);
            assert_int_equal(rt_tree_consistency(index, size, rt_tile_reader_read, reader, &proof),
                             RT_OK);
            assert_int_equal(rt_tree_consistency(index, size, read_node, log_, &want), RT_OK);
            assert_int_equal(proof.count, want.count);
            assert_memory_equal(proof.hashes, want.hashes, want.count * sizeof want.hashes[0]);
        }
        struct rt_digest hash;
        assert_int_equal(rt_tile_reader_read(reader, 0, size, &hash), RT_NOT_FOUND);
    }
    // Neighbouring leaves come from the same tiles.
    log_->gets = 0;
    struct rt_proof proof;
    for (uint64_t index = 512; index < 512 + 256; index++)
        assert_int_equal(rt_tree_inclusion(index, 70000, rt_tile_reader_read, reader, &proof),
                         RT_OK);
    assert_true(log_->gets < 10);
    free(reader);
}

static void test_bundle_bounds(void **state)
{
    (void)state;
    struct rt_buf bundle;
    rt_buf_init(&bundle, RT_BUNDLE_MOST);
    uint8_t *leaf = calloc(1, RT_LEAF_MOST + 1);
    assert_non_null(leaf);
    assert_int_equal(rt_bundle_add(&bundle, rt_bytes(leaf, RT_LEAF_MOST + 1)), RT_TOO_LARGE);
    assert_int_equal(rt_bundle_add(&bundle, rt_bytes(leaf, RT_LEAF_MOST)), RT_OK);
    assert_int_equal(rt_bundle_add(&bundle, rt_bytes(NULL, 0)), RT_OK);
    struct rt_bytes rest = rt_buf_bytes(&bundle), entry;
    assert_int_equal(rt_bundle_next(&rest, &entry), RT_OK);
    assert_int_equal(entry.size, RT_LEAF_MOST);
    assert_int_equal(rt_bundle_next(&rest, &entry), RT_OK);
    assert_int_equal(entry.size, 0);
    assert_int_equal(rt_bundle_next(&rest, &entry), RT_NOT_FOUND);
    rest = rt_bytes(bundle.data, 1);
    assert_int_equal(rt_bundle_next(&rest, &entry), RT_MALFORMED);
    rest = rt_bytes(bundle.data, RT_LEAF_MOST + 1);
    assert_int_equal(rt_bundle_next(&rest, &entry), RT_MALFORMED);
    free(leaf);
    rt_buf_release(&bundle);

    struct rt_tile tile = {.level = 1, .index = 1, .width = 17}, of;
    assert_true(rt_tile_exists(&tile, 70000)); // 273 nodes of level 8
    tile.width = 18;
    assert_false(rt_tile_exists(&tile, 70000));
    tile.index = UINT64_MAX;
    assert_false(rt_tile_exists(&tile, 70000));
    assert_true(rt_tile_of_node(9, 136 - 1, 70000, &of));
    assert_int_equal(of.level, 1);
    assert_int_equal(of.index, 1);
    assert_int_equal(of.width, 17);
    assert_false(rt_tile_of_node(9, 136, 70000, &of));
    assert_false(rt_tile_of_node(64, 0, 70000, &of));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),         cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_verify),        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_growth),        cmocka_unit_test(test_reader),
        cmocka_unit_test(test_bundle_bounds),
    };
    return cmocka_run_group_tests_name("tile", tests, start, end);
}
