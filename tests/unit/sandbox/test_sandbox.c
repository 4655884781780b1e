// SPDX-License-Identifier: Apache-2.0
// What is really run for what worker.yaml says, word for word, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/bytes.h"
#include "worker/sandbox/sandbox.h"

struct state {
    struct rt_arena arena;
    char folder[64], program[128], data[128], keys[128];
};

static void touch(const char *path, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
    static struct state own;
    rt_arena_init(&own.arena, (size_t)16 << 20);
    snprintf(own.folder, sizeof own.folder, "/tmp/ringtrial-sandbox-XXXXXX");
    assert_non_null(mkdtemp(own.folder));
    snprintf(own.program, sizeof own.program, "%s/run", own.folder);
    snprintf(own.data, sizeof own.data, "%s/data", own.folder);
    snprintf(own.keys, sizeof own.keys, "%s/keys", own.folder);
    touch(own.program, 0755);
    mkdir(own.data, 0755);
    mkdir(own.keys, 0700);
    *state = &own;
    return 0;
}

static int teardown(void **state)
{
    struct state *own = *state;
    unlink(own->program);
    rmdir(own->data);
    rmdir(own->keys);
    rmdir(own->folder);
    rt_arena_release(&own->arena);
    return 0;
}

static const struct rt_sandbox_host host = {
    .bwrap = "/usr/bin/bwrap",
    .apptainer = "/usr/bin/apptainer",
    .prlimit = "/usr/bin/prlimit",
    .running = 10,
    .system = {{"/bin", "usr/bin"}, {"/lib", NULL}},
    .system_count = 2,
};

// The words of argv with a space between, and FOLDER for the test's own.
static const char *joined(struct state *own, char *const *words)
{
    static struct rt_buf text;
    if (!text.limit)
        rt_buf_init(&text, 1 << 16);
    rt_buf_clear(&text);
    for (size_t i = 0; words[i]; i++) {
        const char *at = strstr(words[i], own->folder);
        rt_buf_add_str(&text, i ? " " : "");
        if (at) {
            const char *again = strstr(at + 1, own->folder);
            rt_buf_add(&text, words[i], (size_t)(at - words[i]));
            rt_buf_add_str(&text, "FOLDER");
            at += strlen(own->folder);
            rt_buf_add(&text, at, again ? (size_t)(again - at) : strlen(at));
            if (again)
                rt_buf_printf(&text, "FOLDER%s", again + strlen(own->folder));
        } else {
            rt_buf_add_str(&text, words[i]);
        }
    }
    return rt_buf_str(&text);
}

static const char *const command[] = {"./run", "--fast", "a b"};
static const char *const readable[] = {"data"};

static struct rt_sandbox_request request_of(struct state *own, enum rt_sandbox sandbox,
                                            struct rt_lab_confine *confine)
{
    static const char *secret[1];
    secret[0] = own->keys;
    *confine = (struct rt_lab_confine){.memory_bytes = 1 << 30,
                                       .file_size_bytes = 4096,
                                       .scratch_bytes = 1 << 20,
                                       .processes = 7,
                                       .cpu_seconds = 9,
                                       .open_files = 30,
                                       .read_only = (const char **)(uintptr_t)readable,
                                       .read_only_count = 1,
                                       .image = ""};
    return (struct rt_sandbox_request){.sandbox = sandbox,
                                       .command = command,
                                       .command_count = 3,
                                       .confine = confine,
                                       .folder = own->folder,
                                       .secret = secret,
                                       .secret_count = 1,
                                       .at_once = 4};
}

static rlim_t limit_of(const struct rt_sandbox_plan *plan, int resource)
{
    for (size_t i = 0; i < plan->limit_count; i++)
        if (plan->limits[i].resource == resource)
            return plan->limits[i].value;
    return RLIM_INFINITY;
}

