// SPDX-License-Identifier: Apache-2.0
// One frame on its way in: decoded with every bound, its digests recomputed and its signatures
// verified, before the one writer sees it. Runs on the verify pool; what needs the core's memory
// (is this unit ours? is the statement new?) is left to the writer. Reads the store through views
// of its own, never writes. A refused frame keeps its reason.
#ifndef RT_COORDINATOR_HUB_INTAKE_H
#define RT_COORDINATOR_HUB_INTAKE_H

#include "common/base/text.h"
#include "coordinator/core/core.h"
#include "coordinator/gate.h"
#include "coordinator/hub/frame.h"
#include "coordinator/hub/rosters.h"
#include "coordinator/hub/shelf.h"
#include "coordinator/store/store.h"
#include "proto/campaign.h"
#include "proto/message.h"
#include "proto/statement.h"

// A decoded campaign with the memory it lives in.
struct rt_campaign_holder {
    struct rt_campaign_holder *next;
    struct rt_arena arena;
    struct rt_campaign *campaign;
};
enum rt_status rt_campaign_holder_new(struct rt_bytes object,
                                      struct rt_campaign_holder **ret_holder) RT_WARN_UNUSED;
void rt_campaign_holder_free(struct rt_campaign_holder *holder); // takes NULL

struct rt_intake {
    // Filled by the network thread.
    uint64_t peer;
    char lab[RT_ID_BYTES + 1]; // from the connection's key; "" on the local socket
    zmq_msg_t frame;

    // Filled by rt_intake_verify. Views point into frame, lists into arena.
    struct rt_arena arena;
    enum rt_status status; // RT_OK: for the writer. Otherwise refused, with text
    bool answered;         // nothing is left to do (`reply` may hold the answer)
    bool hostile;          // counts against the peer: forged, malformed or another lab's
    char text[200];
    bool has_about;
    struct rt_digest about; // of the statement or object it is about
    struct rt_outgoing *reply;
    struct rt_message message;
    struct rt_statement statement;
    struct rt_digest digest; // of the statement
    struct rt_core_pair *pairs;
    size_t pair_count;
    struct rt_digest fingerprint; // of the object in a RESULT, when has_fingerprint
    bool has_fingerprint;
    struct rt_fingerprint_part *parts; // what it stands for
    size_t part_count;
    struct rt_digest *object_digests; // of the objects in a SUBMIT
    const struct rt_object_rating *rating; // in arena
    struct rt_core_rated *rated;           // one for each of its trials
    struct rt_campaign_holder *campaign;
    const struct rt_roster *next_roster; // decoded in arena
    const struct rt_roster *roster;      // the one its signatures were judged by
};

struct rt_intake_context {
    struct rt_rosters *rosters;
    struct rt_store *store;
    struct rt_shelf *shelf;
    struct rt_gate *gate;
    struct rt_hub_counters *counters;
};

void rt_intake_init(struct rt_intake *intake);
void rt_intake_release(struct rt_intake *intake);
// Ready for the next frame: closes the old one, keeps memory.
void rt_intake_clear(struct rt_intake *intake);

// Decode and verify intake->frame. Any thread; blocks on the store's reads for FETCH alone.
void rt_intake_verify(struct rt_intake *intake, const struct rt_intake_context *context);

// Again, under the roster that is in force now: for a frame that was judged by an earlier one.
void rt_intake_verify_again(struct rt_intake *intake, const struct rt_intake_context *context);

// A rating's object, and each of its trials found in the leaf it names (intake_rating.c). On
// failure ret_text says which.
enum rt_status rt_intake_rating(struct rt_intake *intake, struct rt_bytes object,
                                struct rt_store *store, char ret_text[200]) RT_WARN_UNUSED;

// A step of an incident with its record (NULL: not in the message), a release or a revocation, by
// its verified signers (intake_noted.c). On failure ret_text says what is wrong.
enum rt_status rt_intake_noted(struct rt_intake *intake, const struct rt_bytes *object,
                               const struct rt_statement_signer *signers, struct rt_store *store,
                               char ret_text[200]) RT_WARN_UNUSED;

// The unit statement of one pair bears the coordinator's own signature and names this unit: needed
// only for units the core does not remember.
enum rt_status rt_intake_verify_unit(const struct rt_result_pair *pair,
                                     const struct rt_digest *unit_digest,
                                     const struct rt_roster *roster) RT_WARN_UNUSED;

#endif
