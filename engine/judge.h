// SPDX-License-Identifier: Apache-2.0
// A judge's question and its answer: the pinned prompt that shows a model one transcript and asks
// for one label of a list, and the strict reading of what it says. The prompt names no lab,
// subject, arm or phrasing. What a judge is told of one scenario has a digest, so that labels given
// under different instructions can never pass for the same rater's. Transcripts are hostile input:
// they travel as JSON strings in a message of their own and are never parsed for commands. Pure.
#ifndef RT_ENGINE_JUDGE_H
#define RT_ENGINE_JUDGE_H

#include "engine/transcript.h"
#include "proto/bench.h"
#include "proto/scenario.h"

#define RT_JUDGE_HEAD      "You are a rater of recorded transcripts (ringtrial judge/v1)."
#define RT_JUDGE_TEXT_MOST ((size_t)8 << 20) // bytes of the question
#define RT_JUDGE_TOKENS    256               // most tokens of an answer
#define RT_JUDGE_ATTEMPTS  3                 // then the trial is left unrated

// The request for one transcript; texts in arena. attempt is 0, 1, ...: later ones say what was
// wrong with the answer before. RT_NOT_FOUND for a scenario without a judge or without rubric text,
// RT_TOO_LARGE, RT_NO_MEMORY.
enum rt_status rt_judge_request(const struct rt_scenario *scenario,
                                const struct rt_transcript *transcript, uint32_t seed,
                                unsigned attempt, struct rt_arena *arena,
                                struct rt_chat_request *ret_request) RT_WARN_UNUSED;

// The label an answer gives, as an index into the judge's list: the text must hold one JSON object
// whose member `label` is one of them word for word. RT_MALFORMED otherwise. ret_confidence_micro:
// its member `confidence` when that is a number from 0 to 1, else 0.
enum rt_status rt_judge_answer(const struct rt_judge *judge, const char *text, size_t *ret_label,
                               uint32_t *ret_confidence_micro) RT_WARN_UNUSED;

// u32be(SHA-256("ringtrial/judge-seed/v1" ‖ 0x00 ‖ draw ‖ u64be trial ‖ rater id)) >> 1: nobody
// could choose it before the campaign was drawn, and it differs from the trial's own.
uint32_t rt_judge_seed(const struct rt_digest *draw, uint64_t trial, const char *rater);

// SHA-256 over the pinned prompt, then each scenario's id, rubric and labels that has a judge with
// this role, in document order.
void rt_judge_instructions(const struct rt_scenario *const *scenarios, size_t count,
                           const char *role, struct rt_digest *ret_digest);

// SHA-256 over the parts, one behind the other.
void rt_judge_hash(const struct rt_bytes *parts, size_t count, struct rt_digest *ret_digest);

// One entry of a transcript as a judge or a person sees it: a JSON object in one line, or nothing
// for entries that are not shown (world, time, reasoning). RT_NO_MEMORY.
enum rt_status rt_judge_entry(const struct rt_entry *entry, struct rt_buf *out) RT_WARN_UNUSED;

#endif
