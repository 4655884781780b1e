// SPDX-License-Identifier: Apache-2.0
#include "worker/subject/check_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REPEATS 8

const char *const rt_check_words[] = {"skipped", "ok", "warn", "fail"};
const struct rt_check_row rt_check_rows[RT_CHECK_COUNT] = {
#define X(NAME, word, what, means, remedy) {word, what, means, remedy},
    RT_CHECK_TABLE(X)
#undef X
};

void check_say(struct checking *checking, enum rt_check_kind kind, enum rt_check_verdict verdict,
               const char *format, ...)
{
    struct rt_check *check = &checking->checks->list[kind];
    va_list arguments;
    check->verdict = verdict;
    va_start(arguments, format);
    vsnprintf(check->found, sizeof check->found, format, arguments);
    va_end(arguments);
}

struct rt_chat_request check_request(const struct checking *checking,
                                     const struct rt_chat_message *messages, size_t count)
{
    return (struct rt_chat_request){.messages = messages,
                                    .message_count = count,
                                    .top_p_micro = rt_exec_top_p_micro(checking->setup->exec),
                                    .seed = 271828,
                                    .max_tokens = 64};
}

enum rt_status check_ask(struct checking *checking, const struct rt_chat_request *requests,
                         size_t count, size_t at_once, struct rt_exec_reply *ret_replies)
{
    if (checking->checks->requests + count > RT_CHECK_REQUESTS_MOST) {
        memset(ret_replies, 0, count * sizeof *ret_replies);
        return RT_OK;
    }
    enum rt_status status =
        rt_exec_ask(checking->setup->exec, requests, count, at_once, checking->setup->timeout_ms,
                    checking->arena, ret_replies, &checking->checks->requests, checking->err);
    for (size_t i = 0; i < count; i++)
        if (ret_replies[i].ok)
            checking->checks->tokens +=
                ret_replies[i].reply.tokens_in + ret_replies[i].reply.tokens_out;
    return status;
}

// How many different texts there are; 0 when some request failed.
static size_t distinct(const struct rt_exec_reply *replies, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        if (!replies[i].ok)
            return 0;
        while (k < i && strcmp(replies[k].reply.text, replies[i].reply.text) != 0)
            k++;
        found += k == i;
    }
    return found;
}

static const struct rt_chat_message free_text[] = {
    {RT_CHAT_USER, "Write one short sentence about a lighthouse.", NULL, 0, ""}};

// ---- the checks, in the table's order

static enum rt_status check_answers(struct checking *checking)
{
    const struct rt_chat_message messages[] = {
        {RT_CHAT_SYSTEM, "When the user says PING, answer MARIGOLD.", NULL, 0, ""},
        {RT_CHAT_USER, "PING", NULL, 0, ""}};
    struct rt_chat_request request = check_request(checking, messages, 2);
    struct rt_exec_reply reply;
    enum rt_status status = check_ask(checking, &request, 1, 1, &reply);
    if (status)
        return status;
    // A command that does not start, or speaks no line of the protocol, is no server that refuses.
    bool mute = checking->setup->subject->executor == RT_EXECUTOR_COMMAND &&
                (reply.error == RT_ERROR_KIND_PROTOCOL || reply.error == RT_ERROR_KIND_SANDBOX);
    bool reached = reply.ok || (!reply.timeout && !mute && reply.error != RT_ERROR_KIND_NETWORK);
    if (!checking->wired)
        check_say(checking, RT_CHECK_REACHABLE, reached ? RT_CHECKED_OK : RT_CHECKED_FAIL, "%s",
                  reached        ? "by an answer"
                  : *reply.text ? reply.text
                                : "no answer in time");
    if (!reply.ok) {
        check_say(checking, RT_CHECK_ANSWERS, RT_CHECKED_FAIL, "%s",
                  *reply.text ? reply.text : "no answer in time");
        return RT_CHECK_FAILED;
    }
    check_say(checking, RT_CHECK_ANSWERS, RT_CHECKED_OK, "in %" PRId64 " ms", reply.latency_ms);
    bool honoured = strstr(reply.reply.text, "MARIGOLD") != NULL;
    check_say(checking, RT_CHECK_SYSTEM, honoured ? RT_CHECKED_OK : RT_CHECKED_FAIL,
              honoured ? "the word it was told" : "answered \"%.60s\"", reply.reply.text);
    check_say(checking, RT_CHECK_USAGE, reply.reply.has_usage ? RT_CHECKED_OK : RT_CHECKED_WARN,
              reply.reply.has_usage ? "%" PRIu64 " in, %" PRIu64 " out" : "none",
              reply.reply.tokens_in, reply.reply.tokens_out);
    return RT_OK;
}

