// SPDX-License-Identifier: Apache-2.0
// The worker's tables and vault: what a commit makes true, what a failed one keeps, and that damage
// is seen.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "worker/ledger.h"

static char folder[64];

static int fresh_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rt-ledger-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int no_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static struct rt_ledger *opened(void)
{
    struct rt_ledger *ledger = NULL;
    struct rt_error err;
    if (rt_ledger_open(folder, false, &ledger, &err))
        fail_msg("%s", err.text);
    return ledger;
}

static void put(struct rt_ledger *ledger, const char *key, const char *value)
{
    rt_ledger_put(ledger, RT_TABLE_META, rt_bytes_str(key), rt_bytes_str(value));
}

static void expect(struct rt_ledger *ledger, const char *key, const char *value)
{
    struct rt_buf out;
    rt_buf_init(&out, 1 << 20);
    enum rt_status status = rt_ledger_get(ledger, RT_TABLE_META, rt_bytes_str(key), &out);
    if (value) {
        assert_int_equal(status, RT_OK);
        assert_string_equal(rt_buf_str(&out), value);
    } else {
        assert_int_equal(status, RT_NOT_FOUND);
    }
    rt_buf_release(&out);
}

static void commit_ok(struct rt_ledger *ledger)
{
    struct rt_error err;
    if (rt_ledger_commit(ledger, &err))
        fail_msg("%s", err.text);
}

static void test_a_batch_is_seen_before_and_kept_after_its_commit(void **state)
{
    (void)state;
    struct rt_ledger *ledger = opened();
    put(ledger, "a", "1");
    put(ledger, "a", "2");
    put(ledger, "b", "3");
    expect(ledger, "a", "2");
    assert_int_equal(rt_ledger_pending(ledger), 3);
    commit_ok(ledger);
    assert_int_equal(rt_ledger_pending(ledger), 0);
    put(ledger, "c", "never committed");
    rt_ledger_del(ledger, RT_TABLE_META, rt_bytes_str("b"));
    expect(ledger, "b", NULL);
    rt_ledger_close(ledger);

    ledger = opened();
    expect(ledger, "a", "2");
    expect(ledger, "b", "3");
    expect(ledger, "c", NULL);
    rt_ledger_close(ledger);
}

static enum rt_status count_entry(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    (void)value;
    assert_true(key.size >= 2 && key.data[0] == 'k' && key.data[1] == '1');
    (*(int *)ctx)++;
    return RT_OK;
}

static void test_each_visits_a_prefix(void **state)
{
    (void)state;
    struct rt_ledger *ledger = opened();
    put(ledger, "k0x", "");
    put(ledger, "k1", "one");
    put(ledger, "k1a", "two");
    put(ledger, "k1b", "three");
    put(ledger, "k2", "");
    commit_ok(ledger);
    int count = 0;
    assert_int_equal(
        rt_ledger_each(ledger, RT_TABLE_META, rt_bytes_str("k1"), count_entry, &count), RT_OK);
    assert_int_equal(count, 3);
    rt_ledger_close(ledger);
}

static void test_transcripts_come_back_by_digest(void **state)
{
    (void)state;
    struct rt_ledger *ledger = opened();
    struct rt_digest digests[40];
    char text[4000];
    for (int i = 0; i < 40; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        rt_ledger_put_object(ledger, rt_bytes(text, 1000 + (size_t)i * 50), &digests[i]);
        if (i % 7 == 6)
            commit_ok(ledger);
    }
    rt_ledger_close(ledger); // the last five were never committed
    ledger = opened();
    struct rt_buf out;
    struct rt_error err;
    rt_buf_init(&out, 1 << 20);
    for (int i = 0; i < 40; i++) {
        rt_buf_clear(&out);
        enum rt_status status = rt_ledger_object(ledger, &digests[i], &out, &err);
        assert_int_equal(status, i < 35 ? RT_OK : RT_NOT_FOUND);
        if (i < 35)
            assert_int_equal(out.size, 1000 + i * 50);
    }
    rt_buf_release(&out);
    rt_ledger_close(ledger);
}

static void test_a_torn_record_is_cut_off(void **state)
{
    (void)state;
    struct rt_ledger *ledger = opened();
    struct rt_digest first, second;
    rt_ledger_put_object(ledger, rt_bytes_str("the first"), &first);
    commit_ok(ledger);
    rt_ledger_close(ledger);
    char path[128];
    snprintf(path, sizeof path, "%s/vault/pack-00000001", folder);
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "RTV1\0\0\1\0\0\0\1\0half", 16), 16);
    close(fd);
    ledger = opened();
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    rt_ledger_put_object(ledger, rt_bytes_str("the second"), &second);
    commit_ok(ledger);
    struct rt_buf out;
    struct rt_error err;
    rt_buf_init(&out, 1 << 20);
    assert_int_equal(rt_ledger_object(ledger, &first, &out, &err), RT_OK);
    assert_int_equal(rt_ledger_object(ledger, &second, &out, &err), RT_OK);
    assert_string_equal(rt_buf_str(&out), "the firstthe second");
    rt_buf_release(&out);
    rt_ledger_close(ledger);
}

