// SPDX-License-Identifier: Apache-2.0
// R code as text; rscript.c writes what stands before and after it. Data only.
#ifndef RT_AUDITOR_RSCRIPT_TEXT_H
#define RT_AUDITOR_RSCRIPT_TEXT_H

extern const char rt_rscript_text[];

#endif
