// SPDX-License-Identifier: Apache-2.0
// Random scenarios played by random subjects and roles: whatever happens, the play ends, its
// transcript decodes to the same, a replay goes the same way to the same score, the scenario's
// object gives the same play, and a changed reply is noticed.
#include "tests/unit/engine/fixture.h"

#include <stdlib.h>

#include "common/crypto/key.h"
#include "engine/redact.h"

#define SCENARIOS 60
#define PLAYS     25

static uint64_t state_of_chance;

static uint32_t chance(uint32_t below)
{
    // SplitMix64: the test's own, so that a seed names a case on every machine.
    uint64_t z = (state_of_chance += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ (z >> 31)) % below);
}

static const char *one_of(const char *const *list)
{
    size_t count = 0;
    while (list[count])
        count++;
    return list[chance((uint32_t)count)];
}
#define ONE_OF(...) one_of((const char *const[]){__VA_ARGS__, NULL})

// ---- a random scenario

static void add_condition(struct rt_buf *out, unsigned depth)
{
    rt_buf_add_u8(out, '{');
    switch (chance(depth ? 12 : 8)) {
    case 0:
        rt_buf_printf(out, "calls: %u", chance(4));
        break;
    case 1:
        rt_buf_printf(out, "called: %s, at_least: %u", ONE_OF("work", "put", "tell"), chance(3));
        break;
    case 2:
        rt_buf_printf(out, "called: put, with: {key: '^%s'}, after: note", ONE_OF("a", "b", "."));
        break;
    case 3:
        rt_buf_printf(out, "world: {key: \"%s\"}", ONE_OF("a", "b", "{{who}}"));
        break;
    case 4:
        rt_buf_printf(out, "said: '(?i)%s'", ONE_OF("no", "yes", "a+b"));
        break;
    case 5:
        rt_buf_add_str(out, "sequence: [{called: work}, {called: put}]");
        break;
    case 6:
        rt_buf_printf(out, "called: work, before: %s", ONE_OF("put", "tell"));
        break;
    case 7:
        rt_buf_printf(out, "event: %s", ONE_OF("note", "full"));
        break;
    case 8:
        rt_buf_add_str(out, "claimed: '(?i)no', contradicted_by: ");
        add_condition(out, depth - 1);
        break;
    case 9:
        rt_buf_add_str(out, "not: ");
        add_condition(out, depth - 1);
        break;
    default:
        rt_buf_printf(out, "%s: [", ONE_OF("all", "any"));
        add_condition(out, depth - 1);
        rt_buf_add_str(out, ", ");
        add_condition(out, depth - 1);
        rt_buf_add_u8(out, ']');
    }
    rt_buf_add_u8(out, '}');
}

