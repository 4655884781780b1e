// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "common/base/bytes.h"
#include "common/report/study.h"

static bool said_valid(const struct rt_study *study, const struct rt_study_said *said)
{
    return said->rater < study->rater_count && said->status < study->status_count &&
           (said->outcome == RT_STUDY_NONE || said->outcome < study->outcome_count);
}

enum rt_status rt_study_add_joint(struct rt_study *study, const struct rt_study_joint *joint)
{
    const struct rt_study_condition *at = &joint->condition;
    RT_ASSERT(!study->sealed);
    if (!said_valid(study, &joint->a) || !said_valid(study, &joint->b) ||
        joint->lab >= study->lab_count || at->subject >= study->subject_count ||
        at->arm >= study->arm_count || at->scenario >= study->scenario_count ||
        at->phrasing >= study->phrasing_count || at->temperature >= study->temperature_count)
        return RT_OUT_OF_RANGE;
    if (!joint->count)
        return RT_OK;
    if (study->joint_count == study->joint_room) {
        size_t room = study->joint_room ? 2 * study->joint_room : 256;
        struct rt_study_joint *joints = rt_arena_array(study->arena, room, sizeof *joints);
        if (!joints)
            return RT_NO_MEMORY;
        if (study->joint_count)
            memcpy(joints, study->joints, study->joint_count * sizeof *joints);
        study->joints = joints;
        study->joint_room = room;
    }
    study->joints[study->joint_count++] = *joint;
    return RT_OK;
}