// Four seeds, twice each at temperature 1; and four seeds at temperature 0.
static enum rt_status check_sampling(struct checking *checking)
{
    struct rt_chat_request requests[12];
    struct rt_exec_reply replies[12];
    size_t pairs = 0;
    for (size_t i = 0; i < 12; i++) {
        requests[i] = check_request(checking, free_text, 1);
        requests[i].seed = (uint32_t)(1000 + i % 4);
        requests[i].temperature_micro = i < 8 ? 1000000 : 0;
    }
    enum rt_status status = check_ask(checking, requests, 12, 1, replies);
    if (status)
        return status;
    size_t warm = distinct(replies, 4), all = distinct(replies, 8);
    size_t cold = distinct(replies + 8, 4);
    if (!all || !cold) {
        check_say(checking, RT_CHECK_SEED, RT_CHECKED_FAIL, "some requests failed");
        check_say(checking, RT_CHECK_TEMPERATURE, RT_CHECKED_FAIL, "some requests failed");
        return RT_OK;
    }
    for (size_t i = 0; i < 4; i++)
        pairs += strcmp(replies[i].reply.text, replies[i + 4].reply.text) == 0;
    if (warm == 1)
        check_say(checking, RT_CHECK_SEED, RT_CHECKED_WARN,
                  "four seeds gave one text at temperature 1");
    else
        check_say(checking, RT_CHECK_SEED, pairs == 4 ? RT_CHECKED_OK : RT_CHECKED_WARN,
                  "%zu of 4 seeds gave the same text again; different texts: %zu", pairs, warm);
    if (warm == 1)
        check_say(checking, RT_CHECK_TEMPERATURE, RT_CHECKED_FAIL,
                  "one text from four seeds at temperature 1: the sampling is greedy");
    else
        check_say(checking, RT_CHECK_TEMPERATURE,
                  cold == 1     ? RT_CHECKED_OK
                  : cold < warm ? RT_CHECKED_WARN
                                : RT_CHECKED_FAIL,
                  "different texts from 4 seeds: %zu at temperature 0, %zu at temperature 1", cold,
                  warm);
    return RT_OK;
}

static enum rt_status check_limit(struct checking *checking)
{
    const struct rt_chat_message messages[] = {
        {RT_CHAT_USER, "Count from one to two hundred in words.", NULL, 0, ""}};
    struct rt_chat_request request = check_request(checking, messages, 1);
    struct rt_exec_reply reply;
    request.max_tokens = 8;
    enum rt_status status = check_ask(checking, &request, 1, 1, &reply);
    if (status)
        return status;
    const struct rt_chat_reply *got = &reply.reply;
    if (!reply.ok)
        check_say(checking, RT_CHECK_LIMIT, RT_CHECKED_FAIL, "%s", reply.text);
    else if (got->tokens_out > 8)
        check_say(checking, RT_CHECK_LIMIT, RT_CHECKED_FAIL, "asked for 8 tokens, got %" PRIu64,
                  got->tokens_out);
    else
        check_say(checking, RT_CHECK_LIMIT,
                  got->finish == RT_CHAT_FINISH_LENGTH || got->tokens_out < 8 ? RT_CHECKED_OK
                                                                              : RT_CHECKED_WARN,
                  "asked for 8 tokens, got %" PRIu64 ", finish_reason %s", got->tokens_out,
                  rt_chat_finish_word(got->finish));
    return RT_OK;
}

static enum rt_status check_repeats(struct checking *checking)
{
    struct rt_chat_request requests[REPEATS];
    struct rt_exec_reply replies[REPEATS];
    size_t texts[2] = {0, 0};
    for (size_t i = 0; i < REPEATS; i++)
        requests[i] = check_request(checking, free_text, 1);
    for (size_t round = 0; round < 2; round++) {
        enum rt_check_kind kind = round ? RT_CHECK_TOGETHER : RT_CHECK_ALONE;
        enum rt_status status =
            check_ask(checking, requests, REPEATS, round ? REPEATS : 1, replies);
        if (status)
            return status;
        texts[round] = distinct(replies, REPEATS);
        if (!texts[round])
            check_say(checking, kind, RT_CHECKED_FAIL, "some requests failed");
        else
            check_say(checking, kind, texts[round] == 1 ? RT_CHECKED_OK : RT_CHECKED_WARN,
                      "%zu text%s from %d requests", texts[round], texts[round] == 1 ? "" : "s",
                      REPEATS);
    }
    // Coarse, so that the same server has the same fingerprint at its next probe.
    snprintf(checking->checks->determinism, sizeof checking->checks->determinism, "%s",
             !texts[0] || !texts[1] ? ""
             : texts[0] > 1         ? "different"
             : texts[1] > 1         ? "same alone, different together"
                                    : "same");
    return RT_OK;
}

static void check_defaults(struct checking *checking)
{
    static const char *const wanted[] = {"top_k", "min_p"};
    const struct rt_lab_subject *subject = checking->setup->subject;
    char missing[64] = "";
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!rt_pair_value(subject->defaults, subject->default_count, wanted[i])) {
            strncat(missing, *missing ? ", " : "", sizeof missing - strlen(missing) - 1);
            strncat(missing, wanted[i], sizeof missing - strlen(missing) - 1);
        }
    check_say(checking, RT_CHECK_DEFAULTS, *missing ? RT_CHECKED_WARN : RT_CHECKED_OK,
              "n, temperature, top_p, seed and the token limit are sent%s%s",
              *missing ? "; not " : "", missing);
}

enum rt_status rt_checks_run(const struct rt_check_setup *setup, struct rt_checks *ret_checks,
                             struct rt_error *err)
{
    struct rt_arena arena;
    struct checking checking = {.setup = setup, .checks = ret_checks, .arena = &arena, .err = err};
    enum rt_status (*const checks[])(struct checking *) = {
        check_wire, check_answers, check_sampling, check_tools,
        check_wire_tools, check_limit, check_context, check_repeats};
    enum rt_status status = RT_OK;
    *ret_checks = (struct rt_checks){0};
    rt_arena_init(&arena, (size_t)64 << 20);
    for (size_t i = 0; i < sizeof checks / sizeof *checks && !status; i++)
        status = checks[i](&checking);
    if (setup->subject->executor == RT_EXECUTOR_CHAT)
        check_defaults(&checking);
    rt_arena_release(&arena);
    // A server that does not answer is not asked further: that is a verdict, not an error.
    return status == RT_CHECK_FAILED ? RT_OK : status;
}