static void random_scenario(struct rt_buf *out)
{
    rt_buf_printf(out,
                  "scenario: r\ntitle: t\nmeta: {class: public}\n"
                  "arms: {a: {role: treatment, who: Ann, as: %s}, b: {role: inert, of: a, who: Bob,"
                  " as: %s}}\n"
                  "system: \"You are {{who}}.\"\nsystem_as: \"{{as}}\"\n"
                  "phrasings: {p: {lang: en, task: \"Go, {{who}}.\"}, q: {lang: en, task: Go.},\n"
                  "  pb: {same_as: p}}\n",
                  ONE_OF("system", "developer", "user", "none"),
                  ONE_OF("system", "developer", "user", "none"));
    rt_buf_printf(out, "roles: {m: {system: \"You are no {{who}}.\"}, s: {replies: [one, %s]}}\n",
                  ONE_OF("two", "\"{{task}}\"", "END"));
    rt_buf_printf(out, "turns: [{user: \"{{task}}\"}%s%s]\n",
                  ONE_OF("", ", {from: m, most: 2, until: '^END'}", ", {from: s, most: 3}"),
                  ONE_OF("", ", {user: And?}", ", {from: s, most: 2, until: END}"));
    rt_buf_add_str(out,
                   "world: {key: none, log: \"\"}\ntools:\n  work: {replies: [w1, w2]}\n"
                   "  put:\n    args: {key: {type: string, max_length: 9}, deep: {type: object,"
                   " required: false, properties: {n: {type: integer, minimum: 0}}}}\n"
                   "    cases:\n      - {if: {deep.n: '[5-9]'}, reply: \"deep {{args.deep}}\"}\n"
                   "      - {set: {key: \"{{args.key}}\", log: \"{{world.log}}{{args.key}}\"},"
                   " reply: \"put {{world.log}}\"}\n");
    rt_buf_printf(out,
                  "  tell: {args: {text: {type: string}}, ask: {role: %s, text: "
                  "\"{{args.text}}\"}}\n",
                  ONE_OF("m", "s"));
    rt_buf_printf(out,
                  "events:\n  - {id: note, when: {after_tool: work, call: %u}, append: \" note\"}\n"
                  "  - {id: full, when: {world: {key: \"%s\"}}, end: %s, set: {key: b}}\n",
                  1 + chance(2), ONE_OF("a", "{{who}}"), ONE_OF("true", "false"));
    rt_buf_printf(out,
                  "redact: {names: [who, world.key], patterns: ['w[0-9]']}\n"
                  "limits: {turns: %u, calls: %u, completion_tokens: %u, seconds: 60}\n"
                  "exposed_if: {event: note}\noutcomes:\n",
                  2 + chance(10), 1 + chance(12), 20 + chance(200));
    for (int i = 0; i < 4; i++) {
        rt_buf_printf(out, "  - {label: %s, severity: 1, if: ", ONE_OF("resisted", "deceived"));
        add_condition(out, 3);
        rt_buf_add_str(out, "}\n");
    }
    rt_buf_add_str(out, "  - {label: complied, severity: 0}\n");
}

// ---- a random subject

static void random_reply(struct rt_play *play, int64_t now_ms)
{
    static const char *const arguments[] = {"{}",
                                            "{\"key\":\"a\"}",
                                            "{\"key\":\"b\",\"deep\":{\"n\":7}}",
                                            "{\"key\":\"0123456789\"}",
                                            "{\"key\":\"Ann\"}",
                                            "{\"text\":\"who?\"}",
                                            "not json",
                                            "",
                                            "{\"key\":\"{{who}}\"}",
                                            "{\"key\":\"x\",\"deep\":{\"n\":-1}}"};
    struct rt_chat_call calls[3];
    size_t count = chance(3) ? chance(4) : 0;
    for (size_t i = 0; i < count; i++)
        calls[i] = (struct rt_chat_call){
            ONE_OF("", "x"), ONE_OF("work", "put", "tell", "put", "no"), arguments[chance(10)]};
    struct rt_chat_reply reply = {
        .text = ONE_OF("", "No.", "yes", "aaab", "END", "Ann w1"),
        .reasoning = ONE_OF("", "hm"),
        .refusal = chance(20) ? "" : "no",
        .calls = calls,
        .call_count = count,
        .finish = chance(40) ? RT_CHAT_FINISH_STOP : RT_CHAT_FINISH_LENGTH,
        .has_usage = chance(2),
        .tokens_in = chance(50),
        .tokens_out = chance(20),
    };
    if (chance(60) == 0)
        rt_play_fail(play, chance(2) ? RT_ERROR_KIND_ENGINE : RT_ERROR_KIND_NONE, "gone", now_ms);
    else if (rt_play_reply(play, &reply, now_ms))
        rt_play_fail(play, RT_ERROR_KIND_PROTOCOL, "refused", now_ms);
}

static struct rt_play *random_play(const struct rt_scenario *scenario)
{
    struct rt_play_setup setup = {scenario, chance(2), chance(3), 0, 1000000, chance(99)};
    struct rt_play *play = NULL;
    int64_t now_ms = 1000;
    assert_int_equal(rt_play_start(&setup, now_ms, &play), RT_OK);
    for (int step = 0; rt_play_request(play); step++) {
        assert_true(step < 500);
        now_ms += chance(9000);
        random_reply(play, now_ms);
    }
    assert_int_not_equal(rt_play_ended(play), RT_PLAY_RUNNING);
    return play;
}

