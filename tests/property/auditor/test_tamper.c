// SPDX-License-Identifier: Apache-2.0
// Whatever is done to whichever file of a bundle, with the manifest made and signed anew or not,
// `verify` says no and names a place. RINGTRIAL_TAMPER_EVERY=N flips a bit in every N-th byte of
// every file under log/ and objects/ besides (1: in each).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "auditor/folder.h"
#include "auditor/verify.h"
#include "tests/unit/auditor/sample/sample.h"

static struct sample sample;
static struct rt_folder files; // the honest ones, listed once

static int set_up(void **state)
{
    static struct rt_checks checks;
    (void)state;
    sample_make(&sample, true);
    rt_checks_init(&checks);
    return rt_folder_open(sample.bundle, &checks, &files, NULL) != RT_OK;
}

static int tear_down(void **state)
{
    (void)state;
    rt_folder_close(&files);
    sample_release(&sample);
    return 0;
}

// Verified now: not authentic, and the first finding says where.
static void refused(const char *what, const char *path)
{
    const struct rt_audit_settings none = {.policy = NULL};
    struct rt_audit *audit = NULL;
    char verdict[1000];
    assert_int_equal(rt_audit_run(sample.bundle, &none, &audit, NULL), RT_OK);
    rt_audit_verdict(audit, verdict, sizeof verdict);
    if (rt_checks_verdict(rt_audit_checks(audit)) != RT_CHECK_FAILED ||
        strncmp(verdict, "NOT AUTHENTIC: ", 15) != 0)
        fail_msg("%s %s: %s", what, path, verdict);
    rt_audit_free(audit);
}

// A file of the bundle, its honest bytes, and what becomes of it.
struct victim {
    const char *path;
    char *name;
    struct rt_buf honest;
};

static struct victim victim_of(size_t i)
{
    struct victim victim = {.path = files.files[i].path};
    victim.name = sample_path(&sample, victim.path);
    sample_read(victim.name, &victim.honest);
    return victim;
}

static void release(struct victim *victim)
{
    free(victim->name);
    rt_buf_release(&victim->honest);
}

static bool is_manifest(const struct victim *victim)
{
    return strncmp(victim->path, "manifest.", 9) == 0;
}

// Put the honest bytes back, and the honest manifest.
static void restore(const struct victim *victim, const struct rt_buf *manifest,
                    const struct rt_buf *signature)
{
    char *name = sample_path(&sample, RT_EVIDENCE_MANIFEST);
    sample_write(name, rt_buf_bytes(manifest));
    free(name);
    name = sample_path(&sample, RT_EVIDENCE_SIGNATURE);
    sample_write(name, rt_buf_bytes(signature));
    free(name);
    sample_write(victim->name, rt_buf_bytes(&victim->honest));
}

enum tampering { FLIP, FLIP_AGAIN, CUT, GROW, EMPTY, OTHER, REMOVE, DOUBLE, TAMPERINGS };
static const char *const words[] = {"flip",   "flip",  "cut", "grow", "empty", "other's bytes in",
                                    "remove", "double"};

static struct rt_bytes flipped(struct rt_buf *copy, const struct victim *victim, size_t at)
{
    rt_buf_clear(copy);
    rt_buf_add_bytes(copy, rt_buf_bytes(&victim->honest));
    copy->data[at] ^= (uint8_t)(1u << sample_random(&sample, 8));
    return rt_buf_bytes(copy);
}

static void remove_file(const struct victim *victim)
{
    char folder[400];
    assert_int_equal(unlink(victim->name), 0);
    // An empty folder left behind would be refused for itself.
    snprintf(folder, sizeof folder, "%s", victim->name);
    *strrchr(folder, '/') = 0;
    rmdir(folder);
}

static void tamper(const struct victim *victim, enum tampering how, struct rt_buf *copy)
{
    struct rt_bytes honest = rt_buf_bytes(&victim->honest);
    char name[500];
    struct victim other;
    switch (how) {
    case FLIP:
    case FLIP_AGAIN:
        sample_write(victim->name, flipped(copy, victim, sample_random(&sample, honest.size)));
        break;
    case CUT:
        sample_write(victim->name, rt_bytes(honest.data, honest.size - 1));
        break;
    case GROW:
        rt_buf_clear(copy);
        rt_buf_add_bytes(copy, honest);
        rt_buf_add_u8(copy, '\n');
        sample_write(victim->name, rt_buf_bytes(copy));
        break;
    case EMPTY:
        sample_write(victim->name, rt_bytes(NULL, 0));
        break;
    case OTHER:
        other = victim_of(sample_random(&sample, files.count));
        rt_buf_clear(copy);
        rt_buf_add_bytes(copy, rt_buf_bytes(&other.honest));
        rt_buf_add_u8(copy, 0); // should it have drawn itself
        sample_write(victim->name, rt_buf_bytes(copy));
        release(&other);
        break;
    case REMOVE:
        remove_file(victim);
        break;
    default:
        snprintf(name, sizeof name, "%s.2", victim->name);
        sample_write(name, honest);
    }
}

