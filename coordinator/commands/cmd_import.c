// SPDX-License-Identifier: Apache-2.0
// `import`: other people's prompts and traces as a bench folder.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/json.h"
#include "coordinator/commands/commands.h"
#include "interop/import.h"

#define FINDINGS_SHOWN 12

struct settings {
    const char *out, *id, *title, *licence, *prompt, *scenario_by, *phrasings_by, *lang, *class;
    struct rt_text_list behaviour;
    bool null_pair;
};

typedef enum rt_status read_fn(struct rt_import *import, const char *path, struct rt_error *err);

static enum rt_status say_json(const struct rt_import *import, const struct settings *settings,
                               const struct rt_import_sums *sums, const struct rt_buf *findings,
                               struct rt_error *err)
{
    struct rt_buf out;
    json_t *json = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I, s:I, s:o?}", "out", settings->out, "prompts",
        (json_int_t)import->item_count, "scenarios", (json_int_t)sums->scenarios, "phrasings",
        (json_int_t)sums->phrasings, "tests", (json_int_t)sums->tests, "tests_failed",
        (json_int_t)sums->tests_failed, "findings", (json_int_t)sums->findings, "finding_lines",
        rt_buf_str(findings), "transcripts_verified", (json_int_t)import->verified,
        "transcripts_damaged", (json_int_t)import->damaged, "notes", rt_import_notes_json(import));
    rt_buf_init(&out, (size_t)16 << 20);
    enum rt_status status = json ? rt_json_write_pretty(json, &out) : RT_NO_MEMORY;
    fputs(rt_buf_str(&out), stdout);
    rt_buf_release(&out);
    json_decref(json);
    return status ? rt_error_set(err, status, "printing the result") : RT_OK;
}

static void say(const struct rt_import *import, const struct settings *settings,
                const struct rt_import_sums *sums, const struct rt_buf *findings)
{
    struct rt_buf notes;
    rt_buf_init(&notes, (size_t)4 << 20);
    rt_import_notes_print(import, &notes);
    fputs(rt_buf_str(&notes), stdout);
    rt_buf_release(&notes);
    const char *line = rt_buf_str(findings);
    for (size_t shown = 0; *line && shown < FINDINGS_SHOWN; shown++) {
        size_t size = strcspn(line, "\n") + 1;
        fwrite(line, 1, strnlen(line, size), stdout);
        line += strnlen(line, size);
    }
    if (*line)
        printf("and more: ringtrial-coordinator bench lint %s\n", settings->out);
    printf("%s: %zu prompts, %zu scenarios, %zu phrasings; %zu own tests, %zu failed, %zu findings "
           "of lint\n",
           settings->out, import->item_count, sums->scenarios, sums->phrasings, sums->tests,
           sums->tests_failed, sums->findings);
    if (import->verified + import->damaged)
        printf("%" PRIu64 " transcripts are what their labs committed to, %" PRIu64 " are not\n",
               import->verified, import->damaged);
    printf("read its card and outcome rules before a campaign: "
           "ringtrial-coordinator bench card %s\n",
           settings->out);
}

static enum rt_status run(const struct settings *settings, const char *path, read_fn *read,
                          struct rt_error *err)
{
    struct rt_import_options options = {.id = settings->id,
                                        .title = settings->title,
                                        .licence = settings->licence,
                                        .prompt = settings->prompt,
                                        .scenario_by = settings->scenario_by,
                                        .phrasings_by = settings->phrasings_by,
                                        .lang = settings->lang,
                                        .class = settings->class,
                                        .behaviour = settings->behaviour.items,
                                        .behaviour_count = settings->behaviour.count,
                                        .null_pair = settings->null_pair};
    struct rt_import import;
    struct rt_import_sums sums;
    struct rt_buf findings;
    rt_import_init(&import, &options);
    rt_buf_init(&findings, (size_t)4 << 20);
    enum rt_status status = read(&import, path, err);
    if (!status)
        status = rt_import_write(&import, settings->out, &sums, &findings, err);
    if (!status && rt_globals.json)
        status = say_json(&import, settings, &sums, &findings, err);
    else if (!status && !rt_globals.quiet)
        say(&import, settings, &sums, &findings);
    rt_buf_release(&findings);
    rt_import_release(&import);
    return status;
}

// ---- the formats

static bool ends_with(const char *path, const char *suffix)
{
    size_t size = strlen(path), tail = strlen(suffix);
    return size >= tail && strcmp(path + size - tail, suffix) == 0;
}

