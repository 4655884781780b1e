// SPDX-License-Identifier: Apache-2.0
// Manifests: one text for one list of files, links that stay inside, and a cache that never hides a
// change.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "worker/subject/manifest.h"

static char folder[64];

static const char *in(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    struct rt_error err;
    assert_int_equal(rt_file_write(in(name), rt_bytes_str(text), 0600, &err), RT_OK);
}

static int setup(void **state)
{
    (void)state;
    struct rt_error err;
    strcpy(folder, "/tmp/rt-manifest-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(rt_file_mkdir(in("m/sub"), 0700, &err), RT_OK);
    put("m/b.safetensors", "weights");
    put("m/sub/tokenizer.json", "{}");
    put("m/a.txt", "a");
    put("m/.gitattributes", "not listed");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

// Scan and write; *ret_read is what had to be read.
static enum rt_status scan_text(const char *root, const char *const *files, size_t count,
                                const char *cache, struct rt_buf *out, uint64_t *ret_read,
                                struct rt_error *err)
{
    struct rt_manifest_scan *scan = NULL;
    struct rt_manifest manifest;
    struct rt_manifest_progress progress;
    enum rt_status status = rt_manifest_begin(root, files, count, cache, &scan, err);
    if (status)
        return status;
    while ((status = rt_manifest_step(scan, 0, err)) == RT_AGAIN)
        ;
    rt_manifest_progress(scan, &progress);
    *ret_read = progress.read_bytes;
    if (!status) {
        rt_manifest_result(scan, &manifest);
        rt_buf_clear(out);
        status = rt_manifest_write(&manifest, out);
    }
    rt_manifest_scan_free(scan);
    return status;
}

static void test_canonical(void **state)
{
    (void)state;
    struct rt_error err;
    struct rt_buf text, again;
    struct rt_arena arena;
    struct rt_manifest manifest;
    uint64_t read;
    rt_buf_init(&text, 1 << 20);
    rt_buf_init(&again, 1 << 20);
    rt_arena_init(&arena, 1 << 20);
    assert_int_equal(scan_text(in("m"), NULL, 0, NULL, &text, &read, &err), RT_OK);
    // SHA-256 of "a", "weights" and "{}" as sha256sum prints them.
    assert_string_equal(
        rt_buf_str(&text),
        "ringtrial-manifest/v1\n"
        "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb 1 a.txt\n"
        "sha256:9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c 7 "
        "b.safetensors\n"
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a 2 "
        "sub/tokenizer.json\n");
    assert_int_equal(rt_manifest_read(rt_buf_bytes(&text), &arena, &manifest, &err), RT_OK);
    assert_int_equal(rt_manifest_write(&manifest, &again), RT_OK);
    assert_true(rt_bytes_equal(rt_buf_bytes(&text), rt_buf_bytes(&again)));
    // Files by name: the same entries, and no others.
    const char *const names[] = {"b.safetensors"};
    assert_int_equal(scan_text(in("m"), names, 1, NULL, &again, &read, &err), RT_OK);
    assert_null(strstr(rt_buf_str(&again), "a.txt"));
    assert_non_null(strstr(rt_buf_str(&again), " 7 b.safetensors\n"));
    rt_buf_release(&text);
    rt_buf_release(&again);
    rt_arena_release(&arena);
}

static void test_refuses(void **state)
{
    (void)state;
    static const char line[] =
        "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb ";
    static const char *const bad[] = {"1 b\n%s1 a\n", "1 a\n%s1 a\n", "01 a\n", "1 /a\n", "1 a/\n",
                                      "1 ../a\n",      "1 .a\n",      "1 a",    "x a\n",  "1 \n",
                                      "1 a//b\n",      "1 a\tb\n",    " a\n"};
    struct rt_error err;
    struct rt_arena arena;
    struct rt_manifest manifest;
    char text[512], rest[256];
    rt_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *more = strstr(bad[i], "%s");
        snprintf(rest, sizeof rest, "%.*s%s%s", more ? (int)(more - bad[i]) : 256, bad[i],
                 more ? line : "", more ? more + 2 : "");
        snprintf(text, sizeof text, "ringtrial-manifest/v1\n%s%s", line, rest);
        if (rt_manifest_read(rt_bytes_str(text), &arena, &manifest, &err) != RT_MALFORMED)
            fail_msg("taken: %s", text);
    }
    rt_arena_release(&arena);
}

static void test_links(void **state)
{
    (void)state;
    struct rt_error err;
    struct rt_buf text;
    uint64_t read;
    rt_buf_init(&text, 1 << 20);
    put("outside.bin", "elsewhere");
    assert_int_equal(symlink("../b.safetensors", in("m/sub/inside")), 0);
    assert_int_equal(scan_text(in("m"), NULL, 0, NULL, &text, &read, &err), RT_OK);
    assert_non_null(strstr(rt_buf_str(&text), " 7 sub/inside\n"));
    assert_int_equal(symlink("../../outside.bin", in("m/sub/out")), 0);
    assert_int_equal(scan_text(in("m"), NULL, 0, NULL, &text, &read, &err), RT_POLICY);
    assert_non_null(strstr(err.text, "outside"));
    assert_int_equal(unlink(in("m/sub/out")), 0);
    // A folder that merely begins with the root's name is not inside it.
    assert_int_equal(rt_file_mkdir(in("mm"), 0700, &err), RT_OK);
    put("mm/x", "x");
    assert_int_equal(symlink("../../mm/x", in("m/sub/out")), 0);
    assert_int_equal(scan_text(in("m"), NULL, 0, NULL, &text, &read, &err), RT_POLICY);
    assert_int_equal(unlink(in("m/sub/out")), 0);
    assert_int_equal(symlink("..", in("m/sub/ring")), 0);
    assert_int_equal(scan_text(in("m"), NULL, 0, NULL, &text, &read, &err), RT_TOO_LARGE);
    rt_buf_release(&text);
}

// Files are older than the clock's grain, or the cache would rightly not be trusted.
static void settle(void)
{
    sleep(3);
}

static void test_cache(void **state)
{
    (void)state;
    struct rt_error err;
    struct rt_buf first, second;
    uint64_t read;
    struct stat st;
    rt_buf_init(&first, 1 << 20);
    rt_buf_init(&second, 1 << 20);
    settle();
    assert_int_equal(scan_text(in("m"), NULL, 0, in("cache"), &first, &read, &err), RT_OK);
    assert_int_equal(read, 10);
    assert_int_equal(scan_text(in("m"), NULL, 0, in("cache"), &second, &read, &err), RT_OK);
    assert_int_equal(read, 0);
    assert_true(rt_bytes_equal(rt_buf_bytes(&first), rt_buf_bytes(&second)));
    // The same size and the old modification time: the change is seen all the same.
    assert_int_equal(stat(in("m/b.safetensors"), &st), 0);
    int fd = open(in("m/b.safetensors"), O_WRONLY);
    assert_true(fd >= 0 && write(fd, "WEIGHTS", 7) == 7 && close(fd) == 0);
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, in("m/b.safetensors"), times, 0), 0);
    assert_int_equal(scan_text(in("m"), NULL, 0, in("cache"), &second, &read, &err), RT_OK);
    assert_int_equal(read, 7);
    assert_false(rt_bytes_equal(rt_buf_bytes(&first), rt_buf_bytes(&second)));
    // A cache of nonsense is none.
    put("cache", "1 2 3 junk\n\n");
    assert_int_equal(scan_text(in("m"), NULL, 0, in("cache"), &first, &read, &err), RT_OK);
    assert_int_equal(read, 10);
    assert_true(rt_bytes_equal(rt_buf_bytes(&first), rt_buf_bytes(&second)));
    rt_buf_release(&first);
    rt_buf_release(&second);
}

static void test_difference(void **state)
{
    (void)state;
    struct rt_manifest_file files[3] = {{.path = "a", .size = 1}, {.path = "b", .size = 2},
                                        {.path = "c", .size = 3}};
    struct rt_manifest all = {files, 3}, two = {files, 2}, tail = {files + 1, 2};
    struct rt_manifest_file other[3] = {files[0], {.path = "b", .size = 2, .digest = {{1}}},
                                        files[2]};
    char text[200];
    rt_manifest_difference(&all, &all, text, sizeof text);
    assert_string_equal(text, "");
    rt_manifest_difference(&all, &two, text, sizeof text);
    assert_string_equal(text, "c is missing");
    rt_manifest_difference(&tail, &all, text, sizeof text);
    assert_string_equal(text, "a is new");
    rt_manifest_difference(&all, &(struct rt_manifest){other, 3}, text, sizeof text);
    assert_string_equal(text, "b has other contents");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(test_canonical), TEST(test_refuses), TEST(test_links),
                                       TEST(test_cache), TEST(test_difference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