static void bwrap_word_for_word(void **state)
{
    struct state *own = *state;
    struct rt_lab_confine confine;
    struct rt_sandbox_request request = request_of(own, RT_SANDBOX_BWRAP, &confine);
    struct rt_sandbox_plan plan;
    struct rt_error err;
    assert_int_equal(rt_sandbox_compose(&request, &host, &own->arena, &plan, &err), RT_OK);
    assert_string_equal(
        joined(own, plan.argv),
        "/usr/bin/bwrap --unshare-all --unshare-user --disable-userns --new-session "
        "--die-with-parent --clearenv --cap-drop ALL --uid 1000 --gid 1000 --hostname subject "
        "--ro-bind /usr /usr --symlink usr/bin /bin --ro-bind /lib /lib "
        "--ro-bind-try /etc/ld.so.cache /etc/ld.so.cache "
        "--ro-bind-try /etc/ld.so.conf /etc/ld.so.conf "
        "--ro-bind-try /etc/ld.so.conf.d /etc/ld.so.conf.d "
        "--ro-bind-try /etc/alternatives /etc/alternatives "
        "--ro-bind-try /etc/localtime /etc/localtime --proc /proc --dev /dev "
        "--size 1048576 --tmpfs /dev/shm --size 1048576 --tmpfs /tmp --size 1048576 --tmpfs /home "
        "--ro-bind FOLDER/data FOLDER/data --ro-bind FOLDER/run FOLDER/run "
        "--remount-ro /dev --remount-ro / "
        "--setenv PATH /usr/local/bin:/usr/bin:/bin --setenv HOME /home --setenv TMPDIR /tmp "
        "--setenv LANG C.UTF-8 --setenv USER subject --setenv LOGNAME subject "
        "--setenv RINGTRIAL_COMMAND 1 --chdir /tmp -- /usr/bin/prlimit --nproc=7:7 -- "
        "FOLDER/run --fast a b");
    assert_string_equal(plan.word, "bwrap");
    assert_string_equal(plan.envp[0], "PATH=/usr/local/bin:/usr/bin:/bin");
    assert_int_equal(limit_of(&plan, RLIMIT_AS), 1 << 30);
    assert_int_equal(limit_of(&plan, RLIMIT_FSIZE), 4096);
    assert_int_equal(limit_of(&plan, RLIMIT_CPU), 9);
    assert_int_equal(limit_of(&plan, RLIMIT_NOFILE), 30);
    assert_int_equal(limit_of(&plan, RLIMIT_CORE), 0);
    // Set outside, it would count whatever else this user runs.
    assert_int_equal(limit_of(&plan, RLIMIT_NPROC), RLIM_INFINITY);
    assert_false(plan.drop_user);
    confine.network = RT_LAB_NETWORK_HOST;
    assert_int_equal(rt_sandbox_compose(&request, &host, &own->arena, &plan, &err), RT_OK);
    assert_non_null(strstr(joined(own, plan.argv), " --share-net "));
    assert_string_equal(plan.word, "bwrap, network host");
}

static void apptainer_word_for_word(void **state)
{
    struct state *own = *state;
    struct rt_lab_confine confine;
    struct rt_sandbox_request request = request_of(own, RT_SANDBOX_APPTAINER, &confine);
    struct rt_sandbox_plan plan;
    struct rt_error err;
    confine.image = "run"; // any file will do
    assert_int_equal(rt_sandbox_compose(&request, &host, &own->arena, &plan, &err), RT_OK);
    assert_string_equal(joined(own, plan.argv),
                        "/usr/bin/apptainer --quiet exec --userns --containall --cleanenv "
                        "--no-privs --net --network none --bind FOLDER/data:FOLDER/data:ro "
                        "--env RINGTRIAL_COMMAND=1 --pwd /tmp FOLDER/run ./run --fast a b");
    assert_string_equal(plan.word, "apptainer");
    assert_string_equal(plan.program, "");
    assert_int_equal(limit_of(&plan, RLIMIT_NPROC), 10 + 4 * 7);
    confine.network = RT_LAB_NETWORK_HOST;
    assert_int_equal(rt_sandbox_compose(&request, &host, &own->arena, &plan, &err), RT_OK);
    assert_null(strstr(joined(own, plan.argv), "--net"));
    assert_string_equal(plan.word, "apptainer, network host");
}

// A link keeps its own name inside, as a virtual environment's python must, and what lies in a
// folder that is bound already is not bound again.
static void links_keep_their_names(void **state)
{
    struct state *own = *state;
    struct rt_lab_confine confine;
    struct rt_sandbox_request request = request_of(own, RT_SANDBOX_BWRAP, &confine);
    struct rt_sandbox_plan plan;
    struct rt_error err;
    char link[128], inside[160];
    const char *words[1], *paths[1] = {own->data};
    snprintf(link, sizeof link, "%s/link", own->folder);
    snprintf(inside, sizeof inside, "%s/python", own->data);
    assert_int_equal(symlink(own->program, link), 0);
    assert_int_equal(symlink("/usr/bin/env", inside), 0);
    request.command = words;
    request.command_count = 1;
    confine.read_only = paths;
    words[0] = link;
    assert_int_equal(rt_sandbox_compose(&request, &host, &own->arena, &plan, &err), RT_OK);
    assert_non_null(strstr(joined(own, plan.argv), " --ro-bind FOLDER/run FOLDER/link "));
    assert_non_null(strstr(joined(own, plan.argv), " -- FOLDER/link"));
    words[0] = inside;
    assert_int_equal(rt_sandbox_compose(&request, &host, &own->arena, &plan, &err), RT_OK);
    assert_null(strstr(joined(own, plan.argv), "/usr/bin/env"));
    assert_non_null(strstr(joined(own, plan.argv), " -- FOLDER/data/python"));
    unlink(link);
    unlink(inside);
}

