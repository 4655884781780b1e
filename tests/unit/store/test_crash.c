// SPDX-License-Identifier: Apache-2.0
// The store under SIGKILL and on a full disk. A child process commits batches, each of some leaves
// and as many trials in a cell, and says through a pipe what is committed; it is killed at a
// failpoint or at any moment. Whatever it said must be there, and a batch is there whole or not at
// all.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/store/shelter.h"

#define NOW    INT64_C(1789000000000)
#define ROUNDS 30

static char self[4096];
static struct rt_error err;

// One batch: `leaves` leaves, an object each, and as many trials in one cell.
static enum rt_status write_batch(struct rt_store *store, unsigned leaves, size_t object_bytes)
{
    static uint8_t object[65536];
    struct rt_core_effect cell = {.kind = RT_DO_CELL, .cell.sum.count = 1};
    struct rt_core_effects effects = {.list = &cell, .count = 1};
    struct rt_store_head head;
    enum rt_status status = rt_store_begin(store, &err);
    if (status != RT_OK)
        return status;
    for (unsigned i = 0; i < leaves && status == RT_OK; i++) {
        char text[64];
        rt_store_head(store, &head);
        snprintf(text, sizeof text, "leaf %" PRIu64 "\n", head.size);
        struct rt_store_leaf leaf = {.statement = rt_bytes_str(text),
                                     .digest = shelter_digest(text)};
        memcpy(object, text, strlen(text));
        struct rt_digest digest;
        rt_sha256(rt_bytes(object, object_bytes), &digest);
        status = rt_store_append(store, &leaf, NOW, NULL, NULL, &err);
        if (status == RT_OK)
            status = rt_store_put_object(store, &digest, rt_bytes(object, object_bytes), &err);
        if (status == RT_OK)
            status = rt_store_apply(store, &effects, 0, &err);
    }
    if (status == RT_OK)
        return rt_store_commit(store, &err);
    rt_store_abort(store);
    return status;
}

static int child(const char *folder)
{
    struct shelter shelter = {.store = NULL};
    snprintf(shelter.folder, sizeof shelter.folder, "%s", folder);
    shelter_open(&shelter, RT_STORE_WRITE);
    for (unsigned n = 0;; n++) {
        struct rt_store_head head;
        enum rt_status status = write_batch(shelter.store, 1 + n % 40, 200 + n % 3000);
        rt_store_head(shelter.store, &head);
        if (status != RT_OK) { // a failing commit, armed by the test: say so and what is left
            dprintf(1, "%s %" PRIu64 "\n", rt_status_name(status), head.size);
            rt_store_close(shelter.store);
            return 0;
        }
        if (write(1, &head.size, sizeof head.size) != sizeof head.size)
            return 1;
    }
}

