// SPDX-License-Identifier: Apache-2.0
// The player and scorer against a subject that says anything: each line of the input is a reply
// ("tool arguments", or text). Whatever happens ends, scores, round-trips and replays.
#include "engine/play.h"
#include "engine/redact.h"
#include "engine/score.h"
#include "tests/fuzz/engine/small_scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct rt_play *play)
{
    struct rt_score score;
    struct rt_buf out;
    const struct rt_scenario *scenario = small_scenario();
    const struct rt_transcript *transcript = rt_play_transcript(play);
    rt_buf_init(&out, RT_TRANSCRIPT_MOST);
    if (rt_score(scenario, small_labels, sizeof small_labels / sizeof small_labels[0], transcript,
                 &score) ||
        rt_transcript_encode(transcript, &out) || rt_play_replay(scenario, transcript, NULL))
        abort();
    rt_buf_release(&out);
    struct rt_arena arena;
    struct rt_transcript redacted;
    rt_arena_init(&arena, (size_t)64 << 20);
    if (rt_redact_transcript(scenario, transcript, &arena, &redacted) ||
        redacted.entry_count != transcript->entry_count)
        abort();
    rt_arena_release(&arena);
}

// One reply from a line; false when the play refused it and was failed.
static bool reply(struct rt_play *play, char *line, int64_t now_ms)
{
    struct rt_chat_call calls[3];
    size_t count = 0;
    // '\t' separates parallel calls, ' ' a tool from its arguments; a line in '"' is text.
    for (char *rest = *line == '"' ? NULL : line; rest && count < 3; count++) {
        char *next = strchr(rest, '\t');
        if (next)
            *next++ = 0;
        char *arguments = strchr(rest, ' ');
        if (arguments)
            *arguments++ = 0;
        calls[count] = (struct rt_chat_call){"", rest, arguments ? arguments : ""};
        rest = next;
    }
    struct rt_chat_reply turn = {
        .text = count ? "" : line,
        .reasoning = "",
        .refusal = "",
        .calls = calls,
        .call_count = count,
        .finish = *line == '!' ? RT_CHAT_FINISH_LENGTH : RT_CHAT_FINISH_STOP,
        .tokens_out = strlen(line),
    };
    if (rt_play_reply(play, &turn, now_ms) == RT_OK)
        return true;
    rt_play_fail(play, RT_ERROR_KIND_PROTOCOL, "refused", now_ms);
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_play_setup setup = {small_scenario(), size ? data[0] & 1u : 0, 0, 0, 1000000, 1};
    struct rt_play *play;
    char *text = malloc(size + 1);
    if (!text || rt_play_start(&setup, 5, &play)) {
        free(text);
        return 0;
    }
    memcpy(text, data, size);
    text[size] = 0;
    int64_t now_ms = 5;
    for (char *line = text; rt_play_request(play); now_ms++) {
        char *next = strchr(line, '\n');
        if (next)
            *next = 0;
        if (!reply(play, line, now_ms))
            break;
        line = next ? next + 1 : line + strlen(line);
    }
    check(play);
    rt_play_free(play);
    free(text);
    return 0;
}