static void every_file_is_held(void **state)
{
    (void)state;
    struct rt_buf copy, manifest, signature;
    char *name = sample_path(&sample, RT_EVIDENCE_MANIFEST);
    sample_read(name, &manifest);
    free(name);
    name = sample_path(&sample, RT_EVIDENCE_SIGNATURE);
    sample_read(name, &signature);
    free(name);
    rt_buf_init(&copy, (size_t)64 << 20);
    for (size_t i = 0; i < files.count; i++) {
        struct victim victim = victim_of(i);
        bool is_object = strncmp(victim.path, "objects/", 8) == 0;
        for (int how = 0; how < TAMPERINGS; how++) {
            // Objects are many and alike: each is flipped, and suffers some of the rest.
            if (is_object && how != FLIP && sample_random(&sample, 3))
                continue;
            tamper(&victim, (enum tampering)how, &copy);
            // A thief's manifest is the operator's own: signed by the real key.
            if (!is_manifest(&victim) && sample_random(&sample, 2))
                sample_manifest(&sample);
            refused(words[how], victim.path);
            if (how == DOUBLE) {
                char extra[500];
                snprintf(extra, sizeof extra, "%s.2", victim.name);
                unlink(extra);
            }
            restore(&victim, &manifest, &signature);
        }
        release(&victim);
    }
    rt_buf_release(&copy);
    rt_buf_release(&manifest);
    rt_buf_release(&signature);
    // Restored to what it was, it passes: the refusals above were of what was done.
    const struct rt_audit_settings none = {.policy = NULL};
    struct rt_audit *audit = NULL;
    assert_int_equal(rt_audit_run(sample.bundle, &none, &audit, NULL), RT_OK);
    assert_int_equal(rt_checks_verdict(rt_audit_checks(audit)), RT_OK);
    rt_audit_free(audit);
}

static void every_nth_byte_is_held(void **state)
{
    (void)state;
    const char *every = getenv("RINGTRIAL_TAMPER_EVERY");
    size_t step = every ? (size_t)atol(every) : 0;
    if (!step)
        skip();
    struct rt_buf copy;
    rt_buf_init(&copy, (size_t)64 << 20);
    size_t count = 0;
    for (size_t i = 0; i < files.count; i++) {
        struct victim victim = victim_of(i);
        if (strncmp(victim.path, "log/", 4) == 0 || strncmp(victim.path, "objects/", 8) == 0)
            for (size_t at = count % step; at < victim.honest.size; at += step, count++) {
                sample_write(victim.name, flipped(&copy, &victim, at));
                refused("flip", victim.path);
            }
        sample_write(victim.name, rt_buf_bytes(&victim.honest));
        release(&victim);
    }
    fprintf(stderr, "%zu flips, all refused\n", count);
    rt_buf_release(&copy);
}

// A bit of what somebody signed, in a log that is written and signed anew around it.
static void every_signed_byte_is_held(void **state)
{
    (void)state;
    static struct rt_statement statement;
    for (int round = 0; round < 100; round++) {
        struct sample_log log;
        sample_bundle(&sample);
        sample_log_read(&sample, &log);
        size_t leaf = sample_random(&sample, log.count);
        assert_int_equal(rt_statement_parse(log.leaves[leaf], &statement, NULL), RT_OK);
        size_t at = sample_random(&sample, statement.unstamped.size);
        ((uint8_t *)(uintptr_t)log.leaves[leaf].data)[at] ^=
            (uint8_t)(1u << sample_random(&sample, 8));
        sample_log_write(&sample, &log);
        sample_manifest(&sample);
        char what[60];
        snprintf(what, sizeof what, "round %d, leaf %zu, byte %zu", round, leaf, at);
        refused(what, "log");
        sample_log_free(&log);
    }
    sample_bundle(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_held),
        cmocka_unit_test(every_signed_byte_is_held),
        cmocka_unit_test(every_nth_byte_is_held),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
