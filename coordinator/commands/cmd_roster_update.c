// SPDX-License-Identifier: Apache-2.0
// `roster update`: a roster that people have edited becomes the next version, signed offline by as
// many root keys as this version and the next one ask for.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/file.h"
#include "coordinator/commands/client.h"
#include "coordinator/commands/commands.h"
#include "coordinator/commands/next_roster.h"
#include "proto/doc/doc.h"

struct settings {
    const char *state, *out, *statement;
};

struct update {
    struct rt_client client;
    struct rt_arena arena;
    struct rt_roster *next;
    struct rt_statement statement;
};

// The edited file's own version and link say nothing: the next one follows what is in force.
static enum rt_status read_next(struct update *update, const char *path, struct rt_error *err)
{
    struct rt_roster *current = NULL;
    struct rt_notes notes;
    struct rt_buf file;
    rt_buf_init(&file, (size_t)1 << 20);
    rt_notes_init(&notes);
    enum rt_status status = rt_client_roster(&update->client, &update->arena, &current, err);
    if (!status)
        status = rt_file_read(path, &file, err);
    struct rt_bytes copy = rt_arena_bytes(&update->arena, rt_buf_bytes(&file));
    if (!status)
        status = rt_roster_read(copy, path, &update->arena, &update->next, &notes, err);
    if (!status && notes.count)
        fputs(rt_buf_str(&notes.text), stdout);
    if (!status && strcmp(update->next->id, current->id) != 0)
        status = rt_error_set(err, RT_CONFLICT, "%s is of consortium %s, this is %s", path,
                              update->next->id, current->id);
    if (!status) {
        update->next->digest = current->digest;
        update->next->version = current->version;
        status = rt_next_roster_finish(update->next, &update->arena, err);
    }
    rt_notes_release(&notes);
    rt_buf_release(&file);
    return status;
}

static void fill(struct update *update)
{
    const struct rt_roster *next = update->next;
    update->statement = (struct rt_statement){.kind = RT_STATEMENT_ROSTER,
                                              .roster = next->digest,
                                              .consortium = rt_bytes_str(next->id),
                                              .version = next->version,
                                              .has_previous = next->has_previous,
                                              .previous = next->previous};
}

static enum rt_status write_statement(struct update *update, const char *path,
                                      struct rt_error *err)
{
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    enum rt_status status = rt_statement_build(&update->statement, &text);
    if (status)
        rt_error_set(err, status, "making the statement: %s", rt_status_text(status));
    else
        status = rt_file_write(path, rt_buf_bytes(&text), 0644, err);
    if (!status)
        printf("%s: version %" PRIu64 "; let the root keys sign it with `roster sign`, then give "
               "it with --statement\n",
               path, update->next->version);
    rt_buf_release(&text);
    return status;
}

static enum rt_status submit(struct update *update, const char *path, struct rt_error *err)
{
    struct rt_buf text, object;
    uint64_t index = 0;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    rt_buf_init(&object, RT_PAYLOAD_MOST);
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status && (status = rt_roster_encode(update->next, &object)))
        rt_error_set(err, status, "encoding the roster: %s", rt_status_text(status));
    struct rt_bytes objects[] = {rt_buf_bytes(&object)};
    if (!status)
        status =
            rt_client_submit(&update->client, rt_buf_bytes(&text), objects, 1, &index, err);
    if (!status)
        printf("roster version %" PRIu64 " is in force (log index %" PRIu64 ")\n",
               update->next->version, index);
    rt_buf_release(&text);
    rt_buf_release(&object);
    return status;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    static struct update update;
    const struct settings *settings = place;
    struct rt_state state;
    if (!settings->out == !settings->statement)
        return rt_error_set(err, RT_USAGE, "give --out to have it signed, or --statement to put "
                                           "what was signed in force");
    enum rt_status status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_client_open(&state, &update.client, err);
    if (status)
        return status;
    rt_arena_init(&update.arena, (size_t)64 << 20);
    status = read_next(&update, operands->items[0], err);
    if (!status) {
        fill(&update);
        status = settings->out ? write_statement(&update, settings->out, err)
                               : submit(&update, settings->statement, err);
    }
    rt_client_close(&update.client);
    rt_arena_release(&update.arena);
    return status;
}

static const struct rt_option options[] = {
    RT_STATE_OPTION(struct settings),
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "FILE",
     .help = "Write the statement that root keys are to sign."},
    {.name = "statement",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, statement),
     .value_name = "FILE",
     .help = "Put the roster in force with this statement, signed."},
    {0}};

const struct rt_command rt_command_roster_update = {
    .name = "roster update",
    .summary = "Make an edited roster the next version, signed offline.",
    .operands = "FILE",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-coordinator roster update next.yaml --out next.statement\n"
               "ringtrial-coordinator roster sign next.statement --key root-1.key\n"
               "ringtrial-coordinator roster update next.yaml --statement next.statement",
    .about = "Start from `roster show`. Version and link to the roster in force are written here; "
             "both rosters' thresholds of `root` must be met, counting unique public keys.",
};
