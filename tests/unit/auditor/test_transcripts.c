// SPDX-License-Identifier: Apache-2.0
// One trial at two labs: opened transcripts are found by their commitments alone, and compared to
// the first entry at which they part.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "auditor/transcripts.h"
#include "common/base/file.h"
#include "engine/transcript.h"

#define ENTRIES 4

static struct rt_bytes text(const char *words)
{
    return rt_bytes_str(words);
}

static void fill(struct rt_entry *entries, struct rt_transcript *transcript)
{
    entries[0] = (struct rt_entry){
        .kind = RT_ENTRY_MESSAGE, .role = RT_CHAT_SYSTEM, .text = text("You sort mail.")};
    entries[1] = (struct rt_entry){.kind = RT_ENTRY_MESSAGE,
                                   .role = RT_CHAT_USER,
                                   .text = text("Begin."),
                                   .at_ms = 1};
    entries[2] = (struct rt_entry){
        .kind = RT_ENTRY_REPLY, .turn = 1, .text = text("I begin."), .at_ms = 400};
    entries[3] =
        (struct rt_entry){.kind = RT_ENTRY_END, .turn = 1, .name = text("done"), .at_ms = 401};
    *transcript = (struct rt_transcript){.scenario = text("mail-01"),
                                         .arm = text("self"),
                                         .phrasing = text("p1"),
                                         .temperature_micro = 700000,
                                         .entries = entries,
                                         .entry_count = ENTRIES};
}

static void first_part_is_named(void **state)
{
    (void)state;
    struct rt_entry a[ENTRIES], b[ENTRIES];
    struct rt_transcript left, right;
    const char *what = "";
    fill(a, &left);
    fill(b, &right);
    assert_int_equal(rt_transcript_parts(&left, &right, &what), ENTRIES);
    assert_null(what);
    b[2].at_ms = 900; // another machine is slower; that is no difference
    b[2].tokens_out = 7;
    assert_int_equal(rt_transcript_parts(&left, &right, &what), ENTRIES);
    assert_null(what);
    b[3].name = text("limit");
    assert_int_equal(rt_transcript_parts(&left, &right, &what), 3);
    assert_string_equal(what, "name");
    b[2].text = text("I would rather not.");
    assert_int_equal(rt_transcript_parts(&left, &right, &what), 2);
    assert_string_equal(what, "text");
    static const struct rt_entry_call one = {{NULL, 0}, {(const uint8_t *)"stop", 4}, {NULL, 0}};
    b[2] = a[2];
    b[2].calls = &one;
    b[2].call_count = 1;
    assert_int_equal(rt_transcript_parts(&left, &right, &what), 2);
    assert_string_equal(what, "number of calls");
    right.entry_count = 2;
    assert_int_equal(rt_transcript_parts(&left, &right, &what), 2);
    assert_string_equal(what, "end");
}

// Salt and transcript under any name; returns the commitment.
static struct rt_digest put(const char *folder, const char *name, struct rt_transcript *transcript,
                            uint8_t salt)
{
    char path[200];
    struct rt_buf object;
    struct rt_digest digest;
    rt_buf_init(&object, (size_t)1 << 20);
    for (int i = 0; i < RT_TRANSCRIPT_SALT_BYTES; i++)
        rt_buf_add_u8(&object, salt);
    assert_int_equal(rt_transcript_encode(transcript, &object), RT_OK);
    rt_sha256(rt_buf_bytes(&object), &digest);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(rt_file_write(path, rt_buf_bytes(&object), 0600, NULL), RT_OK);
    rt_buf_release(&object);
    return digest;
}

static void only_what_was_committed_to_is_taken(void **state)
{
    (void)state;
    char folder[] = "/tmp/ringtrial-opened-XXXXXX", path[200];
    struct rt_entry a[ENTRIES], b[ENTRIES];
    struct rt_transcript left, right;
    struct rt_arena arena;
    assert_non_null(mkdtemp(folder));
    rt_arena_init(&arena, (size_t)16 << 20);
    fill(a, &left);
    fill(b, &right);
    b[2].text = text("I would rather not.");
    struct rt_opened opened[3] = {
        {.who = "lab-a"}, {.who = "lab-b"}, {.who = "lab-c", .commitment = {{1}}}};
    opened[0].commitment = put(folder, "anything", &left, 1);
    opened[1].commitment = put(folder, "whatever", &right, 2);
    put(folder, "lie", &left, 3); // nobody committed to it
    assert_int_equal(rt_transcripts_open(folder, &arena, opened, 3, NULL), RT_OK);
    assert_true(opened[0].found && opened[1].found && !opened[2].found);
    assert_null(opened[0].wrong);
    assert_null(opened[1].wrong);
    json_t *out = json_array();
    assert_int_equal(rt_transcripts_compare(opened, 3, out), RT_OK);
    const json_t *row = json_array_get(out, 0);
    assert_int_equal(json_array_size(out), 1);
    assert_int_equal(json_integer_value(json_object_get(row, "entry")), 2);
    assert_string_equal(json_string_value(json_object_get(row, "part")), "text");
    assert_non_null(strstr(json_string_value(json_object_get(row, "says_b")), "rather not"));
    json_decref(out);
    static const char *const names[] = {"anything", "whatever", "lie"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    rt_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_part_is_named),
        cmocka_unit_test(only_what_was_committed_to_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