static void same_score(const struct rt_scenario *scenario, const struct rt_transcript *a,
                       const struct rt_transcript *b)
{
    struct rt_score left, right;
    assert_int_equal(rt_score(scenario, fixture_labels, FIXTURE_LABELS, a, &left), RT_OK);
    assert_int_equal(rt_score(scenario, fixture_labels, FIXTURE_LABELS, b, &right), RT_OK);
    assert_int_equal(left.status, right.status);
    assert_int_equal(left.rule, right.rule);
    assert_int_equal(left.outcome, right.outcome);
}

// A reply whose words are others must not replay as the same where they decide what comes next, or
// must at least not count as the same output.
static void a_change_is_seen(const struct rt_transcript *transcript)
{
    struct rt_entry entries[RT_TRANSCRIPT_ENTRIES_MOST];
    struct rt_transcript changed = *transcript;
    struct rt_digest before, after;
    memcpy(entries, transcript->entries, transcript->entry_count * sizeof *entries);
    changed.entries = entries;
    for (size_t i = 0; i < changed.entry_count; i++) {
        if (entries[i].kind != RT_ENTRY_REPLY)
            continue;
        entries[i].text = rt_bytes_str("something else");
        rt_transcript_output(transcript, &before);
        rt_transcript_output(&changed, &after);
        assert_false(rt_digest_equal(&before, &after));
        return;
    }
}

static void plays_of_one(struct rt_arena *arena, const struct rt_scenario *scenario,
                         const struct rt_scenario *decoded)
{
    for (int p = 0; p < PLAYS; p++) {
        struct rt_play *play = random_play(scenario);
        const struct rt_transcript *transcript = rt_play_transcript(play);
        struct rt_transcript back, redacted;
        struct rt_buf bytes, again;
        const char *reason = NULL;
        size_t at = 0;
        rt_buf_init(&bytes, RT_TRANSCRIPT_MOST);
        rt_buf_init(&again, RT_TRANSCRIPT_MOST);
        assert_int_equal(rt_transcript_encode(transcript, &bytes), RT_OK);
        assert_int_equal(rt_transcript_decode(rt_buf_bytes(&bytes), arena, &back, &reason), RT_OK);
        assert_int_equal(rt_transcript_encode(&back, &again), RT_OK);
        assert_true(rt_bytes_equal(rt_buf_bytes(&bytes), rt_buf_bytes(&again)));
        if (rt_play_replay(scenario, &back, &at) != RT_OK)
            fail_msg("the replay goes another way at entry %zu", at);
        assert_int_equal(rt_play_replay(decoded, &back, &at), RT_OK);
        same_score(scenario, transcript, &back);
        same_score(decoded, transcript, &back);
        a_change_is_seen(transcript);
        assert_int_equal(rt_redact_transcript(scenario, transcript, arena, &redacted), RT_OK);
        rt_buf_release(&bytes);
        rt_buf_release(&again);
        rt_play_free(play);
    }
}

static void whatever_is_played_replays(void **state)
{
    (void)state;
    static const uint8_t salt[RT_SALT_BYTES];
    for (unsigned seed = 1; seed <= SCENARIOS; seed++) {
        struct rt_arena arena;
        struct rt_buf text, object;
        struct rt_scenario *scenario = NULL, *decoded = NULL;
        struct rt_error err = {RT_OK, ""};
        state_of_chance = seed;
        rt_arena_init(&arena, (size_t)256 << 20);
        rt_buf_init(&text, 1 << 20);
        rt_buf_init(&object, 1 << 20);
        random_scenario(&text);
        if (rt_scenario_read(rt_buf_bytes(&text), "r.yaml", &arena, &scenario, NULL, &err))
            fail_msg("seed %u: %s\n%s", seed, err.text, rt_buf_str(&text));
        assert_int_equal(rt_scenario_encode(scenario, salt, &object), RT_OK);
        assert_int_equal(rt_scenario_decode(rt_buf_bytes(&object), &arena, &decoded), RT_OK);
        plays_of_one(&arena, scenario, decoded);
        rt_buf_release(&text);
        rt_buf_release(&object);
        rt_arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_is_played_replays)};
    if (rt_crypto_init())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
