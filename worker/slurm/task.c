// SPDX-License-Identifier: Apache-2.0
#include "worker/slurm/task.h"

#include <inttypes.h>
#include <string.h>

#define HEX         (2 * RT_DIGEST_BYTES)
#define MEMORY_MOST ((size_t)256 << 20)
#define AHEAD_MS    86400000 // a node's clock may be wrong by as much
#define SEEDS_END   ((uint64_t)1 << 31)
#define HOTTEST     1000000000

// ---- pieces of a line

struct line {
    struct rt_bytes rest;
    bool bad;
};

static bool next_line(struct rt_bytes *text, struct line *ret_line)
{
    const uint8_t *end = text->size ? memchr(text->data, '\n', text->size) : NULL;
    if (!end)
        return false;
    ret_line->rest = rt_bytes(text->data, (size_t)(end - text->data));
    ret_line->bad = false;
    text->size -= ret_line->rest.size + 1;
    text->data += ret_line->rest.size + 1;
    return true;
}

static struct rt_bytes next_word(struct line *line)
{
    const uint8_t *end = line->rest.size ? memchr(line->rest.data, ' ', line->rest.size) : NULL;
    struct rt_bytes word = {line->rest.data,
                            end ? (size_t)(end - line->rest.data) : line->rest.size};
    line->bad |= !word.size;
    line->rest.data += word.size + (end != NULL);
    line->rest.size -= word.size + (end != NULL);
    line->bad |= end && !line->rest.size; // a blank at the end
    return word;
}

static void next_literal(struct line *line, const char *word)
{
    line->bad |= !rt_bytes_equal_str(next_word(line), word);
}

// One way to write each number: no sign, no leading zero.
static uint64_t next_number(struct line *line, uint64_t least, uint64_t most)
{
    struct rt_bytes word = next_word(line);
    uint64_t value = 0;
    line->bad |= word.size > 18 || (word.size > 1 && word.data[0] == '0');
    for (size_t i = 0; i < word.size && !line->bad; i++) {
        line->bad |= word.data[i] < '0' || word.data[i] > '9';
        value = 10 * value + (uint64_t)(word.data[i] - '0');
    }
    line->bad |= value < least || value > most;
    return line->bad ? least : value;
}

static void next_digest(struct line *line, struct rt_digest *ret_digest)
{
    struct rt_bytes word = next_word(line);
    line->bad |= word.size != HEX || rt_hex_decode((const char *)word.data, word.size,
                                                   ret_digest->bytes, RT_DIGEST_BYTES);
}

static bool ended(const struct line *line)
{
    return !line->bad && !line->rest.size;
}

// ---- the plan

void rt_task_plan_write(const struct rt_task_plan *plan, struct rt_buf *out)
{
    rt_buf_printf(out, "ringtrial-array 1 %" PRIu32 " %" PRIu32 "\nfolder %s\n", plan->count,
                  plan->per_task, plan->folder);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct rt_task_trial *trial = &plan->trials[i];
        char key[HEX + 1], scenario[HEX + 1];
        rt_hex_encode(trial->key.bytes, RT_DIGEST_BYTES, key);
        rt_hex_encode(trial->scenario.bytes, RT_DIGEST_BYTES, scenario);
        rt_buf_printf(out, "trial %s %s %" PRIu32 " %" PRIu32 " %" PRId64 " %" PRIu32 " %" PRIu32
                      "\n", key, scenario, trial->arm, trial->phrasing, trial->temperature_micro,
                      trial->seed, trial->try);
    }
    rt_buf_add_str(out, "end\n");
}

static bool read_trial(struct rt_bytes *text, struct rt_task_trial *ret_trial)
{
    struct line line;
    if (!next_line(text, &line))
        return false;
    next_literal(&line, "trial");
    next_digest(&line, &ret_trial->key);
    next_digest(&line, &ret_trial->scenario);
    ret_trial->arm = (uint32_t)next_number(&line, 0, UINT16_MAX);
    ret_trial->phrasing = (uint32_t)next_number(&line, 0, UINT16_MAX);
    ret_trial->temperature_micro = (int64_t)next_number(&line, 0, HOTTEST);
    ret_trial->seed = (uint32_t)next_number(&line, 0, SEEDS_END - 1);
    ret_trial->try = (uint32_t)next_number(&line, 1, 1000);
    return ended(&line);
}

static bool is_path(struct rt_bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return text.size && text.size < 4096 && text.data[0] == '/';
}