// Flip one byte of value on disk: LMDB would hand it out without a word.
static void test_damage_is_seen(void **state)
{
    (void)state;
    struct rt_ledger *ledger = opened();
    put(ledger, "key", "a-value-that-can-be-found-in-the-file");
    struct rt_digest digest;
    rt_ledger_put_object(ledger, rt_bytes_str("some transcript or other"), &digest);
    commit_ok(ledger);
    rt_ledger_close(ledger);
    char path[128];
    static uint8_t file[1 << 20];
    snprintf(path, sizeof path, "%s/outbox.mdb", folder);
    int fd = open(path, O_RDWR);
    ssize_t size = read(fd, file, sizeof file);
    uint8_t *found = memmem(file, (size_t)size, "a-value-that-can", 16);
    assert_non_null(found);
    assert_int_equal(pwrite(fd, "A", 1, found - file), 1);
    close(fd);
    snprintf(path, sizeof path, "%s/vault/pack-00000001", folder);
    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "\xff", 1, 60), 1);
    close(fd);

    ledger = opened();
    struct rt_buf out;
    struct rt_error err;
    rt_buf_init(&out, 1 << 20);
    assert_int_equal(rt_ledger_get(ledger, RT_TABLE_META, rt_bytes_str("key"), &out),
                     RT_CORRUPT);
    assert_int_equal(rt_ledger_object(ledger, &digest, &out, &err), RT_CORRUPT);
    assert_int_equal(out.size, 0);
    rt_buf_release(&out);
    rt_ledger_close(ledger);
}

// A failing commit keeps its batch; the failpoint stands for a full disk.
static void test_a_full_disk_loses_nothing(void **state)
{
    (void)state;
    if (!getenv("RT_FAILPOINT")) {
        skip();
        return;
    }
    struct rt_ledger *ledger = opened();
    struct rt_error err;
    struct rt_digest digest;
    put(ledger, "x", "y");
    rt_ledger_put_object(ledger, rt_bytes_str("a transcript"), &digest);
    assert_int_equal(rt_ledger_commit(ledger, &err), RT_NO_SPACE);
    assert_int_equal(rt_ledger_pending(ledger), 2);
    expect(ledger, "x", "y");
    char path[128];
    struct stat info;
    snprintf(path, sizeof path, "%s/vault/pack-00000001", folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 0);
    rt_ledger_close(ledger);
    ledger = opened();
    expect(ledger, "x", NULL);
    rt_ledger_close(ledger);
}

static void test_one_process_holds_the_state(void **state)
{
    (void)state;
    struct rt_error err;
    int first, second;
    assert_int_equal(rt_state_lock(folder, &first, &err), RT_OK);
    assert_int_equal(rt_state_lock(folder, &second, &err), RT_BUSY);
    char pid[32];
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(err.text, pid));
    close(first);
    assert_int_equal(rt_state_lock(folder, &second, &err), RT_OK);
    close(second);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_batch_is_seen_before_and_kept_after_its_commit,
                                        fresh_folder, no_folder),
        cmocka_unit_test_setup_teardown(test_each_visits_a_prefix, fresh_folder, no_folder),
        cmocka_unit_test_setup_teardown(test_transcripts_come_back_by_digest, fresh_folder,
                                        no_folder),
        cmocka_unit_test_setup_teardown(test_a_torn_record_is_cut_off, fresh_folder, no_folder),
        cmocka_unit_test_setup_teardown(test_damage_is_seen, fresh_folder, no_folder),
        cmocka_unit_test_setup_teardown(test_one_process_holds_the_state, fresh_folder, no_folder),
    };
    // The failpoint is read once a process, so this case runs in a process of its own.
    const struct CMUnitTest full[] = {
        cmocka_unit_test_setup_teardown(test_a_full_disk_loses_nothing, fresh_folder, no_folder),
    };
    if (argc > 1)
        return cmocka_run_group_tests(full, NULL, NULL);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[4200];
    snprintf(command, sizeof command, "RT_FAILPOINT=worker-outbox-commit:space '%s' full",
             argv[0]);
    return failed || system(command) ? 1 : 0;
}
