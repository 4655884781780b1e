#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rscript.sh RINGTRIAL-AUDIT: R agrees with a report's headline figures, on a table with a lab that left half-way, failed
# trials, a known-answer scenario's worth of odd sizes and a repeated phrasing; and the script notices a figure that is wrong.
# Exits with 77 (skipped) and says so where R, metafor or lme4 is absent.
set -euo pipefail
audit=$1
if ! command -v Rscript >/dev/null || ! Rscript -e 'library(metafor); library(lme4)' >/dev/null 2>&1; then
    echo "rscript.sh: skipped, Rscript with metafor and lme4 is not here (r-base-core r-cran-metafor r-cran-lme4)"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

awk 'BEGIN {
    srand(7)
    print "lab,arm,scenario,phrasing,temperature,outcome,status,n"
    for (l = 0; l < 6; l++) for (a = 0; a < 2; a++) for (s = 0; s < 9; s++) for (p = 0; p < 4; p++) for (t = 0; t < 3; t++) {
        if (l == 5 && s > 2) continue
        n = 12 + (l == 2); k = 0; lost = (l == 1 && s == 4) ? 2 : 0
        rate = (a ? 0.15 : 0.45) + 0.04 * s + 0.03 * (p % 3) + 0.02 * t + 0.02 * l - 0.15
        for (i = 0; i < n; i++) k += rand() < rate
        where = "lab-" l "," (a ? "other" : "self") ",s" s ",\"p, " p "\"," t * 0.5
        if (k) print where ",resisted,ok," k
        if (n - k) print where ",complied,ok," n - k
        if (lost) print where ",,error," lost
    }
}' >trials.csv

"$audit" report -q --csv trials.csv --behaviour resisted --inert other=self --same-as "p, 3=p, 0" --r-script headline.R
Rscript headline.R | tee headline.txt
grep -q 'figures compared' headline.txt
# One digit of ours changed must be seen.
sed 's/list(mean = 0\.\([0-9]\)/list(mean = 0.9\1/' headline.R >wrong.R
if Rscript wrong.R headline.R.csv >/dev/null; then
    echo "rscript.sh: a wrong figure was not noticed"
    exit 1
fi
