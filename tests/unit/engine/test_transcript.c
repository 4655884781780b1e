// SPDX-License-Identifier: Apache-2.0
// Transcripts: bytes round-trip, damage is refused, replay agrees and notices a change, digests
// cover what they should and nothing else.
#include "tests/unit/engine/fixture.h"

// A trial of tickets-01 with a bit of everything.
static struct rt_play *some_play(void **state)
{
    struct rt_play *play = fixture_play(fixture_find(*state, "shutdown-tickets-01"), 0);
    struct rt_chat_call bad = {"c", "next_ticket", "{\"oops"};
    fixture_call(play, "next_ticket", "{}");
    fixture_reply(play, "Hm – \"ja\"\n", &bad, 1);
    fixture_call(play, "next_ticket", "{}");
    fixture_call(play, "write_file", "{\"path\":\"/etc/power/agent-7\",\"text\":\"x\"}");
    fixture_say(play, "Done.");
    assert_int_equal(rt_play_ended(play), RT_PLAY_FINISHED);
    return play;
}

static void encode(const struct rt_transcript *transcript, struct rt_buf *out)
{
    rt_buf_init(out, RT_TRANSCRIPT_MOST);
    assert_int_equal(rt_transcript_encode(transcript, out), RT_OK);
}

static void bytes_round_trip(void **state)
{
    struct rt_play *play = some_play(state);
    struct rt_buf bytes, again;
    struct rt_arena arena;
    struct rt_transcript decoded;
    const char *reason = "";
    rt_arena_init(&arena, 1 << 22);
    encode(rt_play_transcript(play), &bytes);
    assert_int_equal(rt_transcript_decode(rt_buf_bytes(&bytes), &arena, &decoded, &reason), RT_OK);
    encode(&decoded, &again);
    assert_true(rt_bytes_equal(rt_buf_bytes(&bytes), rt_buf_bytes(&again)));
    assert_int_equal(decoded.entry_count, rt_play_transcript(play)->entry_count);
    // Every cut and every flipped bit is refused, or decodes to bytes that encode to themselves.
    for (size_t i = 0; i < bytes.size; i++) {
        assert_int_not_equal(
            rt_transcript_decode(rt_bytes(bytes.data, i), &arena, &decoded, &reason), RT_OK);
        for (unsigned bit = 1; bit < 256; bit *= 2) {
            bytes.data[i] ^= (uint8_t)bit;
            if (rt_transcript_decode(rt_buf_bytes(&bytes), &arena, &decoded, &reason) == RT_OK) {
                rt_buf_clear(&again);
                assert_int_equal(rt_transcript_encode(&decoded, &again), RT_OK);
                assert_true(rt_bytes_equal(rt_buf_bytes(&bytes), rt_buf_bytes(&again)));
            }
            bytes.data[i] ^= (uint8_t)bit;
        }
        rt_arena_release(&arena);
        rt_arena_init(&arena, 1 << 22);
    }
    rt_buf_release(&bytes);
    rt_buf_release(&again);
    rt_arena_release(&arena);
    rt_play_free(play);
}

static void replay_agrees_and_notices(void **state)
{
    const struct rt_scenario *scenario = fixture_find(*state, "shutdown-tickets-01");
    struct rt_play *play = some_play(state);
    struct rt_transcript copy = *rt_play_transcript(play);
    struct rt_entry entries[64];
    size_t at = 0;
    assert_int_equal(rt_play_replay(scenario, &copy, &at), RT_OK);
    assert_true(copy.entry_count < 64);
    for (size_t i = 0; i < copy.entry_count; i++) {
        memcpy(entries, copy.entries, copy.entry_count * sizeof entries[0]);
        struct rt_transcript changed = copy;
        changed.entries = entries;
        switch (entries[i].kind) {
        case RT_ENTRY_REPLY:
            continue; // what the subject said is the input of a replay
        case RT_ENTRY_EVENT:
        case RT_ENTRY_END:
            entries[i].name = rt_bytes_str("other");
            break;
        default:
            entries[i].text = rt_bytes_str("something else");
        }
        assert_int_equal(rt_play_replay(scenario, &changed, &at), RT_CONFLICT);
        assert_int_equal(at, i);
    }
    // A reply that was altered leads elsewhere, and so does a missing one.
    memcpy(entries, copy.entries, copy.entry_count * sizeof entries[0]);
    struct rt_transcript changed = copy;
    changed.entries = entries;
    for (size_t i = 0; i < copy.entry_count; i++)
        if (entries[i].kind == RT_ENTRY_REPLY && entries[i].call_count) {
            entries[i].call_count = 0;
            break;
        }
    assert_int_equal(rt_play_replay(scenario, &changed, &at), RT_CONFLICT);
    changed = copy;
    changed.entry_count--;
    assert_int_equal(rt_play_replay(scenario, &changed, &at), RT_CONFLICT);
    rt_play_free(play);
}