enum rt_status rt_task_plan_read(struct rt_bytes text, struct rt_arena *arena,
                                 struct rt_task_plan *ret_plan)
{
    struct line line;
    struct rt_task_plan plan;
    if (!next_line(&text, &line))
        return RT_MALFORMED;
    next_literal(&line, "ringtrial-array");
    next_literal(&line, "1");
    plan.count = (uint32_t)next_number(&line, 1, RT_TASK_TRIALS_MOST);
    plan.per_task = (uint32_t)next_number(&line, 1, RT_TASK_TRIALS_MOST);
    if (!ended(&line) || !next_line(&text, &line))
        return RT_MALFORMED;
    next_literal(&line, "folder");
    if (line.bad || !is_path(line.rest))
        return RT_MALFORMED;
    plan.folder = rt_arena_strndup(arena, (const char *)line.rest.data, line.rest.size);
    plan.trials = rt_arena_array(arena, plan.count, sizeof *plan.trials);
    if (!plan.folder || !plan.trials)
        return RT_NO_MEMORY;
    for (uint32_t i = 0; i < plan.count; i++)
        if (!read_trial(&text, &plan.trials[i]))
            return RT_MALFORMED;
    if (!next_line(&text, &line) || !rt_bytes_equal_str(line.rest, "end") || text.size)
        return RT_MALFORMED;
    *ret_plan = plan;
    return RT_OK;
}

bool rt_task_trial_same(const struct rt_task_trial *a, const struct rt_task_trial *b)
{
    return rt_digest_equal(&a->key, &b->key) && rt_digest_equal(&a->scenario, &b->scenario) &&
           a->arm == b->arm && a->phrasing == b->phrasing && a->seed == b->seed &&
           a->temperature_micro == b->temperature_micro;
}

// ---- results

void rt_task_result_write(const struct rt_digest *key, uint32_t requests,
                          struct rt_bytes fingerprint, struct rt_bytes transcript,
                          struct rt_buf *out)
{
    char hex[HEX + 1];
    rt_hex_encode(key->bytes, RT_DIGEST_BYTES, hex);
    rt_buf_printf(out, "ringtrial-trial 1 %s %" PRIu32 " %zu %zu\n", hex, requests,
                  fingerprint.size, transcript.size);
    rt_buf_add_bytes(out, fingerprint);
    rt_buf_add_bytes(out, transcript);
}

// The parts of a result; fingerprint and transcript view bytes.
static bool split(struct rt_bytes bytes, struct rt_digest *ret_key, uint32_t *ret_requests,
                  struct rt_bytes *ret_fingerprint, struct rt_bytes *ret_transcript)
{
    struct line line;
    struct rt_bytes head = {bytes.data,
                            bytes.size < RT_TASK_HEAD_MOST ? bytes.size : RT_TASK_HEAD_MOST};
    size_t before = head.size;
    if (!next_line(&head, &line))
        return false;
    next_literal(&line, "ringtrial-trial");
    next_literal(&line, "1");
    next_digest(&line, ret_key);
    *ret_requests = (uint32_t)next_number(&line, 0, UINT32_MAX);
    uint64_t first = next_number(&line, 1, RT_FINGERPRINT_MOST);
    uint64_t second = next_number(&line, 1, RT_TRANSCRIPT_MOST);
    size_t used = before - head.size;
    if (!ended(&line) || bytes.size - used != first + second)
        return false;
    *ret_fingerprint = rt_bytes(bytes.data + used, (size_t)first);
    *ret_transcript = rt_bytes(bytes.data + used + first, (size_t)second);
    return true;
}

// The sandboxes that a job may have; bwrap and apptainer may say more ("bwrap, network host").
static bool is_sandbox(struct rt_bytes word)
{
    static const char *const words[] = {"slurm-job", "bwrap", "apptainer"};
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        if (word.size >= strlen(words[w]) && !memcmp(word.data, words[w], strlen(words[w])))
            return true;
    return false;
}

static bool fits_fingerprint(struct rt_bytes bytes, const char *subject, struct rt_arena *arena)
{
    struct rt_object_fingerprint object;
    return rt_object_fingerprint_decode(bytes, arena, &object, NULL) == RT_OK &&
           rt_bytes_equal_str(object.subject, subject) &&
           rt_bytes_equal_str(object.executor, "command") && is_sandbox(object.sandbox);
}