static enum rt_status read_inspect(struct rt_import *import, const char *path, struct rt_error *err)
{
    if (ends_with(path, ".csv"))
        return rt_import_rows(import, RT_IMPORT_INSPECT, true, path, err);
    if (ends_with(path, ".jsonl") || ends_with(path, ".ndjson"))
        return rt_import_rows(import, RT_IMPORT_INSPECT, false, path, err);
    return rt_import_log(import, path, err);
}
static enum rt_status read_ailuminate(struct rt_import *import, const char *path,
                                      struct rt_error *err)
{
    return rt_import_rows(import, RT_IMPORT_AILUMINATE, true, path, err);
}
static enum rt_status read_csv(struct rt_import *import, const char *path, struct rt_error *err)
{
    return rt_import_rows(import, RT_IMPORT_PLAIN, true, path, err);
}
static enum rt_status read_jsonl(struct rt_import *import, const char *path, struct rt_error *err)
{
    return rt_import_rows(import, RT_IMPORT_PLAIN, false, path, err);
}

#define RUN_FUNCTION(format, read)                                                                 \
    static enum rt_status run_##format(const void *place, const struct rt_text_list *operands,     \
                                       struct rt_error *err)                                       \
    {                                                                                              \
        return run(place, operands->items[0], read, err);                                          \
    }
RUN_FUNCTION(inspect, read_inspect)
RUN_FUNCTION(ailuminate, read_ailuminate)
RUN_FUNCTION(promptfoo, rt_import_promptfoo)
RUN_FUNCTION(csv, read_csv)
RUN_FUNCTION(jsonl, read_jsonl)

#define TEXT_OPTION(option, member, value, text)                                                   \
    {                                                                                              \
        .name = option, .kind = RT_OPTION_TEXT, .offset = offsetof(struct settings, member),       \
        .value_name = value, .help = text,                                                         \
    }

static const struct rt_option options[] = {
    {.name = "out",
     .letter = 'o',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, out),
     .value_name = "BENCH",
     .help = "The bench's folder to make; it must not be there yet.",
     .required = true},
    TEXT_OPTION("id", id, "ID", "The bench's id (default the folder's name)."),
    TEXT_OPTION("title", title, "TEXT", "Its title (default the file's name)."),
    TEXT_OPTION("licence", licence, "TEXT", "Its licence (default `unknown`)."),
    TEXT_OPTION("prompt", prompt, "COLUMN", "The column or key that holds the prompt."),
    TEXT_OPTION("scenario-by", scenario_by, "COLUMN",
                "Prompts with the same value here are phrasings of one scenario."),
    TEXT_OPTION("phrasings-by", phrasings_by, "COLUMN", "What names each phrasing."),
    TEXT_OPTION("lang", lang, "TAG", "The language, where no column says it (default `und`)."),
    TEXT_OPTION("class", class, "CLASS", "The data class (default `public`)."),
    {.name = "behaviour",
     .kind = RT_OPTION_LIST,
     .offset = offsetof(struct settings, behaviour),
     .value_name = "LABEL",
     .help = "A label that counts as the behaviour (default `answered` and `matched`)."},
    {.name = "null-pair",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct settings, null_pair),
     .help = "Repeat each scenario's first phrasing, which shows the noise floor."},
    {0}};

#define IMPORT_COMMAND(word, line, file)                                                           \
    {                                                                                              \
        .name = "import " #word, .summary = line, .operands = "FILE", .operands_least = 1,         \
        .operands_most = 1, .options = options, .settings_size = sizeof(struct settings),          \
        .run = run_##word,                                                                         \
        .example = "ringtrial-coordinator import " #word " " file " --out benches/imported",       \
        .about = "Makes a bench folder that `bench lint` and `campaign check` take. Whatever has " \
                 "no place in a scenario is listed with counts, here, on the bench's card and in " \
                 "import-notes.json, and every record is kept whole in import.jsonl.",             \
    }

const struct rt_command rt_command_import_inspect = IMPORT_COMMAND(
    inspect, "Make a bench of Inspect samples (.jsonl, .csv) or logs (.json, .eval).",
    "samples.jsonl");
const struct rt_command rt_command_import_ailuminate =
    IMPORT_COMMAND(ailuminate, "Make a bench of an AILuminate prompt table.", "prompts.csv");
const struct rt_command rt_command_import_promptfoo =
    IMPORT_COMMAND(promptfoo, "Make a bench of a promptfoo configuration.", "promptfooconfig.yaml");
const struct rt_command rt_command_import_csv =
    IMPORT_COMMAND(csv, "Make a bench of a table of prompts.", "prompts.csv");
const struct rt_command rt_command_import_jsonl =
    IMPORT_COMMAND(jsonl, "Make a bench of prompts as JSON lines.", "prompts.jsonl");
