// SPDX-License-Identifier: Apache-2.0
// A note from outside: parsed, and verified against the vectors' log key. What parses is made of
// views inside the input, and its text signs again.
#include "common/crypto/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_vkey log;
    RT_ASSERT(rt_vkey_parse(rt_bytes_str("replicate.example/log/2026a+1a7b4e36+"
                                         "AZ+4Waca1gVHg8vNyRczRySErbqnICT0lZklfV3j2Jqk"),
                            &log) == RT_OK);
    struct rt_note note;
    if (rt_note_parse(rt_bytes(data, size), &note))
        return 0;
    RT_ASSERT(note.count >= 1 && note.count <= RT_NOTE_LINES_MOST);
    RT_ASSERT(note.text.data == data && note.text.size < size);
    for (size_t i = 0; i < note.count; i++) {
        RT_ASSERT(note.lines[i].name.data > data && note.lines[i].name.data < data + size);
        RT_ASSERT(rt_note_name_valid(note.lines[i].name));
    }
    uint64_t time_s = 0;
    enum rt_status status = rt_note_verify(&note, &log, &time_s);
    RT_ASSERT(status == RT_OK || status == RT_UNKNOWN_KEY || status == RT_BAD_SIGNATURE);
    return 0;
}