static bool fits_trial(const struct rt_transcript *transcript,
                       const struct rt_task_expected *expected)
{
    const struct rt_scenario *scenario = expected->scenario;
    const struct rt_task_trial *trial = expected->trial;
    if (trial->arm >= scenario->arm_count || trial->phrasing >= scenario->phrasing_count)
        return false;
    return rt_bytes_equal_str(transcript->scenario, scenario->id) &&
           rt_bytes_equal_str(transcript->arm, scenario->arms[trial->arm].id) &&
           rt_bytes_equal_str(transcript->phrasing, scenario->phrasings[trial->phrasing].id) &&
           transcript->temperature_micro == trial->temperature_micro &&
           transcript->seed == trial->seed;
}

static bool fits_clock(const struct rt_transcript *transcript, int64_t now_ms)
{
    uint64_t last = transcript->entries[transcript->entry_count - 1].at_ms;
    return transcript->started_ms > 0 && transcript->started_ms <= now_ms + AHEAD_MS &&
           last <= (uint64_t)(now_ms + AHEAD_MS - transcript->started_ms);
}

static void fill(const struct rt_transcript *transcript, uint32_t requests,
                 struct rt_exec_done *done)
{
    uint64_t in, out;
    const struct rt_entry *last = &transcript->entries[transcript->entry_count - 1];
    rt_transcript_output(transcript, &done->output);
    rt_transcript_tokens(transcript, &done->tokens_in, &done->tokens_out);
    rt_transcript_role_tokens(transcript, &in, &out);
    done->role_tokens = in + out;
    done->started_ms = transcript->started_ms;
    done->finished_ms = transcript->started_ms + (int64_t)last->at_ms;
    done->latency_ms = last->at_ms < UINT32_MAX ? last->at_ms : UINT32_MAX;
    done->requests = requests;
    for (size_t e = 0; e < transcript->entry_count; e++) {
        const struct rt_entry *entry = &transcript->entries[e];
        size_t size = entry->text.size < sizeof done->detail - 1 ? entry->text.size
                                                                 : sizeof done->detail - 1;
        if (entry->kind == RT_ENTRY_FAILURE && size) {
            memcpy(done->detail, entry->text.data, size);
            done->detail[size] = 0;
        }
    }
}

static enum rt_status check(const struct rt_transcript *transcript,
                            const struct rt_task_expected *expected, struct rt_score *ret_score,
                            const char **ret_why)
{
    *ret_why = "it is about another trial";
    if (!transcript->entry_count || !fits_trial(transcript, expected))
        return RT_CONFLICT;
    *ret_why = "its times cannot be";
    if (!fits_clock(transcript, expected->now_ms))
        return RT_CONFLICT;
    *ret_why = "the engine does not repeat it";
    enum rt_status status = rt_play_replay(expected->scenario, transcript, NULL);
    if (status)
        return status == RT_NO_MEMORY ? status : RT_CONFLICT;
    *ret_why = "it cannot be scored";
    status = rt_score(expected->scenario, expected->labels, expected->label_count, transcript,
                      ret_score);
    return !status || status == RT_NO_MEMORY ? status : RT_CONFLICT;
}

enum rt_status rt_task_result_read(struct rt_bytes bytes, const struct rt_task_expected *expected,
                                   struct rt_exec_done *ret_done, const char **ret_why)
{
    struct rt_exec_done done = {.tag = 0};
    struct rt_bytes fingerprint, plain;
    struct rt_transcript transcript;
    struct rt_digest key;
    struct rt_arena arena;
    uint32_t requests;
    *ret_why = "its head or its size";
    if (!split(bytes, &key, &requests, &fingerprint, &plain))
        return RT_MALFORMED;
    *ret_why = "it is about another trial";
    if (!rt_digest_equal(&key, &expected->trial->key))
        return RT_CONFLICT;
    rt_arena_init(&arena, MEMORY_MOST);
    *ret_why = "its fingerprint";
    enum rt_status status =
        fits_fingerprint(fingerprint, expected->subject, &arena) ? RT_OK : RT_CONFLICT;
    if (!status) {
        *ret_why = "its transcript is not canonical";
        status = rt_transcript_decode(plain, &arena, &transcript, ret_why);
    }
    if (!status)
        status = check(&transcript, expected, &done.score, ret_why);
    if (!status) {
        fill(&transcript, requests, &done);
        rt_buf_init(&done.transcript, RT_TRANSCRIPT_MOST);
        rt_buf_init(&done.fingerprint, RT_FINGERPRINT_MOST);
        rt_buf_add_bytes(&done.transcript, plain);
        rt_buf_add_bytes(&done.fingerprint, fingerprint);
        status = rt_buf_ok(&done.transcript);
        if (!status)
            status = rt_buf_ok(&done.fingerprint);
        if (status)
            rt_exec_done_release(&done);
    }
    rt_arena_release(&arena);
    if (!status)
        *ret_done = done;
    return status;
}
