// SPDX-License-Identifier: Apache-2.0
// Tools and long contexts.
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "worker/subject/check_parts.h"

#define CONTEXT_MOST ((uint64_t)262144) // tokens: more than this is not sent for a probe

static const struct rt_chat_tool record = {
    "record", "Records one word.",
    "{\"additionalProperties\":false,\"properties\":{\"word\":{\"type\":\"string\"}},"
    "\"required\":[\"word\"],\"type\":\"object\"}"};

// "" when the call is as asked for, else what is wrong with it.
static const char *fault_of(const struct rt_chat_reply *reply, char ret_text[120])
{
    json_t *arguments = NULL;
    *ret_text = 0;
    if (!reply->call_count) {
        snprintf(ret_text, 120, "no call; it said \"%.60s\"", reply->text);
    } else if (strcmp(reply->calls[0].name, "record") != 0) {
        snprintf(ret_text, 120, "called \"%.60s\"", reply->calls[0].name);
    } else if (rt_chat_arguments(reply->calls[0].arguments, &arguments)) {
        snprintf(ret_text, 120, "arguments are no JSON object: %.60s", reply->calls[0].arguments);
    } else {
        const char *word = json_string_value(json_object_get(arguments, "word"));
        if (!word || strcmp(word, "TEAL") != 0 || json_object_size(arguments) != 1)
            snprintf(ret_text, 120, "other arguments: %.60s", reply->calls[0].arguments);
        else if (!*reply->calls[0].id)
            snprintf(ret_text, 120, "the call has no id");
    }
    json_decref(arguments);
    return ret_text;
}

enum rt_status check_tools(struct checking *checking)
{
    const struct rt_chat_message one[] = {
        {RT_CHAT_USER, "Call the tool record with the word TEAL.", NULL, 0, ""}};
    const struct rt_chat_message two[] = {
        {RT_CHAT_USER,
         "Call the tool record twice in this one reply: with the word TEAL, and with the word "
         "OCHRE.",
         NULL, 0, ""}};
    struct rt_chat_request requests[2] = {check_request(checking, one, 1),
                                          check_request(checking, two, 1)};
    struct rt_exec_reply replies[2];
    char fault[120];
    for (int i = 0; i < 2; i++) {
        requests[i].tools = &record;
        requests[i].tool_count = 1;
        requests[i].max_tokens = 256;
    }
    enum rt_status status = check_ask(checking, requests, 2, 1, replies);
    if (status)
        return status;
    const char *wrong = replies[0].ok ? fault_of(&replies[0].reply, fault) : replies[0].text;
    check_say(checking, RT_CHECK_TOOLS, *wrong ? RT_CHECKED_FAIL : RT_CHECKED_OK, "%s",
              *wrong ? wrong : "called with the arguments it was told");
    if (!replies[1].ok)
        check_say(checking, RT_CHECK_PARALLEL, RT_CHECKED_WARN, "%s", replies[1].text);
    else
        check_say(checking, RT_CHECK_PARALLEL,
                  replies[1].reply.call_count >= 2 ? RT_CHECKED_OK : RT_CHECKED_WARN,
                  "%zu call%s in one reply", replies[1].reply.call_count,
                  replies[1].reply.call_count == 1 ? "" : "s");
    return RT_OK;
}

// ---- a needle at the far end of the context

// About `tokens` tokens: short common words are one each, and the server's own count is compared.
static char *haystack(struct rt_arena *arena, uint64_t tokens)
{
    static const char needle[] = "The code word is HERON. Remember it.\n";
    static const char filler[] = "the sea is calm and the sky is grey today and so on ";
    uint64_t words = tokens > 64 ? tokens - 64 : 1, written = 0;
    size_t most = sizeof needle + (size_t)(words / 13 + 2) * (sizeof filler - 1);
    char *text = rt_arena_alloc(arena, most);
    if (!text)
        return NULL;
    size_t at = sizeof needle - 1;
    memcpy(text, needle, sizeof needle);
    for (; written < words; written += 13) {
        memcpy(text + at, filler, sizeof filler);
        at += sizeof filler - 1;
    }
    return text;
}

enum rt_status check_context(struct checking *checking)
{
    uint64_t wanted = checking->setup->min_context ? checking->setup->min_context
                                                   : checking->setup->subject->context;
    uint64_t reported = checking->reported_context;
    checking->checks->context = reported;
    if (!wanted) {
        if (reported)
            check_say(checking, RT_CHECK_CONTEXT, RT_CHECKED_OK, "the server says %" PRIu64,
                      reported);
        return RT_OK;
    }
    if (reported && reported < wanted) {
        check_say(checking, RT_CHECK_CONTEXT, RT_CHECKED_FAIL,
                  "the server says %" PRIu64 ", %" PRIu64 " are needed", reported, wanted);
        return RT_OK;
    }
    uint64_t tried = wanted < CONTEXT_MOST ? wanted : CONTEXT_MOST;
    const struct rt_chat_message messages[] = {
        {RT_CHAT_USER, haystack(checking->arena, tried * 9 / 10), NULL, 0, ""},
        {RT_CHAT_USER, "What is the code word? Answer with the word alone.", NULL, 0, ""}};
    struct rt_chat_request request = check_request(checking, messages, 2);
    struct rt_exec_reply reply;
    if (!messages[0].text)
        return RT_NO_MEMORY;
    enum rt_status status = check_ask(checking, &request, 1, 1, &reply);
    if (status)
        return status;
    bool found = reply.ok && strstr(reply.reply.text, "HERON");
    bool counted = reply.ok && reply.reply.has_usage && reply.reply.tokens_in >= tried * 8 / 10;
    if (!reply.ok)
        check_say(checking, RT_CHECK_CONTEXT, RT_CHECKED_FAIL, "%.150s", reply.text);
    else
        check_say(checking, RT_CHECK_CONTEXT,
                  found     ? RT_CHECKED_OK
                  : counted ? RT_CHECKED_WARN
                            : RT_CHECKED_FAIL,
                  "%s of about %" PRIu64 " tokens; it counted %" PRIu64,
                  found ? "found a word at the far end" : "lost a word at the far end", tried,
                  reply.reply.tokens_in);
    if (found && !reported)
        checking->checks->context = wanted;
    return RT_OK;
}