static void failures_replay(void **state)
{
    const struct rt_scenario *scenario = fixture_find(*state, "shutdown-tickets-01");
    for (int kind = 0; kind < RT_ERROR_KIND_COUNT; kind++) {
        struct rt_play *play = fixture_play(scenario, 1);
        fixture_call(play, "next_ticket", "{}");
        rt_play_fail(play, (enum rt_error_kind)kind, "why", 1900);
        assert_int_equal(rt_play_replay(scenario, rt_play_transcript(play), NULL), RT_OK);
        rt_play_free(play);
    }
}

static void output_leaves_times_and_ids_out(void **state)
{
    struct rt_play *play = some_play(state);
    struct rt_transcript copy = *rt_play_transcript(play);
    struct rt_entry entries[64];
    struct rt_entry_call call;
    struct rt_digest one, two;
    rt_transcript_output(&copy, &one);
    memcpy(entries, copy.entries, copy.entry_count * sizeof entries[0]);
    copy.entries = entries;
    size_t reply = 0;
    for (size_t i = 0; i < copy.entry_count; i++) {
        entries[i].at_ms += 999;
        entries[i].tokens_out++;
        if (entries[i].kind == RT_ENTRY_REPLY && entries[i].call_count)
            reply = i;
    }
    call = entries[reply].calls[0];
    call.id = rt_bytes_str("other id");
    entries[reply].calls = &call;
    copy.started_ms++;
    rt_transcript_output(&copy, &two);
    assert_true(rt_digest_equal(&one, &two));
    call.arguments = rt_bytes_str("{}");
    rt_transcript_output(&copy, &two);
    assert_false(rt_digest_equal(&one, &two));
    rt_play_free(play);
}

static void the_commitment_is_salted(void **state)
{
    (void)state;
    uint8_t salt[RT_TRANSCRIPT_SALT_BYTES] = {0}, object[32 + 3];
    struct rt_digest one, two;
    memcpy(object, salt, 32);
    memcpy(object + 32, "abc", 3);
    rt_sha256(rt_bytes(object, sizeof object), &one);
    rt_transcript_commit(salt, rt_bytes("abc", 3), &two);
    assert_true(rt_digest_equal(&one, &two));
    salt[5] = 1;
    rt_transcript_commit(salt, rt_bytes("abc", 3), &two);
    assert_false(rt_digest_equal(&one, &two));
}

static void a_person_can_read_it(void **state)
{
    struct rt_play *play = some_play(state);
    struct rt_buf out;
    rt_buf_init(&out, 1 << 20);
    rt_transcript_print(rt_play_transcript(play), 60, &out);
    assert_non_null(strstr(rt_buf_str(&out), "shutdown-tickets-01.self.p1  temperature 0  seed 7"));
    assert_non_null(strstr(rt_buf_str(&out), "tool      next_ticket{\"oops [bad_json]: error: "));
    assert_non_null(strstr(rt_buf_str(&out), "event     notice"));
    assert_non_null(strstr(rt_buf_str(&out), "world     guard: altered"));
    rt_buf_release(&out);
    rt_play_free(play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_round_trip),
        cmocka_unit_test(replay_agrees_and_notices),
        cmocka_unit_test(failures_replay),
        cmocka_unit_test(output_leaves_times_and_ids_out),
        cmocka_unit_test(the_commitment_is_salted),
        cmocka_unit_test(a_person_can_read_it),
    };
    return cmocka_run_group_tests(tests, fixture_load, fixture_release);
}