static bool has(char *const *words, const char *word)
{
    for (size_t i = 0; words[i]; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static void plain_commands(void **state)
{
    struct state *own = *state;
    struct rt_lab_confine confine;
    struct rt_sandbox_plan plan;
    struct rt_error err;
    setenv("RINGTRIAL_TEST_TOKEN", "hush", 1);
    setenv("SLURM_JOB_ID", "17", 1);
    struct rt_sandbox_request request = request_of(own, RT_SANDBOX_NONE, &confine);
    assert_int_equal(rt_sandbox_compose(&request, &host, &own->arena, &plan, &err), RT_OK);
    assert_string_equal(joined(own, plan.argv), "FOLDER/run --fast a b");
    assert_string_equal(plan.word, "none");
    assert_string_equal(plan.start, own->folder);
    assert_int_equal(limit_of(&plan, RLIMIT_NPROC), 10 + 4 * 7);
    assert_true(has(plan.envp, "RINGTRIAL_COMMAND=1"));
    assert_false(has(plan.envp, "RINGTRIAL_TEST_TOKEN=hush"));
    assert_false(has(plan.envp, "SLURM_JOB_ID=17"));
    request.sandbox = RT_SANDBOX_SLURM_JOB;
    assert_int_equal(rt_sandbox_compose(&request, &host, &own->arena, &plan, &err), RT_OK);
    assert_string_equal(plan.word, "slurm-job");
    assert_true(has(plan.envp, "SLURM_JOB_ID=17"));
    assert_false(has(plan.envp, "RINGTRIAL_TEST_TOKEN=hush"));
}

static void must_refuse(struct state *own, const struct rt_sandbox_request *request,
                        const struct rt_sandbox_host *on, enum rt_status status, const char *says)
{
    struct rt_sandbox_plan plan;
    struct rt_error err = {RT_OK, ""};
    assert_int_equal(rt_sandbox_compose(request, on, &own->arena, &plan, &err), status);
    if (!strstr(err.text, says))
        fail_msg("`%s` does not say `%s`", err.text, says);
}

static void refusals(void **state)
{
    struct state *own = *state;
    struct rt_lab_confine confine;
    struct rt_sandbox_request request = request_of(own, RT_SANDBOX_BWRAP, &confine);
    struct rt_sandbox_host bare = host;
    static const char *const absent[] = {"./absent"}, *const unknown[] = {"no-such-program"};
    static const char *const folder[] = {"data"}, *paths[1];
    bare.bwrap = bare.apptainer = NULL;
    must_refuse(own, &request, &bare, RT_UNSUPPORTED, "apt-get install bubblewrap");
    request.sandbox = RT_SANDBOX_APPTAINER;
    must_refuse(own, &request, &bare, RT_UNSUPPORTED, "apptainer is not on this machine");
    request.sandbox = RT_SANDBOX_BWRAP;
    bare = host;
    bare.prlimit = NULL;
    must_refuse(own, &request, &bare, RT_UNSUPPORTED, "apt-get install util-linux");
    request.command = absent;
    must_refuse(own, &request, &host, RT_NOT_FOUND, "No such file");
    request.command = unknown;
    must_refuse(own, &request, &host, RT_NOT_FOUND, "command `no-such-program` is not in");
    request.command = folder;
    must_refuse(own, &request, &host, RT_NOT_FOUND, "command `data` is not in");
    request.command = command;
    // A folder that holds the keys, the keys themselves, and the root of everything.
    const char *const shown[] = {own->folder, own->keys, "/", "keys/.."};
    confine.read_only = paths;
    for (size_t i = 0; i < 4; i++) {
        paths[0] = shown[i];
        must_refuse(own, &request, &host, RT_POLICY, "would show the command");
    }
    confine.read_only_count = 0;
    bare = host;
    bare.root = true;
    assert_int_equal(chmod(own->program, 0700), 0);
    must_refuse(own, &request, &bare, RT_NOT_PERMITTED, "runs its commands as nobody");
    assert_int_equal(chmod(own->program, 0644), 0);
    must_refuse(own, &request, &host, RT_NOT_FOUND, "is no program; chmod +x it");
    assert_int_equal(chmod(own->program, 0755), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bwrap_word_for_word),
        cmocka_unit_test(apptainer_word_for_word),
        cmocka_unit_test(links_keep_their_names),
        cmocka_unit_test(plain_commands),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
