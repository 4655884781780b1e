// SPDX-License-Identifier: Apache-2.0
// Ratings that raters have left in STATE/ratings: signed here, put into the outbox like any other
// statement, and their files removed once they are on disk there.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "proto/object_rating.h"
#include "worker/rating/desk.h"
#include "worker/run_state.h"

#define SCAN_EVERY_MS 500
#define FILES_MOST    65536

static bool ends_in(const char *name, const char *suffix)
{
    size_t size = strlen(name), end = strlen(suffix);
    return size > end && strcmp(name + size - end, suffix) == 0;
}

// The objects a rating names (a judge's fingerprint) are documents of the outbox.
static enum rt_status take_object(struct rt_run *run, const char *path)
{
    struct rt_buf bytes;
    struct rt_digest digest;
    rt_buf_init(&bytes, RT_FINGERPRINT_MOST);
    enum rt_status status = rt_file_read(path, &bytes, NULL);
    rt_sha256(rt_buf_bytes(&bytes), &digest);
    if (!status)
        rt_outbox_put_object(run->outbox, &digest, rt_buf_bytes(&bytes));
    rt_buf_release(&bytes);
    return status;
}

static enum rt_status take_rating(struct rt_run *run, const char *path)
{
    struct rt_buf bytes;
    struct rt_arena arena;
    struct rt_object_rating rating;
    struct rt_digest digest;
    rt_buf_init(&bytes, RT_RATING_MOST);
    rt_arena_init(&arena, (size_t)16 << 20);
    enum rt_status status = rt_file_read(path, &bytes, NULL);
    if (!status)
        status = rt_object_rating_decode(rt_buf_bytes(&bytes), &arena, &rating, NULL);
    struct run_campaign *campaign = status ? NULL : run_find_campaign(run, &rating.campaign);
    if (!status && (!campaign || !campaign->has_accept))
        status = RT_NOT_FOUND;
    if (!status && !rt_bytes_equal_str(rating.lab, run->home->config->lab))
        status = RT_NOT_PERMITTED;
    if (!status) {
        rt_sha256(rt_buf_bytes(&bytes), &digest);
        struct rt_statement statement = {.kind = RT_STATEMENT_RATING,
                                         .campaign = rating.campaign,
                                         .lab = rating.lab,
                                         .rating = digest};
        run_submit_rating(run, campaign, &statement, rt_buf_bytes(&bytes), &rating.fingerprint);
        rt_log_info("rating handed in", "campaign=%s kind=%s rater=%.*s trials=%zu", campaign->name,
                    rt_rater_kind_words[rating.kind], (int)rating.rater.size,
                    (const char *)rating.rater.data, rating.trials_count);
    }
    rt_arena_release(&arena);
    rt_buf_release(&bytes);
    return status;
}

void run_take_ratings(struct rt_run *run)
{
    char folder[PATH_MAX], path[PATH_MAX];
    char **names = NULL;
    size_t count = 0;
    struct rt_error err;
    if (run->mono_ms < run->ratings_ms || run->stalled)
        return;
    run->ratings_ms = run->mono_ms + SCAN_EVERY_MS;
    run->ratings_waiting = false;
    if (rt_path_join(folder, sizeof folder, run->home->state, "ratings") ||
        !rt_file_exists(folder) || rt_file_list(folder, FILES_MOST, &names, &count, &err))
        return;
    // Objects first: "object" comes before "rating" in no order of names, so in two rounds.
    for (int round = 0; round < 2 && !run->fatal; round++)
        for (size_t i = 0; i < count && !run->fatal; i++) {
            if (!ends_in(names[i], round ? ".rating" : ".object") ||
                rt_path_join(path, sizeof path, folder, names[i]))
                continue;
            enum rt_status status = round ? take_rating(run, path) : take_object(run, path);
            if (status) {
                rt_log_warn("a rating cannot be taken", "file=%s why=%s", rt_log_quote(names[i]),
                            rt_log_quote(rt_status_text(status)));
                continue;
            }
            run->ratings_waiting = run->progress = true;
        }
    // The files go once what they held is on disk; a crash in between hands the same statement in
    // again, which is the same to the byte.
    if (run->ratings_waiting && !run->fatal && rt_outbox_commit(run->outbox, &err) == RT_OK) {
        run_settled(run);
        for (size_t i = 0; i < count; i++)
            if ((ends_in(names[i], ".rating") || ends_in(names[i], ".object")) &&
                rt_path_join(path, sizeof path, folder, names[i]) == RT_OK)
                (void)unlink(path);
    }
    rt_file_list_free(names, count);
}
