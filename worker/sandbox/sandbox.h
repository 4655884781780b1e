// SPDX-License-Identifier: Apache-2.0
// From what worker.yaml says about a command to what is really run: program, arguments,
// environment and limits, for each sandbox (docs/EXECUTORS.md). A sandbox that cannot run here is
// an error with its remedy, and never replaced by a weaker one. Composing starts nothing and reads
// the file system only to resolve paths. One thread.
#ifndef RT_WORKER_SANDBOX_SANDBOX_H
#define RT_WORKER_SANDBOX_SANDBOX_H

#include <sys/resource.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "proto/labconfig.h"

#define RT_SANDBOX_LIMITS_MOST 8
#define RT_SANDBOX_WORDS_MOST  640

// What is asked for. All of it outlives the plan.
struct rt_sandbox_request {
    enum rt_sandbox sandbox;
    const char *const *command; // the program first: a path, or a name on the path
    size_t command_count;
    const struct rt_lab_confine *confine;
    const char *folder;          // absolute; relative paths start here
    const char *const *secret;   // absolute paths that no command may see (keys, store)
    size_t secret_count;
    uint32_t at_once; // how many such commands run side by side
};

// What is known of this machine; rt_sandbox_host_read fills it, tests write it by hand.
struct rt_sandbox_host {
    const char *bwrap, *apptainer, *prlimit; // absolute, NULL where there is none
    bool root;                               // this process may change its user
    uint32_t running;                        // processes of this user now
    // Folders beside /usr that programs expect: where a link is NULL the folder is a real one.
    struct {
        const char *path, *link;
    } system[8];
    size_t system_count;
};
enum rt_status rt_sandbox_host_read(struct rt_arena *arena,
                                    struct rt_sandbox_host *ret_host) RT_WARN_UNUSED;

struct rt_sandbox_plan {
    const char *word;    // for the fingerprint: "bwrap", "bwrap, network host", ...
    const char *program; // what the lab named, absolute; "" inside an image
    char **argv, **envp; // NULL-terminated; argv[0] is the file to execute
    const char *start;   // folder to start in
    bool drop_user;      // become nobody first: root would be bound by no limit on processes
    // Generations between the keeper's child and the command: a sandbox's own processes must not
    // get the signal that asks the command to end, or they would end it at once.
    unsigned own_generations;
    struct {
        int resource;
        rlim_t value;
    } limits[RT_SANDBOX_LIMITS_MOST];
    size_t limit_count;
};

// Everything lives in arena. RT_UNSUPPORTED where the sandbox is not on this machine,
// RT_NOT_FOUND for a program or path that is not there, RT_POLICY for one that would show a
// secret; the error says what to write instead.
enum rt_status rt_sandbox_compose(const struct rt_sandbox_request *request,
                                  const struct rt_sandbox_host *host, struct rt_arena *arena,
                                  struct rt_sandbox_plan *ret_plan,
                                  struct rt_error *err) RT_WARN_UNUSED;

// ---- for the adapters

struct rt_sandbox_words {
    char *items[RT_SANDBOX_WORDS_MOST];
    size_t count;
    bool failed; // out of memory, or too many
    struct rt_arena *arena;
};
void rt_sandbox_add(struct rt_sandbox_words *words, const char *word);
void rt_sandbox_addf(struct rt_sandbox_words *words, const char *format, ...) RT_PRINTF(2, 3);
#define RT_SANDBOX_ADD(words, ...)                                                                 \
    do {                                                                                           \
        const char *const added[] = {__VA_ARGS__};                                                 \
        for (size_t a = 0; a < sizeof added / sizeof *added; a++)                                  \
            rt_sandbox_add(words, added[a]);                                                       \
    } while (0)

// What the command may read: where it really lies, and where the command finds it, which is the
// path as the lab wrote it (a virtual environment's python, say, must be called by its link).
struct rt_sandbox_path {
    const char *real, *seen;
};

// argv of the two that wrap. paths holds read_only and what the program needs; for apptainer the
// image comes first.
void rt_sandbox_bwrap(const struct rt_sandbox_request *request, const struct rt_sandbox_host *host,
                      const char *program, const struct rt_sandbox_path *paths, size_t path_count,
                      struct rt_sandbox_words *argv);
void rt_sandbox_apptainer(const struct rt_sandbox_request *request,
                          const struct rt_sandbox_host *host, const struct rt_sandbox_path *paths,
                          size_t path_count, struct rt_sandbox_words *argv);

#endif