static pid_t start_child(const char *folder, const char *failpoint, int *ret_pipe)
{
    int ends[2];
    if (pipe(ends) != 0)
        abort();
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        if (failpoint)
            setenv("RT_FAILPOINT", failpoint, 1);
        execl(self, self, "child", folder, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *ret_pipe = ends[0];
    return pid;
}

static uint64_t check_store(struct shelter *shelter, uint64_t said)
{
    struct rt_store_head head;
    struct shelter_cells cells;
    shelter_open(shelter, RT_STORE_WRITE); // checks the tree and the last thousand leaves
    rt_store_head(shelter->store, &head);
    assert_true(head.size >= said);
    shelter_read_cells(shelter, 0, &cells);
    assert_int_equal(cells.count ? cells.sums[0].count : 0, head.size);
    rt_store_close(shelter->store);
    shelter->store = NULL;
    return head.size;
}

static void what_was_said_is_there(void **state)
{
    (void)state;
    struct shelter shelter;
    uint64_t said = 0, size = 0, grown = 0;
    shelter_make(&shelter);
    rt_store_close(shelter.store);
    for (unsigned round = 0; round < ROUNDS; round++) {
        int from;
        uint64_t number;
        char failpoint[64];
        snprintf(failpoint, sizeof failpoint, "COORDINATOR_COMMIT:kill@%u", 1 + round / 2);
        pid_t pid = start_child(shelter.folder, round % 2 ? failpoint : NULL, &from);
        assert_true(pid > 0);
        // Without a failpoint it dies some time after its first word, most likely within a commit.
        while (read(from, &number, sizeof number) == sizeof number) {
            said = number;
            if (round % 2 == 0) {
                struct timespec pause = {0, (long)(round * 370000)};
                nanosleep(&pause, NULL);
                kill(pid, SIGKILL);
            }
        }
        int status;
        close(from);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        uint64_t now = check_store(&shelter, said);
        grown += now > size;
        size = now;
    }
    assert_true(grown > ROUNDS / 2);
    shelter_remove(&shelter);
}

static void a_failed_commit_leaves_nothing(void **state)
{
    (void)state;
    static const char *const actions[] = {"COORDINATOR_COMMIT:space@3",
                                          "COORDINATOR_COMMIT:fail@3"};
    static const char *const words[] = {"NO_SPACE 3", "IO 3"};
    for (size_t i = 0; i < 2; i++) {
        struct shelter shelter;
        int from;
        char text[256];
        shelter_make(&shelter);
        rt_store_close(shelter.store);
        pid_t pid = start_child(shelter.folder, actions[i], &from);
        size_t size = 0;
        for (ssize_t got; (got = read(from, text + size, sizeof text - 1 - size)) > 0;)
            size += (size_t)got;
        text[size] = 0;
        close(from);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        // Two batches of 1 and 2 leaves were said as numbers before the third failed.
        assert_true(size > 16);
        assert_memory_equal(text + 16, words[i], strlen(words[i]));
        assert_int_equal(check_store(&shelter, 3), 3);
        shelter_remove(&shelter);
    }
}

// A disk of 6 MB: intake stops with a clear error, nothing acknowledged is lost, and it goes on
// when there is room.
static void a_full_disk_stops_intake_and_no_more(void **state)
{
    (void)state;
    char folder[] = "/tmp/rt-full-XXXXXX", filler[64];
    struct shelter shelter;
    struct rt_store_head before, after;
    assert_non_null(mkdtemp(folder));
    if (mount("tmpfs", folder, "tmpfs", 0, "size=6m") != 0) {
        print_message("skipped: no right to mount a small file system\n");
        rmdir(folder);
        skip();
    }
    shelter_make_in(&shelter, folder);
    snprintf(filler, sizeof filler, "%s/filler", folder);
    int fd = open(filler, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(posix_fallocate(fd, 0, 3 << 20), 0);
    close(fd);
    for (int again = 0; again < 3; again++) {
        enum rt_status status = RT_OK;
        for (int i = 0; i < 1000 && status == RT_OK; i++) {
            rt_store_head(shelter.store, &before);
            status = write_batch(shelter.store, 20, 3000);
        }
        assert_int_equal(status, RT_NO_SPACE);
        rt_store_head(shelter.store, &after);
        assert_true(before.size == after.size && rt_digest_equal(&before.root, &after.root));
        struct shelter_cells cells; // reading goes on
        shelter_read_cells(&shelter, 0, &cells);
        assert_int_equal(cells.sums[0].count, after.size);
    }
    unlink(filler);
    assert_int_equal(write_batch(shelter.store, 20, 3000), RT_OK);
    rt_store_head(shelter.store, &after);
    assert_int_equal(after.size, before.size + 20);
    rt_store_close(shelter.store);
    assert_int_equal(check_store(&shelter, after.size), after.size);
    assert_int_equal(umount(folder), 0);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0)
        return 3;
    if (argc == 3 && strcmp(argv[1], "child") == 0)
        return child(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_said_is_there),
        cmocka_unit_test(a_failed_commit_leaves_nothing),
        cmocka_unit_test(a_full_disk_stops_intake_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
