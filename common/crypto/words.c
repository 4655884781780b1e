// SPDX-License-Identifier: Apache-2.0
// The word list behind rt_digest_words: one word a byte value, sorted, chosen to be short, common
// and hard to mistake for one another by ear. The list is part of what people compare, so it never
// changes.
#include "common/crypto/hash.h"

static const char *const words[256] = {
    "acid",    "acorn",   "actor",   "agent",   "album",    "alley",   "amber",  "angle",
    "ankle",   "apple",   "apron",   "arena",   "arrow",    "attic",   "autumn", "award",
    "bacon",   "badge",   "baker",   "bamboo",  "banjo",    "barn",    "basil",  "beach",
    "beard",   "berry",   "birch",   "bison",   "blanket",  "bonus",   "bottle", "brick",
    "bridge",  "broom",   "bubble",  "bucket",  "butter",   "button",  "cabin",  "cactus",
    "camel",   "candle",  "canoe",   "carpet",  "castle",   "cedar",   "cellar", "chalk",
    "cheese",  "cherry",  "chess",   "circle",  "citrus",   "clay",    "cliff",  "clock",
    "clover",  "cobra",   "coffee",  "comet",   "copper",   "coral",   "cotton", "crab",
    "cradle",  "crane",   "cricket", "crown",   "daisy",    "dance",   "desert", "diary",
    "dolphin", "donkey",  "dragon",  "drum",    "dune",     "eagle",   "echo",   "elbow",
    "elm",     "ember",   "engine",  "fabric",  "falcon",   "feather", "fence",  "fern",
    "ferry",   "fiddle",  "fig",     "finger",  "flag",     "flute",   "forest", "fossil",
    "fox",     "frost",   "galaxy",  "garden",  "garlic",   "ghost",   "ginger", "giraffe",
    "glove",   "goat",    "grape",   "guitar",  "hammer",   "harbor",  "hazel",  "hedge",
    "helmet",  "heron",   "hockey",  "honey",   "hotel",    "iceberg", "igloo",  "indigo",
    "insect",  "iris",    "iron",    "island",  "ivory",    "jacket",  "jaguar", "jelly",
    "jewel",   "jigsaw",  "judge",   "jungle",  "kayak",    "kettle",  "kidney", "kitten",
    "koala",   "ladder",  "lagoon",  "lamp",    "lantern",  "lemon",   "lily",   "lizard",
    "lobster", "lotus",   "magnet",  "mango",   "maple",    "marble",  "meadow", "medal",
    "melon",   "mirror",  "monkey",  "moss",    "motor",    "muffin",  "museum", "mustard",
    "napkin",  "nectar",  "needle",  "nickel",  "noodle",   "nutmeg",  "oasis",  "ocean",
    "olive",   "onion",   "orbit",   "orchid",  "otter",    "oven",    "owl",    "oyster",
    "paddle",  "panda",   "paper",   "parrot",  "peach",    "pearl",   "pebble", "pencil",
    "pepper",  "piano",   "pigeon",  "pillow",  "pirate",   "planet",  "pocket", "poem",
    "pony",    "poppy",   "potato",  "prism",   "pumpkin",  "puppet",  "quartz", "quill",
    "rabbit",  "radar",   "raft",    "rainbow", "raven",    "ribbon",  "river",  "robin",
    "rocket",  "rope",    "ruby",    "saddle",  "salmon",   "sandal",  "satin",  "sauce",
    "shadow",  "shell",   "silver",  "skate",   "sofa",     "spider",  "spoon",  "squid",
    "stable",  "stone",   "sugar",   "sunset",  "swan",     "table",   "tango",  "teapot",
    "temple",  "thumb",   "tiger",   "timber",  "toast",    "tomato",  "torch",  "tractor",
    "trumpet", "tulip",   "tunnel",  "turtle",  "umbrella", "vacuum",  "valley", "velvet",
    "violin",  "vulture", "waffle",  "wagon",   "walnut",   "walrus",  "whale",  "willow",
};

void rt_digest_words(const struct rt_digest *digest, char *ret_text)
{
    char *at = ret_text;
    for (size_t i = 0; i < RT_DIGEST_WORDS; i++) {
        const char *word = words[digest->bytes[i]];
        size_t size = strlen(word);
        if (i)
            *at++ = ' ';
        memcpy(at, word, size);
        at += size;
    }
    *at = 0;
}
